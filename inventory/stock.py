"""Turns a plan into stock: one Seat row for every place of an event, standing places too."""

from collections.abc import Iterator
from itertools import groupby

from django.db import connection, transaction

from events.models import Event
from seating.geometry import Plan
from seating.plans import plan as plan_of


class CategoriesUnpriced(Exception):
    """The event cannot be sold: a category of its plan belongs to no price tier, or to two."""


def category_tiers(event: Event) -> list[int]:
    """Return the price tier's number for every category of the event's plan, in the plan's order.

    `CategoriesUnpriced` names the categories without a tier and those with several.
    """
    plan = plan_of(event.plan.content_hash)
    found: dict[str, int] = {}
    for tier in event.tiers.order_by("number"):
        for name in tier.categories:
            if name in found:
                raise CategoriesUnpriced(f"{event}: two price tiers sell the category {name}.")
            found[name] = tier.number
    used = set(plan.seat_categories)
    missing = [c.name for k, c in enumerate(plan.categories) if k in used and c.name not in found]
    if missing:
        raise CategoriesUnpriced(f"{event}: no price tier sells {', '.join(missing)}.")
    return [found.get(category.name, 0) for category in plan.categories]


def seat_runs(plan: Plan, tiers: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (first index, count, section, tier) for each run of places alike, in index order.

    `tiers` holds the tier of every category, as `category_tiers` returns it.
    """
    categories = plan.seat_categories
    for position, section in enumerate(plan.sections):
        first = section.first
        for tier, run in groupby(categories[section.first : section.stop], key=tiers.__getitem__):
            count = sum(1 for _ in run)
            yield first, count, position, tier
            first += count


# A run of seats is four numbers, so 60,000 rows need a few kilobytes of parameters. Written in index order: an
# event's rows are then one range of pages, and stay it.
_INSERT = """
INSERT INTO inventory_seat (event_id, index, section, tier, state, version)
SELECT %s, i, run.section, run.tier, 0, 0
FROM unnest(%s::int[], %s::int[], %s::smallint[], %s::smallint[]) AS run (first, count, section, tier),
     generate_series(run.first, run.first + run.count - 1) AS i
ORDER BY i
ON CONFLICT (event_id, index) DO NOTHING
"""


def create_stock(event: Event) -> int:
    """Create the event's Seat rows, all free, and return how many were missing: 0 the second time.

    `CategoriesUnpriced` if some category has no tier; then nothing is written. Two at once create every seat once.
    """
    plan = plan_of(event.plan.content_hash)
    first, count, section, tier = zip(*seat_runs(plan, category_tiers(event)), strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INSERT, [event.id, list(first), list(count), list(section), list(tier)])
        return cursor.rowcount
