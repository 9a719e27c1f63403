"""What a payment's news means for the seats: in time, late, twice, or never.

The provider is asked and told outside, between these short transactions. All of them take the fan's turn first and then
decide under the seats' locks, so the same news may come in any number of times, in any order.

| the provider says | the seats are | then |
|---|---|---|
| authorised | ours, or free to take again | `begin_capture` answers "capture", `confirm_payment` follows |
| authorised | somebody else's | "void": the order ends, the buyer is offered seats as near and as dear |
| captured | ours, or free to take again | `confirm_payment` sells them |
| captured | somebody else's | `confirm_payment` asks for one refund of everything |
| failed | ours | `fail_payment`: the seats stay held to the hold's own end |
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from inventory import audit
from inventory.messages import publish
from inventory.models import Hold, Order, OrderLine, Payment, Refund, Ticket
from inventory.purchase.pictures import nearest_groups
from inventory.purchase.refusals import OrderUnknown
from inventory.purchase.releases import end_holds
from inventory.purchase.turns import (
    HELD,
    PAYING,
    SOLD,
    Turn,
    lock_seats,
    move_seats,
    take_turn,
    tell_after_commit,
)

log = logging.getLogger(__name__)

SALEABLE = (Order.State.PENDING, Order.State.EXPIRED)
LIVE_HOLDS = (Hold.State.LIVE, Hold.State.PAYING)

ACTOR = "system:payments"
CAPTURE_SECONDS = 120
"""How long seats are kept, from the decision to capture, for the provider's answer: longer than our time-outs."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What to do with an authorised payment. `alternatives` are for the buyer whose seats are gone."""

    action: Literal["capture", "void", "refund", "none"]
    payment: Payment
    order: Order
    alternatives: tuple[tuple[int, ...], ...] = ()


def begin_capture(*, payment_id: UUID, provider_id: str = "") -> Capture:
    """Decide what becomes of a payment that the provider has authorised, and return it.

    "capture": the seats are this order's and stay so for two minutes, while the caller tells the provider; an expired
    hold has taken its seats again if all were free and the fan's limit has room. "void": they are somebody else's, or
    the order has ended, was changed or is paid already. "none": this payment is captured already. `OrderUnknown` for a
    made-up id.
    """
    with transaction.atomic(durable=True):
        turn, payment = _payment_turn(payment_id)
        order, hold = payment.order, payment.order.hold
        if payment.state in (Payment.State.CAPTURED, Payment.State.VOIDED):
            return Capture("none" if payment.state == Payment.State.CAPTURED else "void", payment, order)
        payment.provider_id = provider_id or payment.provider_id
        until = max(hold.expires_at, turn.now + timedelta(seconds=CAPTURE_SECONDS))
        is_ours = order.state in SALEABLE and _retake(turn, order, payment, until)
        if is_ours:
            payment.state, payment.reason = Payment.State.AUTHORISED, ""
            order.state = Order.State.PENDING
            hold.state, hold.expires_at = Hold.State.PAYING, until
            hold.save(update_fields=["state", "expires_at"])
        else:
            payment.state, payment.reason = Payment.State.VOIDED, "The seats are no longer this order's."
            if order.state == Order.State.PENDING and (hold.state not in LIVE_HOLDS or hold.expires_at <= turn.now):
                order.state = Order.State.EXPIRED
        order.save(update_fields=["state"])
        payment.save(update_fields=["state", "reason", "provider_id"])
        _log(turn, f"payment.{payment.state}", payment.id, order=str(order.id), reason=payment.reason)
        tell_after_commit(turn.event_id, turn.fan)
    if is_ours:
        return Capture("capture", payment, order)
    return Capture("void", payment, order, nearest_groups(order.event_id, hold.seats, hold.seats))


def confirm_payment(*, payment_id: UUID, provider_id: str) -> Order:
    """Record that the provider has the money, sell the seats, and return the order; once or twenty times is the same.

    Sold: the lines are active, the tickets exist and `order.paid` is in the outbox, all in this transaction. If the
    seats cannot be had any more, or another payment has bought them, one refund of the whole amount is asked for
    instead: then the order's state is not `paid`, or the payment is not the one that paid it. `OrderUnknown` for a
    made-up id.
    """
    with transaction.atomic(durable=True):
        turn, payment = _payment_turn(payment_id)
        order, hold = payment.order, payment.order.hold
        if payment.state == Payment.State.CAPTURED:
            return order
        payment.state, payment.reason, payment.captured_at = Payment.State.CAPTURED, "", turn.now
        payment.provider_id = provider_id or payment.provider_id
        payment.save(update_fields=["state", "reason", "captured_at", "provider_id"])
        _log(turn, "payment.captured", payment.id, order=str(order.id), amount=payment.amount)
        until = max(hold.expires_at, turn.now + timedelta(seconds=CAPTURE_SECONDS))
        if order.state in SALEABLE and _retake(turn, order, payment, until):
            _sell(turn, order, hold)
        else:
            _give_back(turn, order, payment)
        tell_after_commit(turn.event_id, turn.fan)
        return order


