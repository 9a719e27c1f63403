"""The purchase API as a browser and as a stranger meet it."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from inventory import fan as fans
from inventory.links import sign_order
from inventory.models import Hold, IdempotencyKey, Order, Seat
from tests import factories
from tests.inventory.box_office import buy, everything, make_sale, new_fan, run_out, states

pytestmark = pytest.mark.django_db(transaction=True)


class Browser:
    """A fan's browser with its cookie and token."""

    def __init__(self):
        self.fan = new_fan()
        self.client = Client()
        self.client.cookies[fans.COOKIE] = fans.sign(self.fan)
        self.headers = {"X-CSRF-Token": fans.csrf_token(self.fan)}

    def post(self, path, body=None, *, key=None, headers=None, content_type="application/json"):
        sent = self.headers | {"Idempotency-Key": key or str(uuid4())} | (headers or {})
        data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
        return self.client.post(
            f"/api/v1{path}",
            data=data,
            content_type=content_type,
            headers={name: value for name, value in sent.items() if value is not None},
        )

    def hold(self, event, *indexes, **more):
        return self.post(f"/events/{event.id}/holds", {"seats": list(indexes)}, **more)


def problem(response, status, code):
    assert response.headers["Content-Type"] == "application/problem+json"
    found = response.json()
    assert (response.status_code, found["status"], found["code"]) == (status, status, code), found
    assert found["type"] == "about:blank"
    assert found["title"]
    assert found["detail"]
    assert "no-store" in response.headers["Cache-Control"]
    return found


def test_hold_answers_what_is_held():
    event, browser = make_sale(), Browser()
    response = browser.hold(event, 13, 12)
    assert response.status_code == 201
    found = response.json()
    hold = Hold.objects.get()
    assert found == {
        "id": str(hold.id),
        "seats": [
            {"index": 12, "section": "Stalls", "row": "B", "number": "3", "tier": 0, "amount": 9000},
            {"index": 13, "section": "Stalls", "row": "B", "number": "4", "tier": 0, "amount": 9000},
        ],
        "expires_at": int(hold.expires_at.timestamp() * 1000),
        "extendable": True,
        "total": 18000,
        "currency": "EUR",
        "version": found["version"],
    }
    assert 0 < found["expires_at"] - found["version"] <= 600_000
    assert "no-store" in response.headers["Cache-Control"]
    me = browser.client.get(f"/live/events/{event.id}/me")
    if me.status_code == 200:  # The slot is served by the live process; under WSGI alone it is not mounted.
        assert me.json()["hold"]["id"] == found["id"]


def test_hold_best_and_standing():
    event, browser = make_sale(standing=20), Browser()
    best = browser.post(f"/events/{event.id}/holds", {"best": {"quantity": 2, "max_amount": 5000, "section": 1}})
    assert [seat["section"] for seat in best.json()["seats"]] == ["Balcony", "Balcony"]
    floor = Browser().post(f"/events/{event.id}/holds", {"standing": {"section": 2, "quantity": 3}})
    assert [seat["section"] for seat in floor.json()["seats"]] == ["Floor"] * 3
    none = Browser().post(f"/events/{event.id}/holds", {"best": {"quantity": 30}})
    problem(none, 409, "limit_reached" if none.json()["code"] == "limit_reached" else "no_seats_together")


def test_hold_refuses_taken_seats_with_alternatives():
    event, first, second = make_sale(), Browser(), Browser()
    first.hold(event, 21)
    found = problem(second.hold(event, 20, 21), 409, "seats_taken")
    assert found["taken"] == [21]
    assert len(found["alternatives"]) == 3
    assert problem(first.hold(event, *range(22, 30)), 409, "limit_reached")["limit"] == 8


def test_release_and_extend():
    event, browser = make_sale(), Browser()
    held = browser.hold(event, 1, 2).json()
    longer = browser.post(f"/holds/{held['id']}/extend").json()
    assert longer["expires_at"] == held["expires_at"] + 300_000
    assert longer["extendable"] is False
    problem(browser.post(f"/holds/{held['id']}/extend"), 409, "already_extended")
    left = browser.post(f"/holds/{held['id']}/release", {"seats": [2]}).json()
    assert [seat["index"] for seat in left["hold"]["seats"]] == [1]
    assert browser.post(f"/holds/{held['id']}/release").json() == {"hold": None}
    problem(Browser().post(f"/holds/{held['id']}/release"), 404, "hold_unknown")
    problem(browser.post("/holds/not-an-id/extend"), 404, "hold_unknown")
    again = browser.hold(event, 1).json()
    run_out(again["id"])
    problem(browser.post(f"/holds/{again['id']}/extend"), 410, "hold_expired")


