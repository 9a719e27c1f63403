"""The shop's way to the sandbox provider.

A real provider is an HTTPS client with a deadline. This one calls the provider's book in the same process and stands
for the network: it refuses to be called inside a database transaction, as any network call must be, it gives answers
only as plain values, and with the time-out card the capture is made and its answer then never arrives, exactly as
when a deadline passes while the provider works.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from inventory.models import SandboxCharge
from inventory.payments.gateway import (
    Announcement,
    Charge,
    ChargeState,
    GatewayRefused,
    GatewayUnreachable,
    Started,
    WebhookRefused,
)
from inventory.payments.sandbox import book
from inventory.payments.sandbox.cards import Act
from inventory.payments.sandbox.signatures import HEADER, NotSigned, check_signature

T = TypeVar("T")

_STATES = {
    SandboxCharge.State.OPEN: ChargeState.OPEN,
    SandboxCharge.State.CHALLENGE: ChargeState.OPEN,
    SandboxCharge.State.PROCESSING: ChargeState.PROCESSING,
    SandboxCharge.State.AUTHORISED: ChargeState.AUTHORISED,
    SandboxCharge.State.CAPTURED: ChargeState.CAPTURED,
    SandboxCharge.State.DECLINED: ChargeState.DECLINED,
    SandboxCharge.State.VOIDED: ChargeState.VOIDED,
}


class SandboxGateway:
    """The sandbox provider, as a Gateway."""

    name = "sandbox"

    def start(self, *, payment_id: UUID, amount: int, currency: str, description: str, return_url: str) -> Started:
        """Open a charge and return its hosted page, on the host the buyer will return to."""
        charge = _call(
            lambda: book.open_charge(
                key=f"start-{payment_id}",
                reference=payment_id,
                amount=amount,
                currency=currency,
                description=description,
                return_url=return_url,
            )
        )
        site = urlsplit(return_url)
        return Started(charge.id, f"{site.scheme}://{site.netloc}{reverse('sandbox-pay', args=[charge.id])}")

    def status(self, *, payment_id: UUID) -> Charge | None:
        """Return the charge of this payment as the book has it now."""
        charge = _call(lambda: book.find_charge(payment_id))
        return _told(charge) if charge else None

    def capture(self, *, provider_id: str, key: str) -> Charge:
        """Take the reserved money; with the time-out card the first answer is lost."""

        def capture() -> tuple[SandboxCharge, bool]:
            before = SandboxCharge.objects.get(id=provider_id).state
            charge = book.capture(charge_id=provider_id)
            return charge, before != charge.state

        charge, is_first = _call(capture)
        if is_first and book.act_of(charge) == Act.LOSE_ANSWER:
            raise GatewayUnreachable("No answer within the deadline.")
        return _told(charge)

    def void(self, *, provider_id: str, key: str) -> Charge:
        """Let the reserved money go."""
        return _told(_call(lambda: book.void(charge_id=provider_id)))

    def refund(self, *, provider_id: str, amount: int, key: str) -> str:
        """Give money back, once per key."""
        return f"re_{_call(lambda: book.refund(charge_id=provider_id, amount=amount, key=key)).pk}"

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Announcement:
        """Check the signature and its age, then read the body."""
        try:
            check_signature(settings.WEBHOOK_SECRET, body, headers.get(HEADER, ""), int(time.time()))
        except NotSigned as error:
            raise WebhookRefused(str(error)) from error
        try:
            message = json.loads(body)
            return Announcement(
                event_id=str(message["id"]),
                kind=str(message["type"]),
                payment_id=UUID(message["data"]["reference"]),
                provider_id=str(message["data"]["charge"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WebhookRefused("The body cannot be read.") from error


def _call(request: Callable[[], T]) -> T:
    with transaction.atomic(durable=True):
        pass  # RuntimeError inside a transaction: nobody may keep rows locked while a provider takes its time.
    try:
        return request()
    except book.NotPossible as error:
        raise GatewayRefused(str(error)) from error
    except SandboxCharge.DoesNotExist as error:
        raise GatewayRefused("The provider knows no such charge.") from error


def _told(charge: SandboxCharge) -> Charge:
    return Charge(
        provider_id=charge.id,
        payment_id=UUID(charge.reference),
        state=_STATES[SandboxCharge.State(charge.state)],
        amount=charge.amount,
        currency=charge.currency,
        refunded=charge.refunded,
        reason=charge.decline_reason,
    )
