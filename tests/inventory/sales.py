"""Ready-made sales for tests: an event with stock, a fan who holds, an order that is placed or paid."""

from typing import Any

from events.models import Event
from inventory import purchase
from inventory.fan import new_fan
from inventory.models import Order, Payment
from inventory.payments import process
from inventory.payments.sandbox import book
from inventory.payments.sandbox.cards import BY_NUMBER
from inventory.stock import create_stock
from tests import factories

SUCCESS = "4242424242424242"
POOR = "4000000000009995"
SECURE = "4000002500003155"
SLOW = "4000000000000077"
TIME_OUT = "4000000000000119"
REPEATED = "4000000000000259"
SILENT = "4000000000000341"


def make_sale(*, fee_basis_points: int = 500, fee_fixed: int = 50, **fields: Any) -> Event:
    """Make an event on sale with stock: stalls A to D at 90.00, balcony A and B at 45.00; fee 5 % and 0.50 a ticket."""
    organizer = fields.pop("organizer", None) or factories.make_organizer(
        fee_basis_points=fee_basis_points, fee_fixed=fee_fixed
    )
    event = factories.make_event(organizer=organizer, **fields)
    create_stock(event)
    return event


def place(event: Event, indexes: list[int], *, fan: str = "", email: str = "ada@example.org") -> purchase.Placed:
    """Hold these seats and place the order for them, its charge opened at the sandbox provider."""
    fan = fan or new_fan()
    held = purchase.hold_seats(event_id=event.pk, fan=fan, indexes=indexes)
    placed = purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada Lovelace", email=email)
    process.open_payment(payment_id=placed.payment.pk)
    placed.payment.refresh_from_db()
    return placed


def use_card(payment: Payment, number: str) -> None:
    """Enter a card at the provider's page."""
    book.pay(charge_id=payment.provider_id, card=BY_NUMBER[number])


def buy(event: Event, indexes: list[int], *, fan: str = "", email: str = "ada@example.org") -> Order:
    """Buy these seats with a card that succeeds, and return the paid order."""
    placed = place(event, indexes, fan=fan, email=email)
    use_card(placed.payment, SUCCESS)
    process.settle(placed.payment.pk)
    placed.order.refresh_from_db()
    assert placed.order.state == Order.State.PAID
    return placed.order
