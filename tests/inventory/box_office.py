"""A sale to test with: an event with stock, fans, and what the tables say about them."""

from typing import Any
from uuid import UUID

from django.db import connection

from events.models import Event
from inventory import fan, purchase
from inventory.models import Hold, Seat
from inventory.stock import create_stock
from tests import factories


def make_sale(**fields: Any) -> Event:
    """Make an event on sale with its stock: by default 60 seats (40 at 90.00, 20 at 45.00)."""
    hall = {name: fields.pop(name) for name in ("rows", "standing", "balcony") if name in fields}
    event = factories.make_event(plan=factories.make_plan(**hall), **fields)
    create_stock(event)
    return event


def new_fan() -> str:
    """Return a fan nobody knows yet."""
    return fan.new_fan()


def states(event: Event, *indexes: int) -> list[int]:
    """Return the seats' states: 0 free, 1 held, 2 paying, 3 sold, 4 blocked."""
    found = dict(Seat.objects.filter(event=event, index__in=indexes).values_list("index", "state"))
    return [found[index] for index in indexes]


def run_out(hold_id: UUID) -> None:
    """Let the time of a hold pass, by the database's clock, without sweeping it."""
    with connection.cursor() as cursor:
        for table, column, key in (("inventory_hold", "expires_at", "id"), ("inventory_seat", "held_until", "hold")):
            cursor.execute(
                f"UPDATE {table} SET {column} = statement_timestamp() - interval '1 second' WHERE {key} = %s", [hold_id]
            )


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row that a sale may change, to compare before with after."""
    tables = (
        "inventory_seat",
        "inventory_hold",
        "inventory_fanlimit",
        "inventory_order",
        "inventory_orderline",
        "inventory_payment",
        "inventory_refund",
        "inventory_ticket",
        "inventory_outbox",
        "inventory_seatchange",
        "inventory_auditentry",
    )
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def buy(event: Event, who: str, *indexes: int, provider_id: str = "") -> Any:
    """Hold, order and pay these seats, and return the paid order."""
    held = purchase.hold_seats(event_id=event.id, fan=who, indexes=list(indexes))
    placed = purchase.place_order(hold_id=held.hold_id, fan=who, name="Ada Byron", email="ada@example.org")
    assert purchase.begin_capture(payment_id=placed.payment.id).action == "capture"
    order = purchase.confirm_payment(payment_id=placed.payment.id, provider_id=provider_id or str(placed.payment.id))
    assert Hold.objects.get(id=held.hold_id).state == "bought"
    return order
