"""The gateway of orders that cost nothing: no provider is asked, and the buyer goes straight on to his tickets."""

from collections.abc import Mapping
from uuid import UUID

from inventory.models import Payment
from inventory.payments.gateway import Announcement, Charge, ChargeState, Started, WebhookRefused

_PREFIX = "free-"


class FreeGateway:
    """Says yes to nothing at all: every charge is authorised from the start."""

    name = "free"

    def start(self, *, payment_id: UUID, amount: int, currency: str, description: str, return_url: str) -> Started:
        """Return the way back as the page to pay at."""
        return Started(f"{_PREFIX}{payment_id}", return_url)

    def status(self, *, payment_id: UUID) -> Charge | None:
        """Return an authorised charge of what the payment asks for, which is nothing."""
        return self._charge(payment_id, ChargeState.AUTHORISED)

    def capture(self, *, provider_id: str, key: str) -> Charge:
        """Take nothing."""
        return self._charge(UUID(provider_id.removeprefix(_PREFIX)), ChargeState.CAPTURED)

    def void(self, *, provider_id: str, key: str) -> Charge:
        """Let nothing go."""
        return self._charge(UUID(provider_id.removeprefix(_PREFIX)), ChargeState.VOIDED)

    def refund(self, *, provider_id: str, amount: int, key: str) -> str:
        """Give nothing back."""
        return key

    def parse_webhook(self, *, headers: Mapping[str, str], body: bytes) -> Announcement:
        """Refuse: nobody sends any."""
        raise WebhookRefused("This gateway has no webhooks.")

    def _charge(self, payment_id: UUID, state: ChargeState) -> Charge:
        currency = Payment.objects.values_list("currency", flat=True).get(id=payment_id)
        return Charge(f"{_PREFIX}{payment_id}", payment_id, state, 0, currency)
