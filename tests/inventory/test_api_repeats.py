"""The purchase API asked twice: one effect for each idempotency key."""

from uuid import uuid4

import pytest

from inventory.models import IdempotencyKey, Seat
from tests.inventory.box_office import everything, make_sale
from tests.inventory.browsing import Browser, problem

pytestmark = pytest.mark.django_db(transaction=True)


def test_idempotency_key_is_needed():
    event, browser = make_sale(), Browser()
    for key in (None, "", "yes"):
        response = browser.hold(event, 1, headers={"Idempotency-Key": key})
        problem(response, 400, "idempotency_key_missing")


def test_idempotency_repeats_the_answer():
    event, browser = make_sale(), Browser()
    key = str(uuid4())
    first = browser.hold(event, 1, key=key)
    before = everything()
    again = browser.hold(event, 1, key=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert everything() == before
    problem(browser.hold(event, 2, key=key), 422, "idempotency_mismatch")
    assert Browser().hold(event, 2, key=key).status_code == 201


def test_idempotency_repeats_a_refusal():
    event, first, second = make_sale(), Browser(), Browser()
    first.hold(event, 1)
    key = str(uuid4())
    refusal = second.hold(event, 1, key=key)
    Seat.objects.filter(event=event).update(state=0, hold=None, held_until=None, version=9)
    again = second.hold(event, 1, key=key)
    assert (again.status_code, again.content) == (409, refusal.content)
    assert again.headers["Content-Type"] == "application/problem+json"


def test_idempotency_says_that_the_first_is_still_running():
    event, browser = make_sale(), Browser()
    key = str(uuid4())
    response = browser.hold(event, 1, key=key)
    IdempotencyKey.objects.update(status=None, body=None)
    problem(browser.hold(event, 1, key=key), 409, "idempotency_running")
    assert response.status_code == 201
