"""The door: once, for the right event, by the right people."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse

from events.models import Membership
from inventory import purchase
from inventory.models import AuditEntry, Ticket
from inventory.tickets.codes import code_for
from inventory.tickets.entry import Scan, check_in, typed_code
from tests import factories
from tests.inventory.sales import buy, make_sale


@pytest.fixture
def sold(db):
    event = make_sale()
    order = buy(event, [12, 13])
    door = factories.make_member(event.organizer, role=Membership.Role.DOOR, username="door", is_staff=False)
    first, second = Ticket.objects.filter(line__order=order).order_by("line__index")
    return event, order, door, first, second


def code(ticket: Ticket, **changed) -> str:
    fields = {"event_id": ticket.event_id, "ticket_id": ticket.pk, "serial": ticket.serial} | changed
    return code_for(**fields)


def test_check_in_admits_once_and_says_who_and_when_the_second_time(sold):
    event, _, door, first, _ = sold
    scan = check_in(event_id=event.pk, code=code(first), staff=door)
    assert (scan.verdict, scan.place, scan.tier, scan.name) == (
        "admitted",
        "Stalls, row B, seat 3",
        "Stalls",
        "Ada Lovelace",
    )
    first.refresh_from_db()
    assert (first.state, first.used_by) == ("used", door)

    again = check_in(event_id=event.pk, code=code(first), staff=door)
    assert again.verdict == "already_used"
    assert again.used_at == first.used_at
    assert again.detail == "This ticket has been used already. It was let in by door."
    log = AuditEntry.objects.filter(subject=str(first.pk), action__startswith="ticket.").order_by("id")
    assert list(log.values_list("action", "actor")) == [
        ("ticket.admitted", f"staff:{door.pk}"),
        ("ticket.refused", f"staff:{door.pk}"),
    ]


def test_check_in_by_the_typed_code_is_the_same_ticket(sold):
    event, order, door, _, second = sold
    typed = typed_code(second, 2)
    assert typed.startswith(f"{order.reference}-2-")
    assert check_in(event_id=event.pk, code=f" {typed.lower()} ", staff=door).verdict == "admitted"
    assert check_in(event_id=event.pk, code=code(second), staff=door).verdict == "already_used"
    wrong = typed[:-1] + ("A" if typed[-1] != "A" else "B")
    assert check_in(event_id=event.pk, code=wrong, staff=door).verdict == "unknown"
    assert check_in(event_id=event.pk, code=f"{order.reference}-3-AAAAAAAA", staff=door).verdict == "unknown"
    assert check_in(event_id=event.pk, code="NOSUCHRF-1-AAAAAAAA", staff=door).verdict == "unknown"


def test_check_in_refuses_what_is_not_for_this_event_and_tells_nothing_of_its_buyer(sold):
    _, _, door, first, _ = sold
    other = make_sale()
    assert check_in(event_id=other.pk, code=code(first), staff=door) == Scan(
        "wrong_event", "This ticket is for another event."
    )
    first.refresh_from_db()
    assert first.state == "valid"


def test_check_in_refuses_refunded_reissued_forged_and_unknown_codes(sold):
    event, order, door, first, second = sold
    purchase.refund_order(order_id=order.pk, line_ids=[first.line_id], reason="Ill", actor="staff:1")
    assert check_in(event_id=event.pk, code=code(first), staff=door).verdict == "refunded"

    old = code(second)
    Ticket.objects.filter(pk=second.pk).update(serial=2)
    assert check_in(event_id=event.pk, code=old, staff=door).verdict == "reissued"
    assert check_in(event_id=event.pk, code=code(second, serial=2), staff=door).verdict == "admitted"

    forged = code(second)[:-1] + ("A" if code(second)[-1] != "A" else "B")
    assert check_in(event_id=event.pk, code=forged, staff=door).verdict == "forged"
    unknown = code(second, ticket_id=event.pk)
    assert check_in(event_id=event.pk, code=unknown, staff=door).verdict == "unknown"


@pytest.mark.parametrize("text", ["", "hello", "\x00-1-AAAAAAAA", "ä" * 160, "-" * 5000, "A-1-" + "ß" * 8])
def test_check_in_survives_any_text(sold, text):
    event, _, door, _, _ = sold
    assert check_in(event_id=event.pk, code=text, staff=door).verdict == "forged"
    assert not Ticket.objects.filter(state="used").exists()


@pytest.mark.django_db(transaction=True)
def test_ten_doors_at_the_same_moment_admit_one_person():
    event = make_sale()
    order = buy(event, [12])
    door = factories.make_member(event.organizer, role=Membership.Role.DOOR)
    ticket = Ticket.objects.get(line__order=order)
    start = threading.Barrier(10)

    def scan(_: int) -> str:
        start.wait(10)
        try:
            return check_in(event_id=event.pk, code=code(ticket), staff=door).verdict
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as doors:
        verdicts = sorted(doors.map(scan, range(10)))
    assert verdicts == ["admitted"] + ["already_used"] * 9


def test_the_page_admits_and_answers_in_html_and_json(sold, client):
    event, _, door, first, second = sold
    client.force_login(door)
    page = reverse("entry-event", args=[event.pk])
    html = client.post(page, {"code": code(first)}).content.decode()
    assert 'data-result="admitted"' in html
    assert "Stalls, row B, seat 3" in html
    told = client.post(page, {"code": code(second)}, headers={"Accept": "application/json"}).json()
    assert (told["result"], told["title"], told["admitted"], told["tickets"]) == ("admitted", "Let in", 2, 2)
    assert [one["place"] for one in told["last"]] == ["Stalls B 4", "Stalls B 3"]
    assert 'data-result="ready"' in client.get(page).content.decode()


def test_the_door_is_for_members_of_the_organizer_only(sold, client):
    event, _, door, first, _ = sold
    page = reverse("entry-event", args=[event.pk])
    assert client.get(page)["Location"].startswith("/accounts/login/")
    stranger = factories.make_member(factories.make_organizer(), role=Membership.Role.MANAGER)
    client.force_login(stranger)
    assert client.post(page, {"code": code(first)}).status_code == 403
    assert client.get(page).status_code == 403
    assert event.name not in client.get(reverse("entry")).content.decode()
    first.refresh_from_db()
    assert first.state == "valid"
    client.force_login(door)
    assert event.name in client.get(reverse("entry")).content.decode()
    door.is_active = False
    door.save()
    assert client.get(page).status_code == 302


def test_an_unknown_event_has_no_door(sold, client):
    client.force_login(sold[2])
    assert client.get(reverse("entry-event", args=[sold[1].pk])).status_code == 404
