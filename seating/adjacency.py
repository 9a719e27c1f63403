"""Which free seats belong together: the geometry of best-available, of lone seats and of near alternatives.

Knows nothing of sales. What is free comes as a mask: `bytes`, one byte a seat in index order, 1 where the seat
may be taken and 0 where not. Everything that follows from the plan alone (runs of neighbours, a score for every seat)
is worked out once per plan and kept, so that asking costs milliseconds at 60,000 seats. No verdict here is a claim:
whoever takes the seats locks them and looks again.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby, pairwise
from statistics import median
from threading import Lock

from cachetools import LRUCache, cached

from seating.geometry import Plan
from seating.shapes import Points, Position

Group = tuple[int, ...]
Mask = bytes | bytearray

AISLE_GAP = 1.6
"""Two seats of a row farther apart than this many usual distances have an aisle between them."""

EQUAL_UNITS = 50.0
"""Groups whose scores differ by less than this (1 m) count as equally good, and chance decides between them."""

_SIDEWAYS = 1.25  # A metre to the side costs more view than a metre farther back.
_RESTRICTED = 1e5  # Farther than any seat of any hall: a blocked view is offered when nothing else fits the wish.
_LONE_PENALTY = 200.0  # An alternative that leaves a lone seat must be four metres nearer to be preferred.
_FREE_BYTES = [bytes(int(code >> shift & 3 == 0) for shift in (0, 2, 4, 6)) for code in range(256)]


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbours without an aisle between them: indexes `first` to `stop` - 1. `best` is its lowest seat score."""

    first: int
    stop: int
    section: int
    row: int
    best: float


class Layout:
    """What follows from a plan alone. Scores are distances to the stage in units, weighted; lower is better."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.scores = _scores(plan)
        self.sums = [0.0, *accumulate(self.scores)]
        self.runs, self.rows = self._find_runs()
        self.starts = [run.first for run in self.runs]
        self.by_score = sorted(self.runs, key=lambda run: run.best)
        self.rows_by_score = sorted(self.rows, key=lambda run: run.best)
        ordinary = bytearray(b"\x01" * plan.seat_count)
        for index in plan.accessible:
            ordinary[index] = 0
        self.ordinary = bytes(ordinary)
        self.wheelchair = frozenset(plan.flags.get("wheelchair", ()))

    def _find_runs(self) -> tuple[list[Run], list[Run]]:
        """Return the runs without an aisle, and whole rows (runs of one label joined) where an aisle divides them."""
        runs: list[Run] = []
        rows: list[Run] = []
        for position, section in enumerate(self.plan.sections):
            for number, (_, parts) in enumerate(groupby(section.rows, key=lambda row: row.label)):
                found = []
                for row in parts:
                    cuts = [0, *(_aisles(row.positions()) if isinstance(row.at, Points) else ()), row.count]
                    found += [self._run(row.first + a, row.first + b, position, number) for a, b in pairwise(cuts)]
                runs += found
                if len(found) > 1:
                    rows.append(self._run(found[0].first, found[-1].stop, position, number))
        return runs, rows

    def _run(self, first: int, stop: int, section: int, row: int) -> Run:
        return Run(first, stop, section, row, min(self.scores[first:stop]))

    def run_of(self, index: int) -> Run | None:
        """Return the run that holds the seat; None for a standing place."""
        at = bisect_right(self.starts, index) - 1
        return self.runs[at] if at >= 0 and index < self.runs[at].stop else None

    @cached_property
    def boxes(self) -> list[tuple[float, float, float, float, Run]]:
        """A box left, top, right, bottom around every run."""
        positions = self.plan.positions
        found = []
        for run in self.runs:
            xs, ys = zip(*(p for p in positions[run.first : run.stop] if p is not None), strict=True)
            found.append((min(xs), min(ys), max(xs), max(ys), run))
        return found


@cached(LRUCache(maxsize=32), key=lambda plan: plan.content_hash, lock=Lock())
def layout(plan: Plan) -> Layout:
    """Return what follows from `plan`, from the process's own copy after the first time (0.2 s at 60,000 seats)."""
    return Layout(plan)


