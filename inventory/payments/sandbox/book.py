"""The sandbox provider's side of every charge: its book, and the rules by which it changes.

Each verb is one transaction over the provider's own rows, locks its charge first, and announces what happened by a
webhook once it is committed. A repeated key answers as the first time did.
"""

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from inventory.models import SandboxCharge, SandboxRefund
from inventory.payments.sandbox import webhooks
from inventory.payments.sandbox.cards import BY_LAST4, SLOW_SECONDS, Act, Card

State = SandboxCharge.State


class NotPossible(Exception):
    """The charge's state does not allow it; the text says why, and nothing changed."""


def open_charge(
    *, key: str, reference: UUID, amount: int, currency: str, description: str, return_url: str
) -> SandboxCharge:
    """Open a charge; the same key is always the same charge, and with another amount it is refused."""
    charge, _ = SandboxCharge.objects.get_or_create(
        idempotency_key=key,
        defaults={
            "id": f"ch_{secrets.token_urlsafe(24)}",
            "reference": str(reference),
            "amount": amount,
            "currency": currency,
            "description": description[:200],
            "return_url": return_url,
        },
    )
    if (charge.amount, charge.currency) != (amount, currency):
        raise NotPossible("This idempotency key was used for another amount.")
    return charge


def find_charge(reference: UUID) -> SandboxCharge | None:
    """Return the charge of the shop's reference as it stands now; a slow bank's answer is entered when it is due."""
    charge = SandboxCharge.objects.filter(reference=str(reference)).first()
    if charge and charge.state == State.PROCESSING and charge.ready_at and charge.ready_at <= timezone.now():
        return hear_the_bank(charge_id=charge.id)
    return charge


@transaction.atomic
def pay(*, charge_id: str, card: Card) -> SandboxCharge:
    """Use a card on an open charge; one that is already decided stays as it is."""
    charge = _locked(charge_id)
    if charge.state not in (State.OPEN, State.CHALLENGE):
        return charge
    charge.card = card.last4
    match card.act:
        case Act.DECLINE:
            charge.decline_reason = card.reason
            return _move(charge, State.DECLINED)
        case Act.CHALLENGE:
            return _move(charge, State.CHALLENGE)
        case Act.SLOW:
            charge.ready_at = timezone.now() + timedelta(seconds=SLOW_SECONDS)
            return _move(charge, State.PROCESSING)
        case _:
            return _move(charge, State.AUTHORISED)


@transaction.atomic
def answer_challenge(*, charge_id: str, passed: bool) -> SandboxCharge:
    """Enter how the buyer did at the bank's 3-D Secure page."""
    charge = _locked(charge_id)
    if charge.state != State.CHALLENGE:
        return charge
    if passed:
        return _move(charge, State.AUTHORISED)
    charge.decline_reason = "3-D Secure was not passed"
    return _move(charge, State.DECLINED)


@transaction.atomic
def hear_the_bank(*, charge_id: str) -> SandboxCharge:
    """Enter a slow bank's yes, if it is due."""
    charge = _locked(charge_id)
    if charge.state == State.PROCESSING and charge.ready_at and charge.ready_at <= timezone.now():
        _move(charge, State.AUTHORISED)
    return charge


def hear_due_banks() -> int:
    """Enter every slow bank's answer that is due, and return how many were."""
    due = SandboxCharge.objects.filter(state=State.PROCESSING, ready_at__lte=timezone.now()).values_list(
        "id", flat=True
    )
    return len([hear_the_bank(charge_id=charge_id) for charge_id in due[:100]])


@transaction.atomic
def give_up(*, charge_id: str) -> SandboxCharge:
    """Close an open charge because the buyer turned back on the hosted page."""
    charge = _locked(charge_id)
    if charge.state in (State.OPEN, State.CHALLENGE):
        charge.decline_reason = "You turned back before paying"
        _move(charge, State.DECLINED)
    return charge


@transaction.atomic
def capture(*, charge_id: str) -> SandboxCharge:
    """Take the reserved money; a captured charge stays captured once."""
    charge = _locked(charge_id)
    if charge.state == State.CAPTURED:
        return charge
    if charge.state != State.AUTHORISED:
        raise NotPossible(f"A charge that is {charge.state} cannot be captured.")
    return _move(charge, State.CAPTURED)


@transaction.atomic
def void(*, charge_id: str) -> SandboxCharge:
    """Let reserved money go, or close a charge that was never paid."""
    charge = _locked(charge_id)
    if charge.state in (State.VOIDED, State.DECLINED):
        return charge
    if charge.state == State.CAPTURED:
        raise NotPossible("A captured charge cannot be voided, only refunded.")
    return _move(charge, State.VOIDED)


@transaction.atomic
def refund(*, charge_id: str, amount: int, key: str) -> SandboxRefund:
    """Give money back, never more than was captured; the same key is the same refund."""
    charge = _locked(charge_id)
    done = SandboxRefund.objects.filter(idempotency_key=key).first()
    if done:
        if (done.charge_id, done.amount) != (charge_id, amount):
            raise NotPossible("This idempotency key was used for another refund.")
        return done
    if charge.state != State.CAPTURED:
        raise NotPossible(f"A charge that is {charge.state} cannot be refunded.")
    if not 0 < amount <= charge.amount - charge.refunded:
        raise NotPossible("A refund cannot be more than what is left of the charge.")
    charge.refunded += amount
    charge.save(update_fields=["refunded"])
    entry = SandboxRefund.objects.create(charge=charge, amount=amount, idempotency_key=key)
    webhooks.announce(charge, "charge.refunded")
    return entry


def act_of(charge: SandboxCharge) -> Act:
    """Return how the charge's card makes the provider behave."""
    return BY_LAST4[charge.card].act if charge.card in BY_LAST4 else Act.APPROVE


def _locked(charge_id: str) -> SandboxCharge:
    return SandboxCharge.objects.select_for_update().get(id=charge_id)


def _move(charge: SandboxCharge, state: SandboxCharge.State) -> SandboxCharge:
    charge.state = state
    charge.save(update_fields=["state", "card", "ready_at", "decline_reason"])
    if state not in (State.CHALLENGE, State.PROCESSING):
        webhooks.announce(charge, f"charge.{state}")
    return charge
