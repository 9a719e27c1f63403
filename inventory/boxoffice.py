"""The organiser's verbs: what `events.sales` decides about a sale, with the stock, the messages and the log it needs.

Every verb is one durable transaction; the audit entry and the messages are written in it, and whoever watches the
event is told after it has committed. Refusals are those of `events.sales` and `inventory.purchase`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from events import sales
from events.models import Event
from inventory import audit, messages, purchase, relay
from inventory.models import Order
from inventory.stock import create_stock


class NothingToSend(purchase.Refusal):
    """The order has no tickets: it is not paid, or was refunded."""

    code, title = "order_not_paid", "No tickets to send"

    def __init__(self, state: str) -> None:
        super().__init__(f"This order is {state}: it has no tickets that could be sent.", state=state)


def publish_event(*, event_id: UUID, actor: str) -> int:
    """Make a draft public together with its stock, and return how many places it has. NotDraft, NotReady."""
    with _step(event_id, actor):
        return create_stock(sales.publish(event_id=event_id, actor=actor, record=audit.record))


def open_sale(*, event_id: UUID, actor: str) -> Event:
    """Let everybody buy from this moment. NotPublished, SaleStands."""
    return _change(sales.open_now, event_id=event_id, actor=actor)


def pause_sale(*, event_id: UUID, actor: str) -> Event:
    """Stop new holds for a while; fans who hold seats may still pay. NotPublished, SaleStands."""
    return _change(sales.pause, event_id=event_id, actor=actor)


def resume_sale(*, event_id: UUID, actor: str) -> Event:
    """Go on after a pause. NotPublished, SaleStands."""
    return _change(sales.resume, event_id=event_id, actor=actor)


def close_sale(*, event_id: UUID, actor: str) -> Event:
    """End the sale whatever its windows say. NotPublished, SaleStands."""
    return _change(sales.close, event_id=event_id, actor=actor)


def reopen_sale(*, event_id: UUID, actor: str) -> Event:
    """Take the closing back. NotPublished, SaleStands."""
    return _change(sales.reopen, event_id=event_id, actor=actor)


def reschedule_event(
    *, event_id: UUID, starts_at: datetime, doors_at: datetime | None, ends_at: datetime | None, actor: str
) -> Event:
    """Move the show to other times. NotPublished, TimesImpossible."""
    verb = partial(sales.reschedule, starts_at=starts_at, doors_at=doors_at, ends_at=ends_at)
    return _change(verb, event_id=event_id, actor=actor)


def cancel_event(*, event_id: UUID, reason: str, actor: str) -> Event:
    """Call the show off: the sale ends now, and every paid order is refunded afterwards, by workers. NotPublished.

    The refunds are one message in the outbox, so that thousands of them neither hold this transaction open nor get
    lost when a worker dies in their middle; `continue_refunds` sends it again.
    """
    with _step(event_id, actor):
        event = sales.cancel(event_id=event_id, actor=actor, reason=reason, record=audit.record)
        messages.publish("event.cancelled", {"event": str(event_id)})
        return event


def continue_refunds(*, event_id: UUID, actor: str) -> int:
    """Ask again for the refund of a cancelled event's orders; return how many are still paid. NotPublished."""
    with transaction.atomic(durable=True):
        event = Event.objects.select_for_update().get(pk=event_id)
        if event.status != Event.Status.CANCELLED:
            raise sales.NotPublished("This event is not cancelled.")
        left = Order.objects.filter(event=event, state=Order.State.PAID).count()
        if left:
            messages.publish("event.cancelled", {"event": str(event_id)})
            _record(actor, "event.refunds_continued", event, {"orders": left})
        return left


def resend_tickets(*, order_id: UUID, actor: str) -> Order:
    """Send an order's tickets to its buyer once more. OrderUnknown, NothingToSend."""
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update(of=("self",)).filter(pk=order_id).first()
        if order is None:
            raise purchase.OrderUnknown
        if order.state != Order.State.PAID:
            raise NothingToSend(order.state)
        messages.publish("order.resend", {"order": str(order_id)})
        audit.record(
            actor=actor,
            action="order.resent",
            subject=str(order_id),
            event_id=order.event_id,
            organizer_id=order.organizer_id,
            detail={"to": order.email},
        )
        return order


def _change(verb: Callable[..., Event], *, event_id: UUID, actor: str) -> Event:
    with _step(event_id, actor):
        return verb(event_id=event_id, actor=actor, record=audit.record)


@contextmanager
def _step(event_id: UUID, actor: str) -> Iterator[None]:
    """Open a verb's durable transaction: names the actor to the triggers, and tells the watchers once it commits."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('onsale.actor', %s, true)", [actor])
        yield
        messages.publish("sale.changed", {"event": str(event_id)})
        transaction.on_commit(partial(_tell_watchers, event_id))


def _tell_watchers(event_id: UUID) -> None:
    version = Event.objects.values_list("version", flat=True).get(pk=event_id)
    relay.hint(event_id)
    relay.announce(event_id, {"kind": "event", "version": version})


def _record(actor: str, action: str, event: Event, detail: dict[str, Any]) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=str(event.pk),
        event_id=event.pk,
        organizer_id=event.organizer_id,
        detail=detail,
    )
