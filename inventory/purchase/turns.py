"""The two locks of a sale, in their order: first the fan's turn at the event, then seats by index."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from inventory import fan_state, relay
from inventory.models import Hold, Seat
from inventory.purchase import statements
from inventory.purchase.refusals import EventUnknown, HoldExpired

FREE, HELD, PAYING, SOLD, BLOCKED = (int(state) for state in Seat.State)


@dataclass(frozen=True, slots=True)
class Turn:
    """The fan's turn: nobody else changes what this fan has at this event until the transaction ends."""

    event_id: UUID
    fan: str
    limit_id: int
    sale: str
    has_code: bool
    max_per_fan: int
    hold_seconds: int
    extend_seconds: int
    organizer_id: UUID
    currency: str
    plan_hash: str
    seat_count: int
    now: datetime


@dataclass(frozen=True, slots=True)
class LockedSeat:
    """A seat whose row this transaction has locked; `is_over` if it is held by a hold whose time has passed."""

    index: int
    tier: int
    state: int
    hold: UUID | None
    order: UUID | None
    is_over: bool | None

    def belongs_to(self, hold_id: UUID) -> bool:
        """Whether the hold still has this seat, in time or not: nobody has taken it over."""
        return self.state in (HELD, PAYING) and self.hold == hold_id

    @property
    def is_open(self) -> bool:
        """Whether anybody may take this seat."""
        return self.state == FREE or (self.state in (HELD, PAYING) and bool(self.is_over))


def take_turn(*, event_id: UUID, fan: str, actor: str, lazy: bool = False) -> Turn:
    """Wait for this fan's turn at this event and return it with the terms of the sale; `EventUnknown` if there is none.

    `actor` is who the audit log names for everything this transaction does. With `lazy` the commit does not wait for
    the disk (`synchronous_commit = off`): for holds only, because a hold lost in a crash is refused politely later.
    """
    statements.assert_transaction_open()
    found = statements.rows(statements.TAKE_TURN, {"event": event_id, "fan": fan, "actor": actor[:80], "lazy": lazy})
    if not found:
        raise EventUnknown
    return Turn(event_id, fan, *found[0])


def lock_seats(event_id: UUID, indexes: Iterable[int]) -> list[LockedSeat]:
    """Lock these seats, lowest index first, and return them; waits for whoever is deciding about one of them."""
    statements.assert_transaction_open()
    found = statements.rows(statements.LOCK_SEATS, {"event": event_id, "indexes": sorted(indexes)})
    return [LockedSeat(*row) for row in found]


def lock_live_seats(hold: Hold) -> None:
    """Lock the seats of a hold that runs; `HoldExpired` if even one of them is no longer its own."""
    seats = lock_seats(hold.event_id, hold.seats)
    if len(seats) != len(hold.seats) or any(seat.is_over or not seat.belongs_to(hold.id) for seat in seats):
        raise HoldExpired


def move_seats(
    event_id: UUID,
    indexes: Iterable[int],
    *,
    edge: tuple[int, int],
    hold: tuple[UUID | None, UUID | None] = (None, None),
    order: tuple[UUID | None, UUID | None] = (None, None),
    held_until: datetime | None = None,
) -> None:
    """Move locked seats along one edge (from, to), and their hold and order along theirs.

    `RuntimeError`, and with it the end of the transaction, if one of them is not where the caller believes it is.
    """
    indexes = sorted(indexes)
    if not indexes:
        return
    moved = statements.write(
        statements.MOVE_SEATS,
        {
            "event": event_id,
            "indexes": indexes,
            "from": edge[0],
            "to": edge[1],
            "old_hold": hold[0],
            "new_hold": hold[1],
            "old_order": order[0],
            "new_order": order[1],
            "held_until": held_until,
        },
    )
    if moved != len(indexes):
        raise RuntimeError(f"{moved} of {len(indexes)} seats of {event_id} moved from {edge[0]} to {edge[1]}.")


def tell_after_commit(event_id: UUID, fan: str = "", *, is_own_request: bool = False) -> None:
    """After the commit, wake the relay and bring the fan's state up to date; neither can fail the sale.

    In the fan's own request his state is written at once, so that he sees what he did; where somebody else changed
    it, it is dropped and read again when he next looks.
    """
    transaction.on_commit(partial(relay.hint, event_id), robust=True)
    if fan:
        transaction.on_commit(
            partial(fan_state.remember if is_own_request else fan_state.forget, event_id, fan), robust=True
        )
