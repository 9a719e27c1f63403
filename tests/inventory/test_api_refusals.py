"""The purchase API as a stranger meets it: what is refused, and how it is said."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError

from inventory import fan as fans
from inventory.models import Hold, Order
from tests.inventory.box_office import everything, make_sale, run_out, states
from tests.inventory.browsing import Browser, problem

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body"),
        ({"seats": [1], "best": {"quantity": 1}}, "body"),
        ({"seats": "1,2"}, "body.seats"),
        ({"seats": ["1"]}, "body.seats.0"),
        ({"seats": [1, True]}, "body.seats.1"),
        ({"seats": [1.0]}, "body.seats.0"),
        ({"seats": [1e300]}, "body.seats.0"),
        ({"seats": [None]}, "body.seats.0"),
        ({"seats": []}, "body.seats"),
        ({"seats": [1], "price": 1}, "body.price"),
        ({"seats": [1], "fan": "somebody"}, "body.fan"),
        ({"seats": [1], "presale_code": "x" * 41}, "body.presale_code"),
        ({"seats": [1], "presale_code": "a\x00b"}, "body.presale_code"),
        ({"best": {"quantity": 0}}, "body.best.quantity"),
        ({"best": {"quantity": 2, "section": 9}}, "body.section"),
        ({"best": {}}, "body.best.quantity"),
        ({"standing": {"quantity": 2}}, "body.standing.section"),
    ],
)
def test_hold_names_the_place_that_is_wrong(body, where):
    event, browser = make_sale(), Browser()
    before = everything()
    found = problem(browser.post(f"/events/{event.id}/holds", body), 422, "invalid")
    assert where in [error["where"] for error in found["errors"]]
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": "  "}, "body.name"),
        ({"name": "x" * 121}, "body.name"),
        ({"name": "Ada\x00"}, "body.name"),
        ({"name": 7}, "body.name"),
        ({"email": "ada"}, "body.email"),
        ({"email": "ada@example.org\nBcc: all@example.org"}, "body.email"),
        ({"hold_id": "x"}, "body.hold_id"),
        ({"amount": 1}, "body.amount"),
        ({"state": "paid"}, "body.state"),
    ],
)
def test_order_names_the_place_that_is_wrong(fields, where):
    event, browser = make_sale(), Browser()
    held = browser.hold(event, 1).json()
    before = everything()
    body = {"hold_id": held["id"], "name": "Ada", "email": "ada@example.org"} | fields
    found = problem(browser.post("/orders", body), 422, "invalid")
    assert [error["where"] for error in found["errors"]] == [where]
    assert everything() == before


def test_order_refuses_another_fans_hold():
    event, browser = make_sale(), Browser()
    held = browser.hold(event, 1).json()
    body = {"hold_id": held["id"], "name": "Eve", "email": "eve@example.org"}
    problem(Browser().post("/orders", body), 404, "hold_unknown")
    run_out(held["id"])
    problem(browser.post("/orders", body), 410, "hold_expired")


def test_order_says_busy_while_the_provider_is_away(monkeypatch):
    from inventory.payments import process
    from inventory.payments.gateway import GatewayUnreachable

    event, browser, key = make_sale(), Browser(), str(uuid4())
    body = {"hold_id": browser.hold(event, 1).json()["id"], "name": "Ada", "email": "ada@example.org"}

    def away(**_):
        raise GatewayUnreachable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(process, "open_payment", away)
        problem(browser.post("/orders", body, key=key), 503, "server_busy")
    assert browser.post("/orders", body, key=key).status_code == 201
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("seats", "code"),
    [
        ([-1], "seat_out_of_range"),
        ([60], "seat_out_of_range"),
        ([2**62], "seat_out_of_range"),
        ([3, 3], "seats_repeated"),
        (list(range(51)), "too_many_seats"),
        (list(range(10_000)), "too_many_seats"),
    ],
)
def test_hold_refuses_impossible_seats(seats, code):
    event, browser = make_sale(), Browser()
    before = everything()
    problem(browser.post(f"/events/{event.id}/holds", {"seats": seats}), 422, code)
    assert everything() == before


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"seats": [1]', "application/json", 400, "invalid"),
        (b'{"seats": [1], "presale_code": "\xff"}', "application/json", 400, "invalid"),
        (b"[1]", "application/json", 422, "invalid"),
        (b'{"seats": [1]}', "text/plain", 415, "unsupported_media_type"),
        (b"seats=1", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"presale_code": "' + b"x" * 65_536 + b'"}', "application/json", 413, "body_too_large"),
        (b"x" * 1_100_000, "application/json", 413, "body_too_large"),
    ],
)
def test_unreadable_bodies_are_refused(body, content_type, status, code):
    event, browser = make_sale(), Browser()
    problem(browser.post(f"/events/{event.id}/holds", body, content_type=content_type), status, code)
    assert Hold.objects.count() == 0


def test_unknown_events_are_404():
    browser = Browser()
    for event_id in (uuid4(), "no-uuid"):
        problem(browser.post(f"/events/{event_id}/holds", {"seats": [1]}), 404, "event_unknown")
        problem(browser.client.get(f"/api/v1/events/{event_id}"), 404, "event_unknown")
    assert browser.client.get("/api/v1/nothing").json()["code"] == "not_found"
    problem(browser.client.get("/api/v1/orders/forged"), 404, "order_unknown")


def test_closed_sale_says_its_state():
    event, browser = make_sale(windows=[{"opens_in": timedelta(hours=1)}]), Browser()
    assert problem(browser.hold(event, 1), 409, "sale_closed")["state"] == "upcoming"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": None},
        {"X-CSRF-Token": "x"},
        {"X-CSRF-Token": "ü"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_posts_from_elsewhere_are_refused(headers):
    event, browser = make_sale(), Browser()
    problem(browser.hold(event, 1, headers=headers), 403, "csrf_failed")
    assert states(event, 1) == [0]


def test_posts_from_our_own_pages_pass():
    event, browser = make_sale(), Browser()
    headers = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert browser.hold(event, 1, headers=headers).status_code == 201


@pytest.mark.parametrize("cookie", [None, "", "x", "a" * 26 + ".forged"])
def test_tampered_cookies_are_refused(cookie):
    event, browser = make_sale(), Browser()
    del browser.client.cookies[fans.COOKIE]
    if cookie is not None:
        browser.client.cookies[fans.COOKIE] = cookie
    problem(browser.hold(event, 1), 403, "csrf_failed")


def test_failures_are_503_and_may_be_tried_again(monkeypatch):
    from inventory import purchase

    event, browser = make_sale(), Browser()
    key = str(uuid4())

    def fail(**_):
        raise OperationalError("canceling statement due to lock timeout")

    with monkeypatch.context() as patch:
        patch.setattr(purchase, "hold_seats", fail)
        response = browser.hold(event, 1, key=key)
    problem(response, 503, "server_busy")
    assert 1 <= int(response.headers["Retry-After"]) <= 4
    assert browser.hold(event, 1, key=key).status_code == 201
