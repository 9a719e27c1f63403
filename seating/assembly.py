"""Puts a plan together from seats that came one by one: rows get their shape, sections their outline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import floor, inf, sqrt

from seating.geometry import FLAGS, NotAPlan, Row, Section
from seating.shapes import Position, fit, number

MARGIN = 15
"""From the middle of the outermost seats to the outline of their section, in units."""

PALETTE = ("#4f46e5", "#0f766e", "#b45309", "#be185d", "#0369a1", "#4d7c0f", "#7c3aed", "#b91c1c")
"""Colours of categories that come without one, told apart under the common colour-vision deficiencies."""


@dataclass(slots=True)
class FoundSeat:
    """A seat as a file gives it: where it is, its number as text, the position of its category."""

    x: float
    y: float
    number: str
    category: int
    flags: frozenset[str] = frozenset()
    guid: str = ""


@dataclass(slots=True)
class FoundSection:
    """A section as a file gives it: rows of (label, seats), or `places` to stand around `middle`."""

    name: str
    rows: list[tuple[str, list[FoundSeat]]] = field(default_factory=list)
    places: int = 0
    middle: Position = (0.0, 0.0)
    category: int = 0
    flags: frozenset[str] = frozenset()


def shift_into_view(found: Iterable[FoundSection], corners: Iterable[Position]) -> Position:
    """Return how far everything must move so that nothing, `corners` included, is left of or above the origin.

    Whole units and one to spare: curves fitted afterwards move a little, and what was moved once must not move again.
    """
    xs, ys = [0.0], [0.0]
    for section in found:
        for _, seats in section.rows:
            xs += [seat.x - MARGIN for seat in seats]
            ys += [seat.y - MARGIN for seat in seats]
    for x, y in corners:
        xs.append(x)
        ys.append(y)
    return (_spare(min(xs)), _spare(min(ys)))


def _spare(lowest: float) -> float:
    return 1.0 - floor(lowest) if lowest < 0 else 0.0


def assemble(
    found: Iterable[FoundSection], shift: Position = (0.0, 0.0)
) -> tuple[tuple[Section, ...], dict[str, tuple[int, ...]], list[str]]:
    """Return the sections, the flags and the seats' guids in index order; everything is moved by `shift`."""
    sections: list[Section] = []
    flags: dict[str, list[int]] = {name: [] for name in FLAGS}
    guids: list[str] = []
    first = 0
    for section in found:
        if section.places:
            sections.append(_standing(section, first, shift))
            for flag in section.flags:
                flags[flag].extend(range(first, first + section.places))
            guids += [""] * section.places
            first += section.places
            continue
        rows: list[Row] = []
        at = first
        for label, seats in section.rows:
            shape = fit([(seat.x + shift[0], seat.y + shift[1]) for seat in seats])
            rows.append(Row(label, at, len(seats), shape, numbers([s.number for s in seats]), _runs(seats)))
            for offset, seat in enumerate(seats):
                for flag in seat.flags:
                    flags[flag].append(at + offset)
                guids.append(seat.guid)
            at += len(seats)
        if at == first:
            continue
        outline = hull([p for row in rows for p in row.positions()])
        kinds = Counter(seat.category for _, seats in section.rows for seat in seats)
        xs, ys = outline[::2], outline[1::2]
        middle = (number((min(xs) + max(xs)) / 2), number((min(ys) + max(ys)) / 2))
        main = kinds.most_common(1)[0][0]
        sections.append(Section(section.name, "seated", first, at - first, outline, middle, main, rows=tuple(rows)))
        first = at
    return tuple(sections), {name: tuple(sorted(i)) for name, i in flags.items() if i}, guids


def _standing(section: FoundSection, first: int, shift: Position) -> Section:
    """Return a standing area as a square of a fitting size around its middle: files do not tell its outline."""
    x, y = number(section.middle[0] + shift[0]), number(section.middle[1] + shift[1])
    half = number(sqrt(section.places) * 12)
    outline = tuple(number(v) for v in (x - half, y - half, x + half, y - half, x + half, y + half, x - half, y + half))
    return Section(section.name, "standing", first, section.places, outline, (x, y), section.category)


def numbers(texts: Sequence[str]) -> tuple[int, int] | tuple[str, ...]:
    """Return seat numbers as (start, step) where they count evenly, else as they are."""
    if all(text.isascii() and text.isdigit() and str(int(text)) == text for text in texts):
        values = [int(text) for text in texts]
        step = values[1] - values[0] if len(values) > 1 else 1
        if all(value == values[0] + step * i for i, value in enumerate(values)):
            return (values[0], step)
    return tuple(texts)


def _runs(seats: Sequence[FoundSeat]) -> int | tuple[tuple[int, int], ...]:
    runs = tuple((category, len(list(run))) for category, run in groupby(seat.category for seat in seats))
    return runs[0][0] if len(runs) == 1 else runs


def hull(positions: Iterable[Position]) -> tuple[float, ...]:
    """Return the convex outline x, y, x, y ... around squares at the positions (Andrew's monotone chain, 1979)."""
    corners = sorted({(x + dx, y + dy) for x, y in positions for dx in (-MARGIN, MARGIN) for dy in (-MARGIN, MARGIN)})
    chains: list[Position] = []
    for ordered in (corners, corners[::-1]):
        chain: list[Position] = []
        for point in ordered:
            while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return tuple(number(value) for point in chains for value in point)


def _turn(a: Position, b: Position, c: Position) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def extent(sections: Iterable[Section], points: Iterable[Position]) -> Position:
    """Return the size that holds every outline and point."""
    right = bottom = -inf
    for section in sections:
        right, bottom = max(right, *section.outline[::2]), max(bottom, *section.outline[1::2])
    for x, y in points:
        right, bottom = max(right, x), max(bottom, y)
    if right == -inf:
        raise NotAPlan("there is not a single seat")
    return (right, bottom)