def fail_payment(*, payment_id: UUID, reason: str) -> None:
    """Record that a payment came to nothing; its seats stay held to the hold's own end, for another try.

    Nothing happens to a payment that is captured, voided or failed already. `OrderUnknown` for a made-up id.
    """
    with transaction.atomic(durable=True):
        turn, payment = _payment_turn(payment_id)
        order, hold = payment.order, payment.order.hold
        if payment.state not in (Payment.State.STARTED, Payment.State.AUTHORISED):
            return
        payment.state, payment.reason = Payment.State.FAILED, reason[:200]
        payment.save(update_fields=["state", "reason"])
        _log(turn, "payment.failed", payment.id, order=str(order.id), reason=payment.reason)
        if hold.state == Hold.State.PAYING and not _open_payments(order).exists():
            seats = [s for s in lock_seats(turn.event_id, hold.seats) if s.belongs_to(hold.id) and s.state == PAYING]
            move_seats(
                turn.event_id,
                [seat.index for seat in seats],
                edge=(PAYING, HELD),
                hold=(hold.id, hold.id),
                held_until=hold.expires_at,
            )
            hold.state = Hold.State.LIVE
            hold.save(update_fields=["state"])
        tell_after_commit(turn.event_id, turn.fan)


def _payment_turn(payment_id: UUID) -> tuple[Turn, Payment]:
    """Take the turn of the payment's buyer and return it with the payment, its order and its hold as they are now."""
    found = Payment.objects.filter(id=payment_id).values_list("order__event_id", "order__fan").first()
    if found is None:
        raise OrderUnknown
    turn = take_turn(event_id=found[0], fan=found[1], actor=ACTOR)
    return turn, Payment.objects.select_related("order__hold").get(id=payment_id)


def _open_payments(order: Order) -> QuerySet[Payment]:
    return order.payments.filter(state__in=[Payment.State.STARTED, Payment.State.AUTHORISED])


def _retake(turn: Turn, order: Order, payment: Payment, until: datetime) -> bool:
    """Bring all seats of the order to `paying` until then, taking again what is free; False, and no change, if not all.

    Not if the event is cancelled, nor if the buyer has chosen other seats since, so that the money does not fit. A fan
    whose hold has ended gets its seats again only if his limit has room, and not while another hold of his lives: he is
    choosing anew.
    """
    hold = order.hold
    if turn.sale == "cancelled":
        return False
    if payment.amount != order.total or sorted(order.lines.values_list("index", flat=True)) != hold.seats:
        return False
    others = list(Hold.objects.filter(event=turn.event_id, fan=turn.fan, state__in=LIVE_HOLDS).exclude(id=hold.id))
    if any(other.expires_at > turn.now for other in others):
        return False
    if hold.state not in LIVE_HOLDS and _owned(turn) + len(hold.seats) > turn.max_per_fan:
        return False
    # One statement for all of them, because two would not lock in one order.
    locked = lock_seats(turn.event_id, {*hold.seats, *(index for other in others for index in other.seats)})
    seats = [seat for seat in locked if seat.index in set(hold.seats)]
    if len(seats) != len(hold.seats) or not all(seat.belongs_to(hold.id) or seat.is_open for seat in seats):
        return False
    lost = [seat for seat in seats if not seat.belongs_to(hold.id)]
    for state, holder in {(seat.state, seat.hold) for seat in lost}:
        indexes = [seat.index for seat in lost if (seat.state, seat.hold) == (state, holder)]
        move_seats(turn.event_id, indexes, edge=(state, HELD), hold=(holder, hold.id), held_until=until)
    end_holds(others)
    paying = {seat.index for seat in seats if seat.belongs_to(hold.id) and seat.state == PAYING}
    move_seats(
        turn.event_id,
        set(hold.seats) - paying,
        edge=(HELD, PAYING),
        hold=(hold.id, hold.id),
        held_until=until,
    )
    if until != hold.expires_at:
        move_seats(turn.event_id, paying, edge=(PAYING, PAYING), hold=(hold.id, hold.id), held_until=until)
    return True


def _owned(turn: Turn) -> int:
    return OrderLine.objects.filter(order__event=turn.event_id, order__fan=turn.fan, active=True).count()


def _sell(turn: Turn, order: Order, hold: Hold) -> None:
    """Sell the seats that `_retake` has just brought to `paying`: seats, lines, tickets, order, message."""
    move_seats(turn.event_id, hold.seats, edge=(PAYING, SOLD), hold=(hold.id, None), order=(None, order.id))
    order.lines.update(active=True)
    tickets = Ticket.objects.bulk_create(
        Ticket(line=line, event_id=order.event_id) for line in order.lines.order_by("index")
    )
    hold.state = Hold.State.BOUGHT
    hold.save(update_fields=["state"])
    order.state, order.paid_at = Order.State.PAID, turn.now
    order.save(update_fields=["state", "paid_at"])
    _log(turn, "order.paid", order.id, total=order.total, currency=order.currency)
    _log(turn, "ticket.issued", order.id, tickets=[str(ticket.id) for ticket in tickets])
    publish("order.paid", {"order": str(order.id), "event": str(order.event_id)})


def _give_back(turn: Turn, order: Order, payment: Payment) -> None:
    """Ask for the refund of money that came for seats that are gone, or came twice."""
    refund = Refund.objects.create(
        payment=payment,
        amount=payment.amount,
        currency=payment.currency,
        reason="The seats were no longer available when the payment came in.",
    )
    if order.state in (Order.State.EXPIRED, Order.State.CANCELLED) or (
        order.state == Order.State.PENDING and order.hold.expires_at <= turn.now
    ):
        order.state = Order.State.REFUNDED
        order.save(update_fields=["state"])
    log.error("Payment %s came in for seats that are gone; refund %s was asked for.", payment.id, refund.id)
    _log(turn, "refund.requested", refund.id, order=str(order.id), payment=str(payment.id), amount=refund.amount)
    publish("refund.requested", {"refund": str(refund.id), "event": str(order.event_id)})


def _log(turn: Turn, action: str, subject: UUID, **detail: Any) -> None:
    audit.record(
        actor=ACTOR,
        action=action,
        subject=subject,
        event_id=turn.event_id,
        organizer_id=turn.organizer_id,
        detail=detail,
    )
