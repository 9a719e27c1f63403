"""Giving money back, and the seats with it."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from inventory import audit
from inventory.messages import publish
from inventory.models import Order, Payment, Refund, Ticket
from inventory.purchase.refusals import AlreadyRefunded, OrderNotPaid, OrderUnknown
from inventory.purchase.turns import FREE, SOLD, lock_seats, move_seats, take_turn, tell_after_commit


def refund_order(*, order_id: UUID, line_ids: Collection[int] | None = None, reason: str, actor: str) -> Refund:
    """Give these lines of a paid order back, or all of them: seats free, tickets void, one Refund asked for.

    The money is sent after the commit by whoever hears of `refund.requested`, under the refund's id. A line is refunded
    at most once, however many ask at the same time: `AlreadyRefunded`. Also refuses by `OrderUnknown`, `OrderNotPaid`.
    """
    found = Order.objects.filter(id=order_id).values_list("event_id", "fan").first()
    if found is None:
        raise OrderUnknown
    event_id, fan = found
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=event_id, fan=fan, actor=actor)
        order = Order.objects.get(id=order_id)
        if order.state == Order.State.REFUNDED:
            raise AlreadyRefunded
        if order.state != Order.State.PAID:
            raise OrderNotPaid(order.get_state_display().lower())
        active = list(order.lines.filter(active=True).order_by("index"))
        lines = [line for line in active if line_ids is None or line.id in line_ids]
        if not lines:
            raise AlreadyRefunded

        indexes = [line.index for line in lines]
        lock_seats(event_id, indexes)
        move_seats(event_id, indexes, edge=(SOLD, FREE), order=(order.id, None))
        ids = [line.id for line in lines]
        Ticket.objects.filter(line__in=ids).update(state=Ticket.State.VOID)
        payment = _paying(order)
        refund = Refund.objects.create(
            payment=payment,
            amount=sum(line.amount + line.fee for line in lines),
            currency=order.currency,
            reason=reason[:200],
        )
        order.lines.filter(id__in=ids).update(active=False, refund=refund)
        if len(lines) == len(active):
            order.state = Order.State.REFUNDED
            order.save(update_fields=["state"])
        about = {"event_id": event_id, "organizer_id": turn.organizer_id}
        audit.record_all(
            [
                audit.entry(
                    actor=actor,
                    action="order.refunded",
                    subject=order.id,
                    detail={"refund": str(refund.id), "amount": refund.amount, "seats": indexes, "reason": reason},
                    **about,
                ),
                audit.entry(actor=actor, action="ticket.voided", subject=order.id, detail={"seats": indexes}, **about),
            ]
        )
        publish("refund.requested", {"refund": str(refund.id), "event": str(event_id)})
        tell_after_commit(event_id, fan)
        return refund


def settle_refund(*, refund_id: UUID, provider_id: str) -> Refund:
    """Record that the provider has sent the money back, tell the buyer, and return the refund; twice is as once."""
    with transaction.atomic(durable=True):
        refund = Refund.objects.select_for_update().select_related("payment__order").get(id=refund_id)
        if refund.state == Refund.State.DONE:
            return refund
        refund.state, refund.provider_id, refund.done_at = Refund.State.DONE, provider_id, audit.clock()
        refund.save(update_fields=["state", "provider_id", "done_at"])
        refund.refresh_from_db(fields=["done_at"])
        order = refund.payment.order
        audit.record(
            actor="system:payments",
            action="refund.done",
            subject=refund.id,
            event_id=order.event_id,
            organizer_id=order.organizer_id,
            detail={"order": str(order.id), "amount": refund.amount},
        )
        publish("order.refunded", {"refund": str(refund.id)})
        return refund


def _paying(order: Order) -> Payment:
    """Return the payment that bought the order: of several captured ones the first; the others went back whole."""
    return order.payments.filter(state=Payment.State.CAPTURED).earliest("captured_at")
