"""What the process believes of the hall without asking the database: for quick refusals, candidates and alternatives.

A picture may be a moment old. It can refuse a seat or propose one, and never sells one.
"""

from collections.abc import Iterable, Sequence
from threading import Lock
from uuid import UUID

from cachetools import TTLCache, cached

from events.models import Event
from inventory import availability, plane, stock
from inventory.purchase.refusals import SeatsTaken
from seating.adjacency import Group, alternatives, free_mask
from seating.geometry import Plan
from seating.plans import plan as plan_of

TRUSTED_SECONDS = 3.0  # An older picture refuses nobody: its source may be down, and the seats free again.


def refuse_by_picture(event_id: UUID, indexes: Iterable[int]) -> None:
    """Refuse without the database what this process knows to be sold or blocked; a held seat may be free again."""
    picture = near_picture(event_id)
    if availability.age_seconds(event_id) > TRUSTED_SECONDS:
        return
    gone = [
        index
        for index in indexes
        if 0 <= index < len(picture) * 4 and plane.code_at(picture, index) in (plane.SOLD, plane.BLOCKED)
    ]
    if gone:
        raise SeatsTaken(gone)


def near_picture(event_id: UUID) -> bytes:
    """Return the plane this process has or can have soon; empty if there is none, which refuses nobody."""
    try:
        return availability.plane(event_id)
    except (availability.EventUnknown, availability.Busy):
        return b""


def fresh_picture(event_id: UUID) -> bytes:
    """Return the plane as committed now."""
    found = availability.read(event_id)
    return found.plane if found else b""


@cached(TTLCache(maxsize=1000, ttl=60), lock=Lock())
def _plan_hash(event_id: UUID) -> str | None:
    found: str | None = Event.objects.filter(id=event_id).values_list("plan__content_hash", flat=True).first()
    return found


def allowed_mask(event: Event, plan: Plan, max_amount: int | None, tiers: Iterable[int] | None) -> bytes | None:
    """Return one byte a seat, 1 where its price tier fits; None if every tier does."""
    if max_amount is None and tiers is None:
        return None
    wanted = None if tiers is None else set(tiers)
    fitting = {
        tier.number
        for tier in event.tiers.all()
        if (max_amount is None or tier.amount <= max_amount) and (wanted is None or tier.number in wanted)
    }
    by_category = stock.category_tiers(event)
    table = bytes(int(k < len(by_category) and by_category[k] in fitting) for k in range(256))
    return plan.seat_categories.translate(table)


def nearest_groups(event_id: UUID, wanted: Sequence[int], taken: Iterable[int]) -> tuple[Group, ...]:
    """Return up to three groups as good as `wanted` and without `taken`; for the loser, outside transactions."""
    plan_hash, picture = _plan_hash(event_id), near_picture(event_id)
    if plan_hash is None or not picture or not wanted:
        return ()
    plan = plan_of(plan_hash)
    free = bytearray(free_mask(picture, plan.seat_count))
    for index in taken:
        free[index] = 0
    return tuple(alternatives(plan, free, sorted(wanted), 3))
