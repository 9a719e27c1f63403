"""What a fan is about to buy, as his pages show it: his live hold with places, prices and fees."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from events.models import Event
from inventory import purchase
from seating.plans import plan as plan_of


@dataclass(frozen=True)
class Item:
    """One held place; `amount` and `fee` in minor units."""

    index: int
    section: str
    row: str
    number: str
    tier: str
    amount: int
    fee: int


@dataclass(frozen=True)
class Basket:
    """A live hold with what it costs; amounts in minor units of `currency`."""

    hold_id: UUID
    items: tuple[Item, ...]
    currency: str
    expires_at: datetime
    is_extendable: bool
    extend_minutes: int
    is_paying: bool

    @property
    def subtotal(self) -> int:
        """The price of the places."""
        return sum(item.amount for item in self.items)

    @property
    def fees(self) -> int:
        """The service fees, worked out for each place on its own."""
        return sum(item.fee for item in self.items)

    @property
    def total(self) -> int:
        """What will be charged."""
        return self.subtotal + self.fees

    @property
    def expires_ms(self) -> int:
        """The end of the hold in milliseconds since 1970, for the clock in the page."""
        return int(self.expires_at.timestamp() * 1000)

    @property
    def now_ms(self) -> int:
        """The server's clock, so that a wrong one in the browser moves no deadline."""
        return int(timezone.now().timestamp() * 1000)


def basket(event: Event, fan: str) -> Basket | None:
    """Return what the fan holds at this event now, or None."""
    held = purchase.live_hold(event_id=event.pk, fan=fan)
    if held is None:
        return None
    plan = plan_of(event.plan.content_hash)
    tiers = dict(event.tiers.values_list("number", "name"))
    items = []
    for seat in held.seats:
        place = plan.place(seat.index)
        items.append(
            Item(
                index=seat.index,
                section=place.section,
                row=place.row,
                number=place.number,
                tier=tiers.get(seat.tier, ""),
                amount=seat.amount,
                fee=event.organizer.fee(seat.amount),
            )
        )
    return Basket(
        hold_id=held.hold_id,
        items=tuple(items),
        currency=held.currency,
        expires_at=held.expires_at,
        is_extendable=held.extendable,
        extend_minutes=max(1, event.extend_seconds // 60),
        is_paying=held.is_paying,
    )
