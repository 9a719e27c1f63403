"""What a fan holds, as values: what the hold verbs return and everybody else reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from inventory.models import Hold
from inventory.purchase import statements
from inventory.purchase.refusals import HoldExpired, HoldUnknown


@dataclass(frozen=True, slots=True)
class HeldSeat:
    """One held seat: its index, its price tier's number and its price in minor units."""

    index: int
    tier: int
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """A live hold. `seats` ascend by index; `expires_at` and `at` (when it was read) are by the database's clock."""

    hold_id: UUID
    event_id: UUID
    seats: tuple[HeldSeat, ...]
    expires_at: datetime
    extendable: bool
    currency: str
    at: datetime
    is_paying: bool = False

    @property
    def total(self) -> int:
        """The price of all seats in minor units, without fees."""
        return sum(seat.amount for seat in self.seats)

    @property
    def version(self) -> int:
        """Unix time of the reading in ms: of two readings the later one has the higher version."""
        return int(self.at.timestamp() * 1000)

    @property
    def indexes(self) -> list[int]:
        """The indexes of the seats, ascending."""
        return [seat.index for seat in self.seats]


def live_hold(*, event_id: UUID, fan: str) -> Held | None:
    """Return what the fan holds at this event now, or None; a plain read that locks nothing."""
    found = statements.rows(statements.HELD, {"event": event_id, "fan": fan})
    if not found:
        return None
    hold_id, _, state, expires_at, extended, currency, at, seats = found[0]
    return Held(
        hold_id=hold_id,
        event_id=event_id,
        seats=held_seats(seats),
        expires_at=expires_at,
        extendable=not extended and state == "live",
        currency=currency,
        at=at,
        is_paying=state == "paying",
    )


def event_of(hold_id: UUID, fan: str) -> UUID:
    """Return the event of the fan's hold; somebody else's hold is as unknown as none."""
    found: UUID | None = Hold.objects.filter(id=hold_id, fan=fan).values_list("event_id", flat=True).first()
    if found is None:
        raise HoldUnknown
    return found


def check_live(hold: Hold, now: datetime) -> None:
    """Raise `HoldExpired` unless the hold still runs at `now` (the database's clock)."""
    if hold.state not in (Hold.State.LIVE, Hold.State.PAYING) or hold.expires_at <= now:
        raise HoldExpired


def held_seats(found: list[list[int]] | None) -> tuple[HeldSeat, ...]:
    """Turn `[[index, tier, amount], ...]`, as the statements return it, into values."""
    return tuple(HeldSeat(*seat) for seat in found or ())


CommitWith = Callable[[Held | None], None] | None
"""Called with the result inside the transaction: what it writes (the stored answer of an idempotency key) commits with
the effect, or not at all."""
