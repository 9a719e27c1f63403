"""Holding seats: what is granted, what is refused, and that a refusal changes nothing."""

import re
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from events.models import Event, SaleWindow
from inventory import availability, purchase
from inventory.models import AuditEntry, FanLimit, Hold, Seat, SeatChange
from tests import factories
from tests.inventory.box_office import everything, make_sale, new_fan, run_out, states

pytestmark = pytest.mark.django_db(transaction=True)

PRESALE = {"access": SaleWindow.Access.PRESALE}


def refused(kind, verb, **arguments):
    """Return the refusal, having checked that it changed nothing."""
    availability.forget()
    before = everything()
    with pytest.raises(kind) as caught:
        verb(**arguments)
    assert type(caught.value) is kind
    assert everything() == before
    return caught.value


def test_hold_seats_holds_exactly_these():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[13, 12, 40])
    assert [(s.index, s.tier, s.amount) for s in held.seats] == [(12, 0, 9000), (13, 0, 9000), (40, 1, 4500)]
    assert (held.total, held.currency, held.extendable, held.is_paying) == (22500, "EUR", True, False)
    assert held.expires_at - held.at < timedelta(seconds=600)
    assert held.expires_at - held.at > timedelta(seconds=599)
    hold = Hold.objects.get()
    assert (hold.id, hold.fan, hold.state, hold.seats) == (held.hold_id, fan, "live", [12, 13, 40])
    seats = Seat.objects.filter(event=event, index__in=[12, 13, 40])
    assert {(s.state, s.hold, s.held_until, s.version) for s in seats} == {(1, held.hold_id, held.expires_at, 1)}
    assert Seat.objects.filter(event=event, state=0, version=0).count() == 57
    found = purchase.live_hold(event_id=event.id, fan=fan)
    assert found is not None
    assert (found.hold_id, found.seats, found.expires_at) == (held.hold_id, held.seats, held.expires_at)


def test_hold_seats_leaves_changes_and_audit():
    event, fan = make_sale(), new_fan()
    SeatChange.objects.all().delete()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[5, 6])
    changes = SeatChange.objects.values_list("event_id", "index", "state", "version")
    assert sorted(changes) == [(event.id, 5, 1, 1), (event.id, 6, 1, 1)]
    entry = AuditEntry.objects.get(action="seat.held")
    assert (entry.actor, entry.event_id, entry.subject) == (f"fan:{fan}", event.id, str(held.hold_id))
    assert entry.detail == {"from": 0, "to": 1, "seats": [5, 6]}


def test_hold_seats_adds_to_the_live_hold_and_keeps_its_clock():
    event, fan = make_sale(), new_fan()
    first = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[12])
    second = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[10, 12])
    assert (second.hold_id, second.expires_at) == (first.hold_id, first.expires_at)
    assert second.indexes == [10, 12]
    assert Seat.objects.get(event=event, index=12).version == 1
    assert Hold.objects.get().seats == [10, 12]


def test_hold_seats_is_all_or_nothing():
    event, winner, loser = make_sale(), new_fan(), new_fan()
    purchase.hold_seats(event_id=event.id, fan=winner, indexes=[21])
    refusal = refused(purchase.SeatsTaken, purchase.hold_seats, event_id=event.id, fan=loser, indexes=[20, 21])
    assert refusal.extra["taken"] == [21]
    assert (refusal.status, refusal.code) == (409, "seats_taken")
    assert all(len(group) == 2 and 21 not in group for group in refusal.extra["alternatives"])
    assert len(refusal.extra["alternatives"]) == 3


def test_hold_seats_takes_over_an_expired_hold_in_place():
    event, slow, quick = make_sale(), new_fan(), new_fan()
    old = purchase.hold_seats(event_id=event.id, fan=slow, indexes=[30, 31])
    run_out(old.hold_id)
    held = purchase.hold_seats(event_id=event.id, fan=quick, indexes=[31])
    assert states(event, 30, 31) == [1, 1]
    assert Seat.objects.get(event=event, index=31).hold == held.hold_id
    assert purchase.live_hold(event_id=event.id, fan=slow) is None
    assert purchase.expire_holds() == 1
    assert states(event, 30, 31) == [0, 1]


