"""Every exception has one problem, and every problem one form."""

import json

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404

from inventory import availability, problems, purchase
from inventory.purchase import refusals


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (purchase.SeatsTaken([1]), 409, "seats_taken"),
        (purchase.HoldExpired(), 410, "hold_expired"),
        (OperationalError("canceling statement due to lock timeout"), 503, "server_busy"),
        (InterfaceError("connection already closed"), 503, "server_busy"),
        (availability.Busy(), 503, "server_busy"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (RuntimeError("a secret"), 500, "internal_error"),
    ],
)
def test_problem_of_tells_status_and_code(error, status, code):
    problem = problems.problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.body.decode()


def test_a_mistake_in_our_sql_is_not_called_busy():
    assert problems.problem_of(DataError("invalid input syntax")).status == 500


def test_response_is_problem_json_that_no_cache_keeps():
    response = problems.response(problems.problem_of(purchase.LimitReached(8, 7)))
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "private, no-store"
    assert json.loads(response.content) == {
        "type": "about:blank",
        "title": "Ticket limit reached",
        "status": 409,
        "detail": "One person can have 8 places at this event, and you have 7.",
        "code": "limit_reached",
        "limit": 8,
        "used": 7,
    }
    assert "Retry-After" not in response
    assert 1 <= int(problems.response(problems.BUSY)["Retry-After"]) <= 4


def test_every_refusal_has_a_code_a_status_and_a_title():
    found = [kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, refusals.Refusal)]
    assert len(found) > 20
    for kind in found:
        assert kind.code.replace("_", "").isalpha()
        assert 400 <= kind.status < 500
        assert kind.title
        assert (kind.__doc__ or "").strip()
