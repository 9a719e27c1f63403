"""From a started payment to money taken or let go, by asking the provider and never by believing a message.

The buyer's return, every webhook and the reconciliation all end in `settle`, which asks the provider what is true now
and carries it out; so webhooks may be lost, repeated, late and out of order. Each network call lies between two short
transactions and carries a key made of the payment's id: asked twenty times, the money moves once.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from inventory import purchase
from inventory.links import sign_order
from inventory.messages import Message, publish
from inventory.models import Order, Payment, Refund, WebhookReceipt
from inventory.payments.gateway import (
    Announcement,
    Charge,
    ChargeState,
    Gateway,
    GatewayRefused,
    GatewayUnreachable,
)
from inventory.payments.gateways import GATEWAYS

log = logging.getLogger(__name__)

FREE = "free"
# An open charge nobody has paid is closed after this, longer than any hold may last, so that it cannot be paid later.
ABANDONED_AFTER = timedelta(minutes=30)
# Reconciliation leaves a payment alone while its buyer is most likely still on the provider's page.
ASK_AFTER = timedelta(seconds=20)
# A payment voided here is looked at for so long, in case the process died before the provider was told.
LOOK_BACK = timedelta(hours=1)
# A webhook that could not be acted on for so long is left in the inbox as evidence; reconciliation has long been there.
HEED_FOR = timedelta(hours=1)


class PaymentMismatch(Exception):
    """The provider's charge is not the one that was asked for (amount or currency): nothing is done with it."""


def open_payment(*, payment_id: UUID, site: str = "") -> str:
    """Return the provider's page for a started payment, opening its charge there if need be.

    `site` is the origin the buyer is on (`https://host`), to return to. Raises GatewayRefused or GatewayUnreachable;
    to call it again is safe, because a payment is always the same charge.
    """
    payment = Payment.objects.select_related("order__event").get(id=payment_id)
    if payment.amount == 0 and payment.gateway != FREE:
        payment.gateway = FREE  # No provider takes a charge of nothing.
        Payment.objects.filter(id=payment.id, provider_id="").update(gateway=FREE)
    path = reverse("checkout-return", args=[sign_order(payment.order_id)])
    started = _gateway(payment).start(
        payment_id=payment.id,
        amount=payment.amount,
        currency=payment.currency,
        description=f"{payment.order.event.name} · order {payment.order.reference}",
        return_url=(site or settings.SITE_URL) + path,
    )
    Payment.objects.filter(id=payment.id, provider_id="").update(provider_id=started.provider_id)
    return started.pay_url


def settle(payment_id: UUID) -> Payment:
    """Bring one payment to where the provider says it is, and return it; nothing is done twice.

    Raises GatewayUnreachable where the provider gives no answer: the payment stays open, the seats stay with their
    buyer, and it is asked again.
    """
    payment = Payment.objects.get(id=payment_id)
    if payment.state == Payment.State.CAPTURED:
        return payment
    charge = _gateway(payment).status(payment_id=payment.id)
    if charge is None:
        return payment
    _check(payment, charge)
    match charge.state:
        case ChargeState.CAPTURED:
            purchase.confirm_payment(payment_id=payment.id, provider_id=charge.provider_id)
        case ChargeState.AUTHORISED:
            _take(payment, charge)
        case ChargeState.OPEN | ChargeState.PROCESSING if payment.state == Payment.State.VOIDED:
            _let_go(payment, charge)  # The order was cancelled here: its charge must not be paid any more.
        case ChargeState.DECLINED | ChargeState.VOIDED:
            purchase.fail_payment(payment_id=payment.id, reason=charge.reason or "The payment was cancelled")
        case _:
            pass
    payment.refresh_from_db()
    return payment


def settle_order(order_id: UUID) -> None:
    """Settle the newest payment of an order, where it is still open; a provider that is down changes nothing."""
    newest = Payment.objects.filter(order=order_id).order_by("-created_at", "-id").first()
    if newest is None or newest.state not in (Payment.State.STARTED, Payment.State.AUTHORISED):
        return
    try:
        settle(newest.id)
    except (GatewayUnreachable, GatewayRefused) as error:
        log.warning("payment %s is left to reconciliation: %s", newest.id, error)


def reconcile(*, limit: int = 200) -> int:
    """Ask the providers about every payment that is open or lately voided; return how many were brought further.

    This alone repairs the loss of every webhook, of every answer and of the process between two transactions.
    """
    waiting = Payment.objects.filter(
        Q(state__in=(Payment.State.STARTED, Payment.State.AUTHORISED), created_at__lte=Now() - ASK_AFTER)
        | Q(state=Payment.State.VOIDED, created_at__gt=Now() - LOOK_BACK)
    )
    moved = 0
    for payment_id, state in waiting.order_by("created_at").values_list("id", "state")[:limit]:
        try:
            moved += settle(payment_id).state != state or _close_abandoned(payment_id)
        except Exception:  # One payment that cannot be settled must not stop the others.
            log.exception("payment %s could not be reconciled", payment_id)
    return moved