def test_hold_seats_begins_anew_when_the_own_hold_ran_out():
    event, fan = make_sale(), new_fan()
    old = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[30, 31])
    run_out(old.hold_id)
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[31, 32])
    assert held.hold_id != old.hold_id
    assert held.indexes == [31, 32]
    assert states(event, 30, 31, 32) == [0, 1, 1]
    assert sorted(Hold.objects.values_list("state", flat=True)) == ["expired", "live"]


@pytest.mark.parametrize(
    ("indexes", "kind"),
    [
        ([], purchase.NoSeatsNamed),
        ([3, 3], purchase.SeatsRepeated),
        ([-1], purchase.SeatOutOfRange),
        ([60], purchase.SeatOutOfRange),
        ([10**18], purchase.SeatOutOfRange),
        (list(range(51)), purchase.TooManySeats),
        (list(range(10_000)), purchase.TooManySeats),
    ],
)
def test_hold_seats_refuses_impossible_indexes(indexes, kind):
    event = make_sale()
    refused(kind, purchase.hold_seats, event_id=event.id, fan=new_fan(), indexes=indexes)


def test_hold_seats_refuses_past_the_limit():
    event, fan = make_sale(max_per_fan=3), new_fan()
    purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1, 2])
    refusal = refused(purchase.LimitReached, purchase.hold_seats, event_id=event.id, fan=fan, indexes=[3, 4])
    assert refusal.extra == {"limit": 3, "used": 2}
    assert purchase.hold_seats(event_id=event.id, fan=fan, indexes=[3]).indexes == [1, 2, 3]


def test_hold_seats_refuses_unknown_events_and_drafts():
    draft = make_sale(status=Event.Status.DRAFT)
    for event_id in (uuid4(), draft.id):
        refused(purchase.EventUnknown, purchase.hold_seats, event_id=event_id, fan=new_fan(), indexes=[1])


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"status": Event.Status.CANCELLED}, "cancelled"),
        ({"sale_switch": Event.SaleSwitch.CLOSED}, "closed"),
        ({"sale_switch": Event.SaleSwitch.PAUSED}, "paused"),
        ({"windows": [{"opens_in": timedelta(hours=1)}]}, "upcoming"),
        ({"windows": [{"closes_in": timedelta(minutes=-1)}]}, "closed"),
        ({"windows": []}, "closed"),
    ],
)
def test_hold_seats_refuses_outside_the_sale(fields, state):
    event = make_sale(**fields)
    refusal = refused(purchase.SaleClosed, purchase.hold_seats, event_id=event.id, fan=new_fan(), indexes=[1])
    assert refusal.extra == {"state": state}


def test_hold_seats_in_a_presale_binds_the_code_to_the_fan():
    event = make_sale(windows=[{**PRESALE, "codes": ["EARLY"]}])
    fan, other = new_fan(), new_fan()
    want = {"event_id": event.id, "fan": fan, "indexes": [1]}
    refused(purchase.PresaleCodeNeeded, purchase.hold_seats, **want)
    refused(purchase.PresaleCodeInvalid, purchase.hold_seats, **want, presale_code="LATE")
    purchase.hold_seats(**want, presale_code=" EARLY ")
    assert purchase.hold_seats(event_id=event.id, fan=fan, indexes=[2]).indexes == [1, 2]
    assert FanLimit.objects.get(fan=fan).presale_code.code == "EARLY"
    refused(purchase.PresaleCodeInvalid, purchase.hold_seats, **want | {"fan": other}, presale_code="EARLY")


def test_hold_seats_refuses_a_code_of_another_window():
    event = make_sale(windows=[PRESALE, {**PRESALE, "opens_in": timedelta(hours=1), "codes": ["SOON"]}])
    other = make_sale(windows=[{**PRESALE, "codes": ["OTHER"]}])
    for code in ("SOON", "OTHER"):
        refused(
            purchase.PresaleCodeInvalid,
            purchase.hold_seats,
            event_id=event.id,
            fan=new_fan(),
            indexes=[1],
            presale_code=code,
        )
    assert other.windows.get().codes.get().code == "OTHER"


def test_hold_seats_refuses_sold_seats_without_the_database():
    event = make_sale()
    Seat.objects.filter(event=event, index=7).update(state=4, version=1)
    availability.forget()
    availability.plane(event.id)
    with CaptureQueriesContext(connection) as queries, pytest.raises(purchase.SeatsTaken) as caught:
        purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[7, 8])
    assert caught.value.extra["taken"] == [7]
    assert not [q for q in queries.captured_queries if "inventory" in q["sql"]]


