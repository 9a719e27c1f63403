"""Choosing from a list, without scripts: the same verbs, the same holds, readable refusals."""

import re

import pytest

from inventory import availability, purchase
from inventory import fan as fans
from inventory.models import Hold, Seat
from tests import factories
from tests.inventory.box_office import states
from tests.inventory.sales import make_sale

pytestmark = pytest.mark.django_db


@pytest.fixture
def forget(settings):
    """Let the next picture of the hall be a new one, whatever this process and Redis remember."""

    def now() -> None:
        settings.REDIS_PREFIX = f"{settings.REDIS_PREFIX}:again"
        availability.forget()

    return now


@pytest.fixture
def event():
    plan = factories.make_plan(standing=20, name="List hall")
    return make_sale(name="Nocturne", slug="nocturne", plan=plan, max_per_fan=4)


@pytest.fixture
def fan(client):
    found = fans.new_fan()
    client.cookies["fan"] = fans.sign(found)
    return found


def words(response) -> str:
    return response.content.decode()


def held_by(event, fan) -> list[int]:
    held = purchase.live_hold(event_id=event.pk, fan=fan)
    return held.indexes if held else []


def test_sections_are_listed_with_what_is_free_and_from_what_price(client, event):
    page = words(client.get("/e/nocturne/choose/"))
    rows = re.findall(r'<li class="section.*?</li>', page, re.DOTALL)
    facts = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]
    assert facts == [
        "Stalls Seats · North 40 free €90",
        "Balcony Seats · North 20 free €45",
        "Floor Standing 20 free €30",
    ]


def test_sections_count_what_is_taken(client, event, forget):
    purchase.hold_seats(event_id=event.pk, fan=fans.new_fan(), indexes=[0, 1, 2])
    forget()
    assert "37 free" in words(client.get("/e/nocturne/choose/"))


def test_the_best_places_are_held_and_shown_with_the_way_on(client, event, fan):
    answer = client.post("/e/nocturne/choose/", {"action": "best", "quantity": "2", "max_amount": "4500"})
    assert (answer.status_code, answer["Location"]) == (302, "/e/nocturne/choose/")
    held = held_by(event, fan)
    assert len(held) == 2
    assert held[1] == held[0] + 1
    assert all(Seat.objects.get(event=event, index=index).tier in (1, 2) for index in held)
    page = words(client.get("/e/nocturne/choose/"))
    assert "Go to checkout" in page
    assert "hold-clock" in page


def test_ticked_seats_are_held(client, event, fan):
    client.post("/e/nocturne/choose/0/", {"action": "seats", "seat": ["12", "13"]})
    assert held_by(event, fan) == [12, 13]
    page = words(client.get("/e/nocturne/choose/0/"))
    assert page.count("seat--mine") == 2
    assert page.count("held for you") == 2


def test_standing_places_are_held_by_quantity(client, event, fan):
    client.post("/e/nocturne/choose/2/", {"action": "best", "quantity": "3", "section": "2"})
    held = held_by(event, fan)
    assert len(held) == 3
    assert all(60 <= index < 80 for index in held)


def test_the_same_form_twice_is_held_once(client, event, fan):
    form = {"action": "best", "quantity": "2", "key": "3c2e8c2e-0000-4000-8000-000000000001"}
    for _ in range(3):
        assert client.post("/e/nocturne/choose/", form).status_code == 302
    assert len(held_by(event, fan)) == 2
    client.post("/e/nocturne/choose/", form | {"quantity": "1"})
    assert len(held_by(event, fan)) == 3, "going back and choosing differently is a new wish"


def test_taken_seats_are_told_with_as_good_ones_and_the_ticks_stay(client, event, fan):
    purchase.hold_seats(event_id=event.pk, fan=fans.new_fan(), indexes=[13])
    answer = client.post("/e/nocturne/choose/0/", {"action": "seats", "seat": ["12", "13"]})
    page = words(answer)
    assert answer.status_code == 409
    assert "Somebody else was faster." in page
    assert "These are as good" in page
    assert re.search(r'name="seat" value="12"\s+checked', page)
    assert held_by(event, fan) == []
    seats = re.findall(r'type="hidden" name="seat" value="(\d+)"', page)[:2]
    client.post("/e/nocturne/choose/0/", {"action": "seats", "seat": seats})
    assert held_by(event, fan) == sorted(int(seat) for seat in seats)


