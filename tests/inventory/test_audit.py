"""The books: a sale leaves them right, and every way to break them is found and named."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from inventory import audit, purchase
from inventory.invariants import INVARIANTS
from inventory.models import AuditEntry, Hold
from tests.inventory.box_office import buy, make_sale, new_fan

pytestmark = pytest.mark.django_db(transaction=True)


def run_sale():
    """Make an event with a bit of everything in it; return it and its paid order."""
    event = make_sale()
    order = buy(event, new_fan(), 1, 2)
    refunded = buy(event, new_fan(), 3, 4)
    purchase.refund_order(order_id=refunded.id, line_ids=[refunded.lines.first().id], reason="asked", actor="staff:1")
    held = purchase.hold_seats(event_id=event.id, fan=(fan := new_fan()), indexes=[5, 6])
    purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")
    purchase.hold_seats(event_id=event.id, fan=new_fan(), indexes=[7])
    purchase.block_seats(event_id=event.id, indexes=[8], actor="staff:1")
    return event, order


def test_a_sale_leaves_every_invariant_whole():
    run_sale()
    assert audit.broken_invariants() == []
    out = StringIO()
    call_command("check_inventory", stdout=out)
    assert f"All {len(INVARIANTS)} hold." in out.getvalue()


BREAKAGES = [
    ("I1", "UPDATE inventory_hold SET seats = seats || 20 WHERE state = 'live'"),
    ("I1", "UPDATE inventory_hold SET state = 'released' WHERE state = 'live'"),
    ("I1", "UPDATE inventory_order SET state = 'cancelled' WHERE state = 'paid'"),
    ("I1", "UPDATE inventory_orderline SET active = false WHERE index = 1"),
    ("I1", "UPDATE inventory_orderline SET active = true WHERE index = 5"),
    ("I2", "DELETE FROM inventory_seat WHERE index = 59"),
    ("I3", "UPDATE events_event SET max_per_fan = 1"),
    ("I4", "UPDATE inventory_payment SET amount = amount - 1 WHERE state = 'captured'"),
    ("I4", "UPDATE inventory_payment SET currency = 'USD' WHERE state = 'captured'"),
    (
        "I5",
        "UPDATE inventory_payment SET state = 'captured', captured_at = '2020-01-01Z' WHERE state = 'started'",
    ),
    ("I5", "UPDATE inventory_payment SET state = 'failed' WHERE state = 'captured'"),
    ("I6", "UPDATE inventory_ticket SET state = 'void'"),
    ("I6", "UPDATE inventory_ticket SET used_at = now()"),
    ("I8", "UPDATE inventory_hold SET state = 'live' WHERE state = 'bought'"),
    ("I9", "UPDATE inventory_hold SET expires_at = now() - interval '2 minutes' WHERE state = 'live'"),
    ("I12", "UPDATE inventory_outbox SET due_at = now() - interval '2 minutes'"),
    ("I12", "UPDATE inventory_seatchange SET at = now() - interval '2 minutes'"),
    ("I17", "UPDATE inventory_refund SET amount = 1000000"),
]


@pytest.mark.parametrize(("number", "breakage"), BREAKAGES)
def test_a_broken_book_is_named(number, breakage):
    run_sale()
    with connection.cursor() as cursor:
        cursor.execute(breakage)
        assert cursor.rowcount > 0
    breaches = audit.broken_invariants()
    assert number in {breach.number for breach in breaches}
    assert all(breach.rows for breach in breaches)
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("check_inventory", stdout=out, stderr=StringIO())
    assert caught.value.code == 1
    assert f"{number:>4}  BROKEN" in out.getvalue()


def test_a_move_off_the_edges_is_found_in_the_log():
    event, _ = run_sale()
    audit.record(
        actor="system:test",
        action="seat.sold",
        subject=uuid4(),
        event_id=event.id,
        detail={"from": 0, "to": 3, "seats": [9]},
    )
    assert [breach.number for breach in audit.broken_invariants()] == ["I8"]


def test_a_ticket_admitted_twice_is_found_in_the_log():
    for _ in range(2):
        audit.record(actor="staff:1", action="ticket.admitted", subject="a-ticket")
    (breach,) = audit.broken_invariants()
    assert (breach.number, breach.rows) == ("I6", ({"ticket": "a-ticket", "times": 2},))


def test_the_check_reads_and_writes_nothing():
    run_sale()
    before = AuditEntry.objects.count(), Hold.objects.count()
    audit.broken_invariants()
    assert (AuditEntry.objects.count(), Hold.objects.count()) == before


def test_every_seat_transition_is_in_the_log_with_its_actor():
    event = make_sale()
    fan = new_fan()
    order = buy(event, fan, 1)
    purchase.refund_order(order_id=order.id, reason="asked", actor="staff:7")
    found = AuditEntry.objects.filter(event_id=event.id, action__startswith="seat.").order_by("id")
    assert [(e.actor, e.action, e.detail["from"], e.detail["to"]) for e in found] == [
        (f"fan:{fan}", "seat.held", 0, 1),
        (f"fan:{fan}", "seat.paying", 1, 2),
        ("system:payments", "seat.sold", 2, 3),
        ("staff:7", "seat.freed", 3, 0),
    ]