@pytest.mark.parametrize("indexes", [[4], [4, 5, 6]])
def test_hold_seats_costs_two_statements_and_locks_in_order(indexes):
    event, fan = make_sale(), new_fan()
    availability.plane(event.id)
    with CaptureQueriesContext(connection) as queries:
        purchase.hold_seats(event_id=event.id, fan=fan, indexes=indexes)
    sql = [q["sql"] for q in queries.captured_queries]
    begin, turn, claim, commit = sql[:4]
    assert begin == "BEGIN"
    assert commit == "COMMIT"
    assert "INSERT INTO inventory_fanlimit" in turn
    assert re.search(r"ORDER BY s\.index\s+FOR UPDATE NOWAIT", claim)
    assert claim.index("FOR UPDATE NOWAIT") < claim.index("UPDATE inventory_seat s")
    assert claim.count("FOR UPDATE NOWAIT") == 1
    assert all("UPDATE" not in later for later in sql[4:])


def test_extend_hold_adds_time_once():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1, 2])
    longer = purchase.extend_hold(hold_id=held.hold_id, fan=fan)
    assert longer.expires_at == held.expires_at + timedelta(seconds=300)
    assert not longer.extendable
    assert set(Seat.objects.filter(hold=held.hold_id).values_list("held_until", flat=True)) == {longer.expires_at}
    refused(purchase.AlreadyExtended, purchase.extend_hold, hold_id=held.hold_id, fan=fan)


def test_extend_hold_refuses_what_is_over_or_not_his():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1, 2])
    refused(purchase.HoldUnknown, purchase.extend_hold, hold_id=held.hold_id, fan=new_fan())
    refused(purchase.HoldUnknown, purchase.extend_hold, hold_id=uuid4(), fan=fan)
    run_out(held.hold_id)
    refused(purchase.HoldExpired, purchase.extend_hold, hold_id=held.hold_id, fan=fan)


def test_release_hold_frees_a_part_and_then_the_rest():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1, 2, 3])
    left = purchase.release_hold(hold_id=held.hold_id, fan=fan, indexes=[2, 50])
    assert left is not None
    assert left.indexes == [1, 3]
    assert left.expires_at == held.expires_at
    assert states(event, 1, 2, 3) == [1, 0, 1]
    assert purchase.release_hold(hold_id=held.hold_id, fan=fan) is None
    assert purchase.release_hold(hold_id=held.hold_id, fan=fan) is None
    assert states(event, 1, 2, 3) == [0, 0, 0]
    assert Hold.objects.get().state == "released"
    refused(purchase.HoldUnknown, purchase.release_hold, hold_id=held.hold_id, fan=new_fan())


def test_release_hold_leaves_seats_that_somebody_took_over():
    event, fan, other = make_sale(), new_fan(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1, 2])
    run_out(held.hold_id)
    purchase.hold_seats(event_id=event.id, fan=other, indexes=[2])
    assert purchase.release_hold(hold_id=held.hold_id, fan=fan) is None
    assert states(event, 1, 2) == [0, 1]


def test_expire_holds_frees_only_what_is_over():
    event = make_sale()
    over = [purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[i]) for i in (1, 2, 3)]
    live = purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[4])
    for held in over:
        run_out(held.hold_id)
    assert purchase.expire_holds(limit=2) == 2
    assert purchase.expire_holds() == 1
    assert purchase.expire_holds() == 0
    assert states(event, 1, 2, 3, 4) == [0, 0, 0, 1]
    assert Hold.objects.get(id=live.hold_id).state == "live"
    assert AuditEntry.objects.filter(action="hold.expired", actor="system:sweeper").count() == 3


def test_hold_best_takes_neighbours_that_fit():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_best(event_id=event.id, fan=fan, quantity=3)
    first = held.indexes[0]
    assert held.indexes == [first, first + 1, first + 2]
    assert first // 10 == (first + 2) // 10
    assert first not in (0, 1)
    cheap = purchase.hold_best(event_id=event.id, fan=new_fan(), quantity=2, max_amount=5000)
    assert {seat.tier for seat in cheap.seats} == {1}
    assert purchase.hold_best(event_id=event.id, fan=new_fan(), quantity=2, accessible=True).indexes == [0, 1]
    tier = purchase.hold_best(event_id=event.id, fan=new_fan(), quantity=2, tiers=[1])
    assert {seat.tier for seat in tier.seats} == {1}


