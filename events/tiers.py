"""How a plan's categories are priced: each belongs to exactly one tier."""

from collections.abc import Iterable, Sequence

from events.models import Event, PriceTier
from seating.models import SeatingPlan
from seating.plans import plan as decoded

# Told apart by lightness and hue under the common colour-vision deficiencies (Okabe and Ito's set, deepened for text).
COLORS = ("#4f46e5", "#0f766e", "#b45309", "#be185d", "#0369a1", "#4d7c0f", "#7c3aed", "#b91c1c")


def category_names(plan: SeatingPlan) -> list[str]:
    """Return the names of the plan's categories that have places, in the plan's order."""
    hall = decoded(plan.content_hash)
    used = set(hall.seat_categories)
    return [category.name for k, category in enumerate(hall.categories) if k in used]


def first_tiers(event: Event) -> list[PriceTier]:
    """Return unsaved tiers to begin with, one for each category of the event's plan, without a price yet."""
    shapes = PriceTier.Shape.values
    return [
        PriceTier(
            event=event,
            number=k,
            name=name[:60],
            categories=[name],
            amount=0,
            color=COLORS[k % len(COLORS)],
            shape=shapes[k % len(shapes)],
        )
        for k, name in enumerate(category_names(event.plan))
    ]


def pricing_faults(plan: SeatingPlan, tiers: Sequence[PriceTier]) -> list[str]:
    """Return what is wrong with the prices of a plan, one sentence each: gaps, doubles, strangers, missing amounts."""
    faults = coverage_faults(category_names(plan), [tier.categories for tier in tiers])
    unpriced = [tier.name for tier in tiers if tier.amount == 0]
    if unpriced:
        faults.append(f"{_list(unpriced)}: set a price.")
    return faults


def coverage_faults(names: Sequence[str], priced: Iterable[Sequence[str]]) -> list[str]:
    """Return where `priced` (the categories of each tier) is not a partition of the plan's category `names`."""
    counts = dict.fromkeys(names, 0)
    strangers: list[str] = []
    for categories in priced:
        for category in categories:
            if category in counts:
                counts[category] += 1
            else:
                strangers.append(category)
    gaps = [name for name, count in counts.items() if count == 0]
    doubles = [name for name, count in counts.items() if count > 1]
    faults = []
    if gaps:
        faults.append(f"{_list(gaps)} of the seating plan has no price: add it to one of the prices.")
    if doubles:
        faults.append(f"{_list(doubles)} has more than one price: leave it in one of them.")
    if strangers:
        faults.append(f"{_list(strangers)} is not in the seating plan: take it out.")
    return faults


def _list(names: Sequence[str]) -> str:
    shown = [f"“{name}”" for name in names[:5]]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(shown) + more
