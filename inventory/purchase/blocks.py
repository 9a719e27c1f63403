"""The organiser's own hand on the stock: taking seats off sale and putting them back."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

from inventory.purchase.turns import BLOCKED, FREE, LockedSeat, lock_seats, move_seats, tell_after_commit


def block_seats(*, event_id: UUID, indexes: Collection[int], actor: str) -> int:
    """Take the free ones of these seats off sale, and return how many that were; held and sold ones stay as they are.

    A seat whose hold has run out counts as free. Waits for fans who are deciding about one of the seats.
    """
    with transaction.atomic(durable=True):
        _name_actor(actor)
        seats = [seat for seat in lock_seats(event_id, indexes) if seat.is_open]
        for state, holder in {(seat.state, seat.hold) for seat in seats if seat.state != FREE}:
            move_seats(event_id, _of(seats, state, holder), edge=(state, FREE), hold=(holder, None))
        move_seats(event_id, [seat.index for seat in seats], edge=(FREE, BLOCKED))
        tell_after_commit(event_id)
        return len(seats)


def unblock_seats(*, event_id: UUID, indexes: Collection[int], actor: str) -> int:
    """Put the blocked ones of these seats back on sale, and return how many that were."""
    with transaction.atomic(durable=True):
        _name_actor(actor)
        seats = [seat.index for seat in lock_seats(event_id, indexes) if seat.state == BLOCKED]
        move_seats(event_id, seats, edge=(BLOCKED, FREE))
        tell_after_commit(event_id)
        return len(seats)


def _of(seats: Collection[LockedSeat], state: int, holder: UUID | None) -> list[int]:
    return [seat.index for seat in seats if seat.state == state and seat.hold == holder]


def _name_actor(actor: str) -> None:
    """Tell the seat trigger whom the audit log is to name; a fan's turn does it for the other verbs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('onsale.actor', %s, true)", [actor[:80]])