def test_hold_best_in_a_standing_section_takes_any_places():
    event, fan = make_sale(standing=30, max_per_fan=30), new_fan()
    held = purchase.hold_best(event_id=event.id, fan=fan, quantity=30, section=2)
    assert held.indexes == list(range(60, 90))
    refused(purchase.NoSeatsTogether, purchase.hold_best, event_id=event.id, fan=new_fan(), quantity=1, section=2)


def test_hold_best_looks_again_when_its_picture_is_old():
    event = make_sale(rows=1, balcony=False)
    availability.forget()
    availability.plane(event.id)
    for index in (2, 3, 4, 5):
        purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[index])
    held = purchase.hold_best(event_id=event.id, fan=new_fan(), quantity=4)
    assert held.indexes == [6, 7, 8, 9]


def test_hold_best_refuses_and_changes_nothing():
    event = make_sale(rows=1, balcony=False)
    want = {"event_id": event.id, "fan": new_fan()}
    refused(purchase.NoSeatsTogether, purchase.hold_best, **want, quantity=11)
    refused(purchase.NoSeatsNamed, purchase.hold_best, **want, quantity=0)
    refused(purchase.TooManySeats, purchase.hold_best, **want, quantity=51)
    refused(purchase.SectionUnknown, purchase.hold_best, **want, quantity=1, section=1)
    refused(purchase.EventUnknown, purchase.hold_best, event_id=uuid4(), fan=new_fan(), quantity=1)
    refused(purchase.NoSeatsTogether, purchase.hold_best, **want, quantity=1, max_amount=1)
    refused(purchase.NoSeatsTogether, purchase.hold_best, event_id=factories.make_event().id, fan="f", quantity=1)
    small = make_sale(max_per_fan=2)
    refused(purchase.LimitReached, purchase.hold_best, event_id=small.id, fan=new_fan(), quantity=3)


def test_commit_with_writes_with_the_effect_or_not_at_all():
    event, fan = make_sale(), new_fan()
    seen = []
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1], commit_with=seen.append)
    assert seen == [held]

    def fail(_held):
        raise RuntimeError("the answer could not be stored")

    refused(RuntimeError, purchase.hold_seats, event_id=event.id, fan=fan, indexes=[2], commit_with=fail)


def test_block_seats_takes_only_what_is_open():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1])
    over = purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[2])
    run_out(over.hold_id)
    assert purchase.block_seats(event_id=event.id, indexes=[1, 2, 3], actor="staff:1") == 2
    assert states(event, 1, 2, 3) == [1, 4, 4]
    assert purchase.unblock_seats(event_id=event.id, indexes=[1, 2, 3], actor="staff:1") == 2
    assert states(event, 1, 2, 3) == [1, 0, 0]
    assert AuditEntry.objects.filter(actor="staff:1", action="seat.blocked").get().detail["seats"] == [2, 3]
    assert held.indexes == [1]


def test_seats_move_only_along_the_edges():
    event = make_sale()
    for fields in ({"state": 3, "order": uuid4(), "version": 1}, {"state": 4, "version": 0}):
        with pytest.raises(IntegrityError, match="cannot go from state 0"), transaction.atomic():
            Seat.objects.filter(event=event, index=1).update(**fields)


def test_no_hold_takes_a_seat_from_another_in_its_time():
    event = make_sale()
    held = purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[1])
    seat = Seat.objects.filter(event=event, index=1)
    take = partial(seat.update, hold=uuid4(), version=2)
    with pytest.raises(IntegrityError, match="cannot go from state 1"), transaction.atomic():
        take()
    assert seat.get().hold == held.hold_id
    run_out(held.hold_id)
    assert take() == 1


def test_audit_log_only_grows():
    make_sale()
    for act in (lambda rows: rows.update(actor="x"), lambda rows: rows.delete()):
        with pytest.raises(ProgrammingError, match="can only grow"), transaction.atomic():
            act(AuditEntry.objects.all())
