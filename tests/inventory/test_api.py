"""The purchase API as a browser meets it: what its calls answer."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from inventory import fan as fans
from inventory.api.requests import ACT_SECONDS, REFUSALS
from inventory.links import sign_order
from inventory.models import Hold, Order
from tests import factories
from tests.inventory.box_office import buy, make_sale, new_fan, run_out, states
from tests.inventory.browsing import Browser, problem

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_acts_and_refusals_are_counted():
    event, first, second = make_sale(), Browser(), Browser()
    acts, refused = ACT_SECONDS.labels("hold"), REFUSALS.labels("hold", "seats_taken")
    before = sum(bucket.get() for bucket in acts._buckets), refused._value.get()
    first.hold(event, 21)
    second.hold(event, 21)
    assert (sum(bucket.get() for bucket in acts._buckets), refused._value.get()) == (before[0] + 2, before[1] + 1)
