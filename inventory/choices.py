"""What can be chosen, in words: the sections of a hall and the rows of one, with what is free and what it costs.

The page of whoever has no use for a picture of seats. It reads the same plane as the map and claims nothing.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import compress

from events.models import Event, PriceTier
from inventory import availability
from inventory.plane import FREE, code_at
from inventory.stock import category_tiers
from seating.adjacency import free_mask
from seating.geometry import Plan, Row, Section
from seating.plans import plan as plan_of


@dataclass(frozen=True)
class SectionChoice:
    """One section: how many places are free in it, and the lowest and highest price of those."""

    position: int
    name: str
    zone: str
    is_standing: bool
    entrance: str
    view: str
    free: int
    from_amount: int | None
    to_amount: int | None


@dataclass(frozen=True)
class SeatChoice:
    """One seat of a row; `state` is free, mine or taken."""

    index: int
    number: str
    tier: PriceTier
    state: str
    is_wheelchair: bool
    is_companion: bool
    is_restricted: bool
    is_after_aisle: bool


@dataclass(frozen=True)
class RowChoice:
    """One row of a section with its seats from left to right."""

    label: str
    free: int
    seats: tuple[SeatChoice, ...]


def sections(event: Event) -> list[SectionChoice]:
    """Return the event's sections in the plan's order; `availability.Busy` when nothing is known just now."""
    plan = plan_of(event.plan.content_hash)
    mask = free_mask(availability.plane(event.pk), plan.seat_count)
    amounts = [tier.amount for tier in _tiers(event, plan)]
    found = []
    for position, section in enumerate(plan.sections):
        here = slice(section.first, section.stop)
        free = Counter(compress(plan.seat_categories[here], mask[here]))
        prices = [amounts[category] for category in free]
        found.append(
            SectionChoice(
                position=position,
                name=section.name,
                zone=section.zone,
                is_standing=section.is_standing,
                entrance=section.entrance,
                view=section.view,
                free=free.total(),
                from_amount=min(prices, default=None),
                to_amount=max(prices, default=None),
            )
        )
    return found


def rows(event: Event, section: Section, mine: frozenset[int]) -> list[RowChoice]:
    """Return the rows of one seated section; the fan's own seats are `mine`."""
    plan = plan_of(event.plan.content_hash)
    plane = availability.plane(event.pk)
    tiers = _tiers(event, plan)
    flags = {name: frozenset(plan.flags.get(name, ())) for name in ("wheelchair", "companion", "restricted", "aisle")}

    def seat(row: Row, offset: int) -> SeatChoice:
        index = row.first + offset
        is_free = code_at(plane, index) == FREE
        return SeatChoice(
            index=index,
            number=row.seat_number(offset),
            tier=tiers[plan.category_of(index)],
            state="mine" if index in mine else "free" if is_free else "taken",
            is_wheelchair=index in flags["wheelchair"],
            is_companion=index in flags["companion"],
            is_restricted=index in flags["restricted"],
            is_after_aisle=offset > 0 and index in flags["aisle"] and index - 1 in flags["aisle"],
        )

    found = []
    for row in section.rows:
        seats = tuple(seat(row, offset) for offset in range(row.count))
        found.append(RowChoice(row.label, sum(s.state == "free" for s in seats), seats))
    return found


def _tiers(event: Event, plan: Plan) -> list[PriceTier]:
    """Return the price tier of each category of the plan."""
    by_number = {tier.number: tier for tier in event.tiers.all()}
    numbers = category_tiers(event)
    return [by_number[numbers[category]] for category in range(len(plan.categories))]
