"""Letting seats go: by the fan, or by the clock."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from inventory import audit
from inventory.models import Hold, Order, Payment
from inventory.purchase import statements
from inventory.purchase.held import CommitWith, Held, event_of, live_hold
from inventory.purchase.refusals import PaymentRunning
from inventory.purchase.turns import FREE, HELD, PAYING, lock_seats, move_seats, take_turn, tell_after_commit


def release_hold(
    *, hold_id: UUID, fan: str, indexes: Iterable[int] | None = None, commit_with: CommitWith = None
) -> Held | None:
    """Let go of these seats of the hold, or of all, and return what is left of it (None when nothing is).

    Letting go twice is as good as once. A hold that is being paid for is let go as a whole, which cancels its order and
    payment; `PaymentRunning` if only a part is asked for, or the money is on its way. `HoldUnknown` if it is not his.
    """
    event_id = event_of(hold_id, fan)
    with transaction.atomic(durable=True):
        take_turn(event_id=event_id, fan=fan, actor=f"fan:{fan}", lazy=True)
        hold = Hold.objects.get(id=hold_id)
        left: Held | None = None
        if hold.state in (Hold.State.LIVE, Hold.State.PAYING):
            going = set(hold.seats) if indexes is None else set(hold.seats).intersection(indexes)
            staying = [index for index in hold.seats if index not in going]
            if not staying:
                _cancel_order(hold)
            elif hold.state == Hold.State.PAYING:
                raise PaymentRunning
            free_seats(hold, going)
            hold.state, hold.seats = (hold.state, staying) if staying else (Hold.State.RELEASED, hold.seats)
            hold.save(update_fields=["state", "seats"])
            left = live_hold(event_id=event_id, fan=fan) if staying else None
        if commit_with:
            commit_with(left)
        tell_after_commit(event_id, fan, is_own_request=True)
        return left


def expire_holds(*, limit: int = 500) -> int:
    """Free the seats of up to `limit` holds whose time has passed, oldest first, and return how many holds it were.

    Nobody's correctness waits for this: an expired hold is taken over in place by whoever asks for its seats. It makes
    the picture true, and ends the orders that were waiting. Any number may run at once; a fan in the middle of
    something is left for the next time.
    """
    with transaction.atomic(durable=True):
        due = statements.rows(statements.DUE_HOLDS, {"limit": limit, "actor": "system:sweeper"})
        # Read again under the turns: a hold may have been prolonged or paid while its turn was being taken.
        holds = list(
            Hold.objects.filter(
                id__in=[row[0] for row in due], state__in=["live", "paying"], expires_at__lte=audit.clock()
            )
        )
        end_holds(holds)
        for hold in holds:
            tell_after_commit(hold.event_id, hold.fan)
        return len(holds)


def end_holds(holds: Sequence[Hold]) -> None:
    """End these holds, whose turns the caller has: first their orders and open payments, then their seats."""
    if not holds:
        return
    ids = [hold.id for hold in holds]
    waiting = list(Order.objects.filter(hold__in=ids, state=Order.State.PENDING))
    if waiting:
        # What the provider says of an open attempt later is a late payment: begin_capture, confirm_payment and the
        # reconciliation find it by its state, so the attempt is marked and stays open to be asked about.
        Payment.objects.filter(order__in=waiting, state=Payment.State.STARTED).update(
            reason="The time for these seats ran out."
        )
        Order.objects.filter(id__in=[order.id for order in waiting]).update(state=Order.State.EXPIRED)
    statements.write(statements.FREE_EXPIRED, {"holds": ids})
    Hold.objects.filter(id__in=ids).update(state=Hold.State.EXPIRED)
    audit.record_all(
        [
            audit.entry(actor="system:sweeper", action="hold.expired", subject=hold.id, event_id=hold.event_id)
            for hold in holds
        ]
        + [
            audit.entry(
                actor="system:sweeper",
                action="order.expired",
                subject=order.id,
                event_id=order.event_id,
                organizer_id=order.organizer_id,
            )
            for order in waiting
        ]
    )


def free_seats(hold: Hold, indexes: Iterable[int]) -> None:
    """Lock those of `indexes` that the hold still has and set them free; the caller has the fan's turn."""
    seats = [seat for seat in lock_seats(hold.event_id, indexes) if seat.belongs_to(hold.id)]
    for state in (HELD, PAYING):
        move_seats(
            hold.event_id,
            [seat.index for seat in seats if seat.state == state],
            edge=(state, FREE),
            hold=(hold.id, None),
        )


def _cancel_order(hold: Hold) -> None:
    """Cancel the order and the payment attempt of a hold before its seats go; not if the money is on its way."""
    order = Order.objects.filter(hold=hold, state=Order.State.PENDING).first()
    if order is None:
        return
    if order.payments.filter(state=Payment.State.AUTHORISED).exists():
        raise PaymentRunning
    order.payments.filter(state=Payment.State.STARTED).update(
        state=Payment.State.VOIDED, reason="The buyer let the seats go."
    )
    Order.objects.filter(id=order.id).update(state=Order.State.CANCELLED)
    audit.record(
        actor=f"fan:{hold.fan}",
        action="order.cancelled",
        subject=order.id,
        event_id=hold.event_id,
        organizer_id=order.organizer_id,
    )