def free_mask(plane: bytes, count: int) -> bytes:
    """Return the mask of `count` seats from a seat plane (2 bits a seat, 0 is free)."""
    return b"".join(map(_FREE_BYTES.__getitem__, plane))[:count]


def best_groups(
    plan: Plan,
    free: Mask,
    quantity: int,
    *,
    allowed: Mask | None = None,
    section: int | None = None,
    accessible: bool = False,
    split: bool = False,
    limit: int = 50,
    rng: random.Random | None = None,
) -> list[Group]:
    """Return up to `limit` groups of `quantity` free seats next to each other, the best first; none overlap.

    Groups that leave no seat alone come first, then those that do; where no row has room without crossing an aisle,
    groups across it; where there are none and `split` is allowed, groups over rows one behind the other. `allowed`
    is a second mask (by price, say); `section` is a section's position. Wheelchair places and companion seats are given
    only with `accessible`, and then every group holds a wheelchair place. In a standing section, or a plan with
    nothing else, any free places make a group. `rng` shuffles equals, so that a crowd does not fight for one group.
    """
    if quantity < 1 or len(free) != plan.seat_count:
        raise ValueError(f"{quantity} of {len(free)} seats asked of a plan of {plan.seat_count}")
    rng = rng or random.Random()  # noqa: S311 - a shuffle, not a secret.
    house = layout(plan)
    is_standing = section is not None and plan.sections[section].is_standing
    if is_standing or (section is None and not house.runs):
        sections = range(len(plan.sections)) if section is None else (section,)
        return _standing_groups(plan, sections, _both(free, allowed), quantity, limit=limit, rng=rng)
    usable = _both(free, allowed if accessible else _both(house.ordinary, allowed))
    wish = _Wish(free, usable, quantity, section, accessible, limit, rng)
    return (
        _windows(house, house.by_score, wish)
        or _windows(house, house.rows_by_score, wish)
        or (_split_groups(house, wish) if split else [])
    )


def leaves_lone_seat(plan: Plan, free: Mask, indexes: Iterable[int]) -> list[int]:
    """Return the free seats that taking `indexes` would leave alone, ascending.

    A seat is alone when both its neighbours are taken or the end of its run. One that was alone before is not
    counted, nor are wheelchair places and companion seats, which nobody else is waiting for.
    """
    house, taken = layout(plan), set(indexes)
    lone = set()
    for index in taken:
        run = house.run_of(index)
        if run is None:
            continue
        for seat in (index - 1, index + 1):
            if not run.first <= seat < run.stop or not free[seat] or seat in taken or not house.ordinary[seat]:
                continue
            neighbours = [n for n in (seat - 1, seat + 1) if run.first <= n < run.stop and free[n]]
            if neighbours and taken.issuperset(neighbours):
                lone.add(seat)
    return sorted(lone)


def alternatives(plan: Plan, free: Mask, wanted: Sequence[int], limit: int = 3) -> list[Group]:
    """Return up to `limit` groups as large as `wanted`, of its categories and as near to it as can be, nearest first.

    For the loser of a click. The groups do not overlap; they prefer to leave no lone seat. Wheelchair places are
    offered only to who wanted one.
    """
    first = plan.section_of(wanted[0])
    quantity = len(wanted)
    categories = {plan.category_of(index) for index in wanted}
    equal = _both(free, plan.seat_categories.translate(bytes(int(k in categories) for k in range(256))))
    if plan.sections[first].is_standing:
        rng = random.Random()  # noqa: S311 - a shuffle, not a secret.
        return _standing_groups(plan, [first], equal, quantity, limit=limit, rng=rng)
    house = layout(plan)
    if plan.accessible.isdisjoint(wanted):
        equal = _both(equal, house.ordinary)
    chairs = len(house.wheelchair.intersection(wanted))
    positions = plan.positions
    x, y = _middle(positions[index] for index in wanted)
    order = sorted((_distance_to_box(box, x, y), box[4].first, box[4]) for box in house.boxes)
    found: list[tuple[float, Group]] = []
    ones = b"\x01" * quantity
    for nearest, _, run in order:
        if len(found) >= limit and nearest > sorted(found)[limit - 1][0]:
            break
        if equal.find(ones, run.first, run.stop) < 0:
            continue

        def cost(start: int, run: Run = run) -> float:
            group = range(start, start + quantity)
            if len(house.wheelchair.intersection(group)) != chairs:
                return math.inf
            middle = _middle(positions[index] for index in group)
            lone = _LONE_PENALTY if _leaves_lone(house, free, run, start, quantity) else 0.0
            return math.dist(middle, (x, y)) + lone

        for first_free, stop in _segments(equal, run.first, run.stop, quantity):
            found += [(c, tuple(range(s, s + quantity))) for c, s in _tile(first_free, stop, quantity, cost)]
    return [group for _, group in sorted(found)[:limit]]