def test_the_limit_is_told(client, event, fan):
    answer = client.post("/e/nocturne/choose/0/", {"action": "seats", "seat": ["2", "3", "4", "5", "6"]})
    assert answer.status_code == 409
    assert "One person can have 4 places at this event" in words(answer)
    assert not Hold.objects.exists()


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "seats", "seat": "-1"}, 422),
        ({"action": "seats", "seat": "x"}, 422),
        ({"action": "seats", "seat": "999999999"}, 422),
        ({"action": "seats", "seat": ["3", "3"]}, 422),
        ({"action": "seats", "seat": [str(n) for n in range(10_000)]}, 400),
        ({"action": "seats", "seat": [str(n) for n in range(60)]}, 422),
        ({"action": "seats"}, 422),
        ({"action": "best"}, 422),
        ({"action": "best", "quantity": "two"}, 422),
        ({"action": "best", "quantity": "0"}, 422),
        ({"action": "best", "quantity": "1", "section": "77"}, 422),
        ({"action": "best", "quantity": "1", "max_amount": "1.5"}, 422),
        ({"action": "best", "quantity": "1", "presale_code": "\x00"}, 302),
        ({"action": "release", "hold": "x"}, 404),
        ({"action": "explode"}, 422),
        ({}, 422),
    ],
)
def test_bad_input_is_told_on_the_page(client, event, fan, form, status):
    answer = client.post("/e/nocturne/choose/", form)
    assert answer.status_code == status
    if status not in (302, 400):
        assert 'role="alert"' in words(answer)
        assert held_by(event, fan) == []


def test_places_are_let_go_one_by_one_and_all(client, event, fan):
    held = purchase.hold_seats(event_id=event.pk, fan=fan, indexes=[12, 13, 14])
    form = {"action": "release", "hold": str(held.hold_id)}
    client.post("/e/nocturne/choose/", form | {"index": "13"})
    assert states(event, 12, 13, 14) == [1, 0, 1]
    client.post("/e/nocturne/choose/", form)
    assert states(event, 12, 13, 14) == [0, 0, 0]


def test_a_presale_asks_for_its_code(client, fan):
    event = make_sale(slug="early", windows=[{"access": "presale", "codes": ["SECRET"]}])
    assert "Presale code" in words(client.get("/e/early/choose/"))
    form = {"action": "best", "quantity": "1"}
    assert client.post("/e/early/choose/", form).status_code == 403
    assert client.post("/e/early/choose/", form | {"presale_code": "WRONG"}).status_code == 403
    assert client.post("/e/early/choose/", form | {"presale_code": "SECRET"}).status_code == 302
    assert len(held_by(event, fan)) == 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"status": "cancelled"}, "This event has been cancelled."),
        ({"sale_switch": "paused"}, "The sale is paused for a moment."),
        ({"sale_switch": "closed"}, "The sale has ended."),
    ],
)
def test_a_sale_that_is_not_open_says_so_and_offers_no_form(client, fan, fields, text):
    make_sale(slug="shut", **fields)
    page = words(client.get("/e/shut/choose/"))
    assert text in page
    assert 'value="best"' not in page


def test_sold_out_is_a_state_of_its_own(client, forget):
    small = make_sale(slug="tiny", plan=factories.make_plan(rows=1, balcony=False, name="Tiny hall"), max_per_fan=10)
    purchase.hold_seats(event_id=small.pk, fan=fans.new_fan(), indexes=list(range(10)))
    forget()
    assert "Sold out" in words(client.get("/e/tiny/choose/"))


def test_unknown_sections_and_drafts_are_not_found(client, event):
    assert client.get("/e/nocturne/choose/3/").status_code == 404
    assert client.get("/e/nothing/choose/").status_code == 404
    make_sale(slug="secret", status="draft")
    assert client.get("/e/secret/choose/").status_code == 404


def test_pages_ask_the_database_as_often_for_one_row_as_for_many(client, event, fan, django_assert_num_queries):
    big = make_sale(slug="big", plan=factories.make_plan(rows=12, name="Big hall"))
    client.get("/e/nocturne/choose/0/")
    client.get("/e/big/choose/0/")
    with django_assert_num_queries(6):
        client.get("/e/nocturne/choose/0/")
    with django_assert_num_queries(6):
        client.get("/e/big/choose/0/")
    assert big.pk
