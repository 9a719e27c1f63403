"""What the shop asks of a payment provider; each provider is one class that answers to this protocol.

Every call crosses a network: it is made outside database transactions, it may be refused (`GatewayRefused`: nothing
happened) and it may get no answer (`GatewayUnreachable`: it may have happened, so ask by `status` and never assume).
Every write carries an idempotency key, so that asking again is not doing again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ChargeState(StrEnum):
    """Where a charge stands in the provider's book."""

    OPEN = "open"  # The buyer has not finished on the provider's page.
    PROCESSING = "processing"  # The bank has not answered yet.
    AUTHORISED = "authorised"  # The money is reserved and waits for a capture.
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"


@dataclass(frozen=True)
class Charge:
    """A charge as the provider tells it; `amount` and `refunded` in minor units, `payment_id` as the shop gave it."""

    provider_id: str
    payment_id: UUID
    state: ChargeState
    amount: int
    currency: str
    refunded: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Started:
    """A charge the buyer can now pay at `pay_url`, the provider's own page."""

    provider_id: str
    pay_url: str


@dataclass(frozen=True)
class Announcement:
    """A webhook whose signature held: that something happened to a charge, not what is true of it now."""

    event_id: str
    kind: str
    payment_id: UUID
    provider_id: str


class GatewayRefused(Exception):
    """The provider said no, and nothing happened; the text is its reason."""


class GatewayUnreachable(Exception):
    """No answer came in time; whether anything happened is unknown."""


class WebhookRefused(Exception):
    """A webhook that is forged, stale or unreadable; the text says which."""


class Gateway(Protocol):
    """One payment provider."""

    name: str

    def start(self, *, payment_id: UUID, amount: int, currency: str, description: str, return_url: str) -> Started:
        """Open a charge to be authorised, not captured; the same `payment_id` is always the same charge."""
        ...

    def status(self, *, payment_id: UUID) -> Charge | None:
        """Return the charge opened for this payment, or None where the provider knows of none."""
        ...

    def capture(self, *, provider_id: str, key: str) -> Charge:
        """Take the reserved money, once, however often it is asked."""
        ...

    def void(self, *, provider_id: str, key: str) -> Charge:
        """Let the reserved money go, or close a charge nobody has paid yet."""
        ...

    def refund(self, *, provider_id: str, amount: int, key: str) -> str:
        """Give back `amount` of a captured charge, once per key, and return the refund's id at the provider."""
        ...

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Announcement:
        """Return what a webhook announces; raise WebhookRefused unless its signature holds and is fresh."""
        ...