def _scores(plan: Plan) -> list[float]:
    fx, fy = plan.focus
    hypot = math.hypot
    scores = [0.0 if p is None else hypot((p[0] - fx) * _SIDEWAYS, p[1] - fy) for p in plan.positions]
    for index in plan.flags.get("restricted", ()):
        scores[index] += _RESTRICTED
    return scores


def _aisles(positions: Sequence[Position]) -> list[int]:
    """Return the offsets at which a new run begins."""
    if len(positions) < 3:
        return []
    steps = [math.dist(a, b) for a, b in pairwise(positions)]
    usual = median(steps)
    return [i + 1 for i, step in enumerate(steps) if step > usual * AISLE_GAP]


def _both(a: Mask, b: Mask | None) -> bytes:
    """Return the mask of what is in both; whole masks as one number each are 200 times faster than a loop."""
    if b is None:
        return bytes(a)
    return (int.from_bytes(a, "little") & int.from_bytes(b, "little")).to_bytes(len(a), "little")


def _segments(mask: Mask, first: int, stop: int, quantity: int) -> Iterable[tuple[int, int]]:
    """Yield (first, stop) of every stretch of at least `quantity` free seats between `first` and `stop`."""
    ones = b"\x01" * quantity
    at = mask.find(ones, first, stop)
    while at >= 0:
        end = mask.find(b"\x00", at, stop)
        end = stop if end < 0 else end
        yield at, end
        at = mask.find(ones, end, stop)


def _tile(first: int, stop: int, quantity: int, cost: Callable[[int], float]) -> list[tuple[float, int]]:
    """Return (cost, start) of groups between `first` and `stop` that do not overlap: the cheapest, then beside it."""
    if stop - first < quantity:
        return []
    least, start = min((cost(at), at) for at in range(first, stop - quantity + 1))
    if least == math.inf:
        return []
    return [
        (least, start),
        *_tile(first, start, quantity, cost),
        *_tile(start + quantity, stop, quantity, cost),
    ]


