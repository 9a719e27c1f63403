"""From a hold to an order that waits for its payment, and back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from events.models import PriceTier
from inventory import audit
from inventory.models import AuditEntry, Hold, Order, OrderLine, Payment, Seat
from inventory.purchase.held import check_live
from inventory.purchase.refusals import HoldUnknown, OrderNotPending, OrderUnknown, PaymentRunning, SaleClosed
from inventory.purchase.releases import free_seats
from inventory.purchase.turns import HELD, PAYING, Turn, lock_live_seats, move_seats, take_turn, tell_after_commit
from seating.plans import plan as plan_of

PAYMENT_SECONDS = 15 * 60
"""How long a buyer has from the first press on "pay": the one time that a hold's clock is lengthened by itself."""

REFERENCE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # Without 0 O, 1 I L and U, which are misheard and misread.
REFERENCE_LENGTH = 8
REFERENCE_TRIES = 5  # 6.5e11 references: at two million orders one try in 300,000 collides.

OPEN_PAYMENTS = (Payment.State.STARTED, Payment.State.AUTHORISED)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that waits for its payment, and the attempt to pay it."""

    order: Order
    payment: Payment


def place_order(
    *, hold_id: UUID, fan: str, name: str, email: str, user: Any = None, gateway: str = "sandbox"
) -> Placed:
    """Turn the fan's hold into a pending order with one open payment attempt, and return both.

    The seats go to `paying` and the hold's clock is lengthened, once, to at most 15 minutes from now. Called again for
    the same hold it returns the same order: with its open payment, or a new attempt when the last one failed (the seats
    may have changed in between). Twenty calls at once make one order and one payment. Refuses by `HoldUnknown`,
    `HoldExpired` and, once the event is cancelled, `SaleClosed`; a sale that ended or pauses lets holders finish.
    """
    hold = Hold.objects.filter(id=hold_id, fan=fan).first()
    if hold is None:
        raise HoldUnknown
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=hold.event_id, fan=fan, actor=f"fan:{fan}")
        if turn.sale == "cancelled":
            raise SaleClosed(turn.sale)
        hold.refresh_from_db()
        check_live(hold, turn.now)
        order = Order.objects.filter(hold=hold).first()
        buyer = {"name": name, "email": email, "user": user}
        if order is not None and hold.state == Hold.State.PAYING:
            _change(order, buyer)
            payment = order.payments.filter(state__in=OPEN_PAYMENTS).order_by("created_at").last()
            return Placed(order, payment or _start_payment(turn, order, gateway))

        lock_live_seats(hold)
        if order is None:
            hold.expires_at = max(hold.expires_at, turn.now + timedelta(seconds=PAYMENT_SECONDS))
        move_seats(hold.event_id, hold.seats, edge=(HELD, PAYING), hold=(hold.id, hold.id), held_until=hold.expires_at)
        hold.state = Hold.State.PAYING
        hold.save(update_fields=["state", "expires_at"])
        order = _write_order(turn, hold, order, buyer)
        audit.record_all([_line("order.placed", order.id, turn, total=order.total, currency=order.currency)])
        tell_after_commit(hold.event_id, fan, is_own_request=True)
        return Placed(order, _start_payment(turn, order, gateway))


def cancel_order(*, order_id: UUID, actor: str) -> Order:
    """Cancel an order that waits for its payment: its payment attempt, then its seats, and return it.

    Refuses by `OrderUnknown`, `OrderNotPending`, and `PaymentRunning` while its money is on its way. Cancelling twice
    is as good as once. A payment that comes in afterwards is voided or refunded.
    """
    found = Order.objects.filter(id=order_id).values_list("event_id", "fan").first()
    if found is None:
        raise OrderUnknown
    event_id, fan = found
    with transaction.atomic(durable=True):
        turn = take_turn(event_id=event_id, fan=fan, actor=actor)
        order = Order.objects.select_related("hold").get(id=order_id)
        if order.state == Order.State.CANCELLED:
            return order
        if order.state != Order.State.PENDING:
            raise OrderNotPending(order.get_state_display().lower())
        if order.payments.filter(state=Payment.State.AUTHORISED).exists():
            raise PaymentRunning
        order.payments.filter(state=Payment.State.STARTED).update(
            state=Payment.State.VOIDED, reason="The order was cancelled."
        )
        hold = order.hold
        if hold.state in (Hold.State.LIVE, Hold.State.PAYING):
            free_seats(hold, hold.seats)
            hold.state = Hold.State.RELEASED
            hold.save(update_fields=["state"])
        order.state = Order.State.CANCELLED
        order.save(update_fields=["state"])
        audit.record(
            actor=actor,
            action="order.cancelled",
            subject=order.id,
            event_id=event_id,
            organizer_id=turn.organizer_id,
        )
        tell_after_commit(event_id, fan)
        return order


def _start_payment(turn: Turn, order: Order, gateway: str) -> Payment:
    payment = Payment.objects.create(order=order, gateway=gateway, amount=order.total, currency=order.currency)
    audit.record_all([_line("payment.started", payment.id, turn, order=str(order.id), gateway=gateway)])
    return payment


def _write_order(turn: Turn, hold: Hold, order: Order | None, buyer: dict[str, Any]) -> Order:
    """Write the order and its lines for what the hold has now, at the prices of now."""
    tiers = {t.number: t for t in PriceTier.objects.filter(event=turn.event_id).select_related("event__organizer")}
    lines = _lines(turn, hold, tiers)
    amounts = {
        "subtotal": sum(line.amount for line in lines),
        "fees": sum(line.fee for line in lines),
        "total": sum(line.amount + line.fee for line in lines),
    }
    if order is None:
        order = _create_order(
            hold=hold,
            event_id=turn.event_id,
            organizer_id=turn.organizer_id,
            fan=turn.fan,
            currency=turn.currency,
            **buyer,
            **amounts,
        )
    else:
        order.lines.all().delete()
        _change(order, buyer | amounts)
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    return order


def _lines(turn: Turn, hold: Hold, tiers: dict[int, PriceTier]) -> list[OrderLine]:
    plan = plan_of(turn.plan_hash)
    lines = []
    for index, tier_number in _tiers_of(hold):
        tier, place = tiers[tier_number], plan.place(index)
        lines.append(
            OrderLine(
                event_id=turn.event_id,
                index=index,
                tier=tier_number,
                tier_name=tier.name,
                section=place.section,
                row=place.row,
                number=place.number,
                amount=tier.amount,
                fee=tier.event.organizer.fee(tier.amount),
            )
        )
    return lines


def _tiers_of(hold: Hold) -> Sequence[tuple[int, int]]:
    return list(
        Seat.objects.filter(event=hold.event_id, index__in=hold.seats).order_by("index").values_list("index", "tier")
    )


def _change(order: Order, fields: dict[str, Any]) -> None:
    changed = [name for name, value in fields.items() if getattr(order, name) != value]
    for name in changed:
        setattr(order, name, fields[name])
    if changed:
        order.save(update_fields=changed)


def _create_order(**fields: Any) -> Order:
    for attempt in range(REFERENCE_TRIES):
        reference = "".join(secrets.choice(REFERENCE_LETTERS) for _ in range(REFERENCE_LENGTH))
        try:
            with transaction.atomic():
                return Order.objects.create(reference=reference, **fields)
        except IntegrityError as error:
            if "reference" not in str(error) or attempt == REFERENCE_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _line(action: str, subject: UUID, turn: Turn, **detail: Any) -> AuditEntry:
    return audit.entry(
        actor=f"fan:{turn.fan}",
        action=action,
        subject=subject,
        event_id=turn.event_id,
        organizer_id=turn.organizer_id,
        detail=detail,
    )