def store_webhook(gateway: str, announcement: Announcement) -> WebhookReceipt:
    """Put an authentic webhook into the inbox, before anything is done about it; a repetition is the same receipt."""
    receipt, _ = WebhookReceipt.objects.get_or_create(
        gateway=gateway,
        provider_event_id=announcement.event_id,
        defaults={
            "body": {
                "kind": announcement.kind,
                "payment": str(announcement.payment_id),
                "charge": announcement.provider_id,
            }
        },
    )
    return receipt


def process_webhooks(*, limit: int = 100) -> int:
    """Act on the webhooks in the inbox, in any order, and return how many are done with.

    Where the provider does not answer, the webhook stays for the next time. Two workers may take the same one.
    """
    done = 0
    inbox = WebhookReceipt.objects.filter(processed_at=None, received_at__gt=Now() - HEED_FOR).order_by("id")
    for receipt in inbox[:limit]:
        try:
            _heed(receipt)
        except Exception:  # One webhook that cannot be heeded must not stop the others.
            log.exception("webhook %s is left for the next time", receipt)
        else:
            WebhookReceipt.objects.filter(id=receipt.id).update(processed_at=Now())
            done += 1
    return done


def send_refund(message: Message) -> None:
    """Give the money of one requested refund back, once: the refund's id is the key (outbox, refund.requested)."""
    _refund(Refund.objects.select_related("payment").get(id=message.payload["refund"]))


def refund_event(message: Message) -> None:
    """Request the refund of every paid order of a cancelled event (outbox, event.cancelled).

    Each order is a transaction of its own and refunded orders are passed over, so a try goes on where the last broke
    off, and a second one refunds nothing again.
    """
    paid = Order.objects.filter(event=message.payload["event"], state=Order.State.PAID)
    for order_id in paid.order_by("id").values_list("id", flat=True).iterator(chunk_size=500):
        try:
            purchase.refund_order(order_id=order_id, reason="The event was cancelled", actor="system:cancellation")
        except purchase.AlreadyRefunded:
            continue


def _gateway(payment: Payment) -> Gateway:
    return GATEWAYS[payment.gateway]


def _check(payment: Payment, charge: Charge) -> None:
    asked = (payment.id, payment.amount, payment.currency)
    if (charge.payment_id, charge.amount, charge.currency) != asked:
        log.error("payment %s: the provider's charge %s is not what was asked for", payment.id, charge.provider_id)
        raise PaymentMismatch(str(payment.id))


def _take(payment: Payment, charge: Charge) -> None:
    """Capture authorised money where the seats are still the buyer's, or let it go."""
    decision = purchase.begin_capture(payment_id=payment.id, provider_id=charge.provider_id)
    if decision.action == "void":
        if payment.state != Payment.State.VOIDED:
            _tell_of_loss(payment, decision.alternatives)
        _let_go(payment, charge)
    if decision.action != "capture":
        return
    try:
        _gateway(payment).capture(provider_id=charge.provider_id, key=f"capture-{payment.id}")
    except GatewayRefused as refusal:
        # Another process may have been faster with the same step: what is true now decides.
        told = _gateway(payment).status(payment_id=payment.id)
        if told is None or told.state != ChargeState.CAPTURED:
            purchase.fail_payment(payment_id=payment.id, reason=str(refusal))
            return
    purchase.confirm_payment(payment_id=payment.id, provider_id=charge.provider_id)


def _tell_of_loss(payment: Payment, alternatives: Sequence[Sequence[int]]) -> None:
    """Leave word for a buyer whose seats are somebody else's now; most have closed the page by then."""
    order = Order.objects.get(id=payment.order_id)
    if order.state == Order.State.EXPIRED:
        with transaction.atomic(durable=True):
            publish("order.lost", {"order": str(order.pk), "alternatives": [list(group) for group in alternatives]})


def _let_go(payment: Payment, charge: Charge) -> None:
    _gateway(payment).void(provider_id=charge.provider_id, key=f"void-{payment.id}")


def _close_abandoned(payment_id: UUID) -> bool:
    """Close at the provider, then here, a charge that nobody has paid in half an hour."""
    payment = Payment.objects.filter(
        id=payment_id, state=Payment.State.STARTED, created_at__lte=Now() - ABANDONED_AFTER
    ).first()
    if payment is None:
        return False
    charge = _gateway(payment).status(payment_id=payment.id)
    if charge is not None:
        if charge.state != ChargeState.OPEN:
            return False
        _let_go(payment, charge)
    purchase.fail_payment(payment_id=payment.id, reason="The payment was not finished")
    return True


def _heed(receipt: WebhookReceipt) -> None:
    payment = Payment.objects.filter(id=receipt.body["payment"], gateway=receipt.gateway).first()
    if payment is None:
        log.warning("webhook %s is about a payment of nobody here", receipt)
    elif receipt.body["kind"] == "charge.refunded":
        for refund in payment.refunds.filter(state=Refund.State.REQUESTED).select_related("payment"):
            _refund(refund)
    else:
        settle(payment.id)


def _refund(refund: Refund) -> None:
    if refund.state == Refund.State.DONE:
        return
    provider_id = _gateway(refund.payment).refund(
        provider_id=refund.payment.provider_id, amount=refund.amount, key=f"refund-{refund.id}"
    )
    purchase.settle_refund(refund_id=refund.id, provider_id=provider_id)