def _leaves_lone(house: Layout, free: Mask, run: Run, start: int, quantity: int) -> bool:
    """Tell whether a group at `start` leaves one free seat by itself to its left or right."""
    left, right = start - 1, start + quantity
    alone_left = left >= run.first and free[left] and not (left > run.first and free[left - 1]) and house.ordinary[left]
    alone_right = (
        right < run.stop and free[right] and not (right + 1 < run.stop and free[right + 1]) and house.ordinary[right]
    )
    return bool(alone_left or alone_right)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked of `best_groups`; `usable` is what may be given, `free` what may be left alone."""

    free: Mask
    usable: Mask
    quantity: int
    section: int | None
    accessible: bool
    limit: int
    rng: random.Random


def _windows(house: Layout, runs: Iterable[Run], wish: _Wish) -> list[Group]:
    """Return the best groups inside single runs; `runs` come by their best score, so the search stops early."""
    sums, chairs = house.sums, house.wheelchair
    usable, quantity, limit, accessible = wish.usable, wish.quantity, wish.limit, wish.accessible
    ones = b"\x01" * quantity
    # Two heaps of (-rank, start), worst on top: groups that leave nobody alone, and the others for when these run out.
    clean: list[tuple[float, int]] = []
    others: list[tuple[float, int]] = []
    for run in runs:
        if wish.section is not None and run.section != wish.section:
            continue
        if len(clean) >= limit and run.best // EQUAL_UNITS > -clean[0][0] and not accessible:
            break
        if usable.find(ones, run.first, run.stop) < 0 or (accessible and chairs.isdisjoint(range(run.first, run.stop))):
            continue

        def cost(start: int, run: Run = run) -> float:
            if not accessible:
                lone = 1e9 if _leaves_lone(house, wish.free, run, start, quantity) else 0.0
                return lone + (sums[start + quantity] - sums[start]) / quantity
            # Fewest wheelchair places first: they are for who needs them.
            used = len(chairs.intersection(range(start, start + quantity)))
            return used * 1e6 + (sums[start + quantity] - sums[start]) / quantity if used else math.inf

        for first, stop in _segments(usable, run.first, run.stop, quantity):
            for least, start in _tile(first, stop, quantity, cost):
                heap = others if least >= 1e9 else clean
                rank = (least % 1e9) // EQUAL_UNITS + wish.rng.random()
                heapq.heappush(heap, (-rank, start))
                if len(heap) > limit:
                    heapq.heappop(heap)
    ordered = [start for _, start in sorted(clean, reverse=True)] + [start for _, start in sorted(others, reverse=True)]
    return [tuple(range(start, start + quantity)) for start in ordered[:limit]]


def _split_groups(house: Layout, wish: _Wish) -> list[Group]:
    """Return groups over two, three ... rows, one behind the other in one section, each part as near as can be."""
    quantity = wish.quantity
    by_row: dict[tuple[int, int], list[Run]] = {}
    for run in house.runs:
        if wish.section is None or run.section == wish.section:
            by_row.setdefault((run.section, run.row), []).append(run)
    for parts in range(2, min(quantity, 6) + 1):
        sizes = [quantity // parts + (i < quantity % parts) for i in range(parts)]
        found: list[tuple[float, Group]] = []
        for key in by_row:
            rows = [by_row.get((key[0], key[1] + i)) for i in range(parts)]
            group = _stacked(house, wish.usable, rows, sizes)
            if group and (not wish.accessible or not house.wheelchair.isdisjoint(group)):
                found.append((sum(house.scores[i] for i in group) / quantity, group))
        if found:
            chosen: list[Group] = []
            taken: set[int] = set()
            for _, group in sorted(found):
                if taken.isdisjoint(group) and len(chosen) < wish.limit:
                    chosen.append(group)
                    taken.update(group)
            return chosen
    return []


def _stacked(house: Layout, usable: Mask, rows: Sequence[list[Run] | None], sizes: Sequence[int]) -> Group | None:
    """Return one group with `sizes[i]` seats in `rows[i]`, each part nearest to the one in front; None if no room."""
    positions, sums = house.plan.positions, house.sums
    group: list[int] = []
    before: Position | None = None
    for runs, size in zip(rows, sizes, strict=True):
        starts = [
            start
            for run in runs or ()
            for first, stop in _segments(usable, run.first, run.stop, size)
            for start in range(first, stop - size + 1)
        ]
        if not starts:
            return None

        def cost(start: int, size: int = size, before: Position | None = before) -> float:
            if before is None:
                return sums[start + size] - sums[start]
            return math.dist(_middle(positions[i] for i in range(start, start + size)), before)

        best = min(starts, key=cost)
        group += range(best, best + size)
        before = _middle(positions[i] for i in range(best, best + size))
    return tuple(sorted(group))


def _standing_groups(
    plan: Plan, sections: Iterable[int], usable: Mask, quantity: int, *, limit: int, rng: random.Random
) -> list[Group]:
    """Return groups of any free places of one standing section, beginning at a place that chance picks."""
    found: list[Group] = []
    for position in sections:
        section = plan.sections[position]
        places = [i for i in range(section.first, section.stop) if usable[i]]
        if len(places) < quantity:
            continue
        start = rng.randrange(len(places))
        places = places[start:] + places[:start]
        count = min(limit - len(found), len(places) // quantity)
        found += [tuple(sorted(places[i * quantity : (i + 1) * quantity])) for i in range(count)]
    return found


def _middle(positions: Iterable[Position | None]) -> Position:
    """Return the mean of the positions there are."""
    known = [p for p in positions if p is not None]
    return (sum(x for x, _ in known) / len(known), sum(y for _, y in known) / len(known))


def _distance_to_box(box: tuple[float, float, float, float, Run], x: float, y: float) -> float:
    left, top, right, bottom, _ = box
    return math.hypot(max(left - x, 0.0, x - right), max(top - y, 0.0, y - bottom))