def test_order_gives_its_pages():
    event, browser = make_sale(), Browser()
    held = browser.hold(event, 1, 2).json()
    body = {"hold_id": held["id"], "name": "  Ada   Byron ", "email": "ada@example.org"}
    response = browser.post("/orders", body)
    assert response.status_code == 201
    found = response.json()
    order = Order.objects.get()
    assert found["order_id"] == str(order.id)
    assert found["url"] == f"/orders/{sign_order(order.id)}/"
    assert "/sandbox/pay/" in found["pay_url"]
    assert (order.name, order.total, order.user) == ("Ada Byron", 18000, None)
    assert states(event, 1, 2) == [2, 2]
    assert browser.post("/orders", body).json() == found
    shown = browser.client.get(f"/api/v1/orders/{sign_order(order.id)}")
    assert shown.json()["lines"][0] == {
        "index": 1,
        "section": "Stalls",
        "row": "A",
        "number": "2",
        "tier": "Stalls",
        "amount": 9000,
        "fee": 0,
        "active": False,
    }
    assert (shown.json()["state"], shown.json()["total"]) == ("pending", 18000)


def test_order_belongs_to_the_signed_in_user():
    event, browser = make_sale(), Browser()
    user = factories.make_member(event.organizer)
    browser.client.force_login(user)
    held = browser.hold(event, 1).json()
    browser.post("/orders", {"hold_id": held["id"], "name": "Ada", "email": "ada@example.org"})
    assert Order.objects.get().user == user


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


def test_no_session_or_user_is_read_without_a_session_cookie(django_assert_num_queries):
    event, browser = make_sale(), Browser()
    browser.hold(event, 1)
    # Key, turn, claim, stored answer, the fan's state, and BEGIN and COMMIT.
    with django_assert_num_queries(7):
        assert browser.hold(event, 2).status_code == 201
    with django_assert_num_queries(7):
        assert browser.hold(event, 3, 4, 5).status_code == 201


def test_reads_list_and_show_events():
    event = make_sale(name="A Night at the Proms")
    make_sale(status="draft")
    client = Client()
    listed = client.get("/api/v1/events").json()
    assert (listed["count"], listed["page"], listed["pages"]) == (1, 1, 1)
    shown = client.get(f"/api/v1/events/{event.id}").json()
    assert listed["events"] == [shown]
    assert (shown["name"], shown["state"], shown["currency"]) == ("A Night at the Proms", "open", "EUR")
    assert shown["tiers"] == [
        {"number": 0, "name": "Stalls", "amount": 9000},
        {"number": 1, "name": "Balcony", "amount": 4500},
    ]
    problem(client.get("/api/v1/events?page=x"), 422, "invalid")
    problem(client.get("/api/v1/events?q=%00"), 422, "invalid")
    assert client.get("/api/v1/events?q=nothing%20like%20it").json()["events"] == []


def test_fan_gives_a_new_browser_its_cookie_and_token():
    client = Client()
    token = client.get("/api/v1/fan").json()["csrf"]
    fan = fans.read(client.cookies[fans.COOKIE].value)
    assert fan is not None
    assert fans.csrf_ok(fan, token)
    assert client.cookies[fans.COOKIE]["httponly"]
    assert client.get("/api/v1/fan").json()["csrf"] == token


def test_scans_admit_once_and_only_by_the_organizers_staff():
    from inventory.models import Ticket
    from inventory.tickets.entry import typed_code

    event = make_sale()
    buy(event, new_fan(), 1)
    code = typed_code(Ticket.objects.get(), 1)
    staff, client = factories.make_member(event.organizer, role="door"), Client()

    def scan(body):
        return client.post("/api/v1/entry/scans", json.dumps(body), content_type="application/json")

    wanted = {"event_id": str(event.id), "code": code}
    problem(scan(wanted), 401, "not_signed_in")
    client.force_login(factories.make_member(factories.make_organizer()))
    problem(scan(wanted), 403, "forbidden")
    client.force_login(staff)
    first = scan(wanted).json()
    assert (first["result"], first["name"]) == ("admitted", "Ada Byron")
    assert first["seat"].startswith("Stalls")
    assert scan(wanted).json()["result"] == "already_used"
    problem(scan(wanted | {"event_id": str(uuid4())}), 404, "event_unknown")


def test_docs_page_has_no_inline_script_and_no_other_host():
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200
    assert "https://" not in page
    assert "<script>" not in page
    assert 'data-fan-url="/api/v1/fan"' in page
    schema = Client().get("/api/v1/openapi.json").json()
    assert set(schema["paths"]) == {
        "/api/v1/events/{event_id}/holds",
        "/api/v1/holds/{hold_id}/release",
        "/api/v1/holds/{hold_id}/extend",
        "/api/v1/orders",
        "/api/v1/events",
        "/api/v1/events/{event_id}",
        "/api/v1/orders/{signed}",
        "/api/v1/fan",
        "/api/v1/entry/scans",
    }
