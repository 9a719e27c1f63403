"""A plan being drawn: sections and rows without indexes, which `finish` deals out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import acos, ceil, cos, pi, sin
from typing import Protocol, TypeVar

from seating.geometry import LARGEST_PLAN, Area, Category, Plan, Row, Section, Stage, flat, pairs
from seating.shapes import Arc, Line, Position, Shape, number

SEAT_PITCH = 25
"""Middle to middle of two seats in a row: 50 cm."""

PLATFORM_PITCH = 45
"""Middle to middle of two places on a wheelchair platform: 90 cm."""

UNITS_PER_METRE = 50


class Ground(Protocol):
    """A ground plan that knows how many can sit in it."""

    def capacity(self) -> int:
        """Return how many can sit."""


G = TypeVar("G", bound=Ground)


def smallest(build: Callable[[float], G], seats: int, low: float, high: float) -> G:
    """Return the smallest ground plan that seats `seats`, its scale found between two others by bisection."""
    for _ in range(40):
        middle = (low + high) / 2
        if build(middle).capacity() >= seats:
            high = middle
        else:
            low = middle
    return build(high)


@dataclass(slots=True)
class RowDraft:
    """A row to be: `flags` names flags and the offsets in the row that carry them."""

    label: str
    at: Shape
    count: int
    category: int
    first_number: int = 1
    flags: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(slots=True)
class SectionDraft:
    """A section to be: seated with `rows`, or standing with `places`."""

    name: str
    outline: Sequence[Position]
    label: Position
    category: int
    rows: list[RowDraft] = field(default_factory=list)
    places: int = 0
    entrance: str = ""
    zone: str = ""
    view: str = ""

    @property
    def count(self) -> int:
        """How many places it will have."""
        return self.places or sum(row.count for row in self.rows)


def check_size(seats: int, smallest: int) -> None:
    """Raise `ValueError` unless a hall of `seats` places can be drawn."""
    if not smallest <= seats <= LARGEST_PLAN:
        raise ValueError(f"{seats:,} places: this hall can have {smallest:,} to {LARGEST_PLAN:,}")


def finish(
    *,
    name: str,
    size: tuple[float, float],
    categories: Iterable[tuple[str, str]],
    sections: Iterable[SectionDraft],
    stage: Stage,
    areas: Iterable[Area],
    shift: Position,
) -> Plan:
    """Return the plan: everything moved by `shift`, every place given its index."""
    flags: dict[str, list[int]] = {}
    finished: list[Section] = []
    first = 0
    for draft in sections:
        rows: list[Row] = []
        at = first
        for row in draft.rows:
            rows.append(
                Row(row.label, at, row.count, moved(row.at, shift), (row.first_number, 1), row.category),
            )
            for flag, offsets in row.flags.items():
                flags.setdefault(flag, []).extend(at + offset for offset in offsets)
            at += row.count
        finished.append(
            Section(
                name=draft.name,
                kind="seated" if draft.rows else "standing",
                first=first,
                count=draft.count,
                outline=flat(draft.outline, shift),
                label=(number(draft.label[0] + shift[0]), number(draft.label[1] + shift[1])),
                category=draft.category,
                entrance=draft.entrance,
                zone=draft.zone,
                view=draft.view,
                rows=tuple(rows),
            )
        )
        first += draft.count
    return Plan(
        name=name,
        width=number(size[0]),
        height=number(size[1]),
        stage=replace(stage, points=flat(pairs(stage.points), shift)),
        categories=tuple(Category(*category) for category in categories),
        sections=tuple(finished),
        flags={flag: tuple(sorted(indexes)) for flag, indexes in flags.items()},
        areas=tuple(_moved_area(area, shift) for area in areas),
    )


def moved(shape: Shape, shift: Position) -> Shape:
    """Return the shape elsewhere."""
    dx, dy = shift
    if isinstance(shape, Arc):
        return Arc.of((shape.cx + dx, shape.cy + dy), shape.r, shape.a0, shape.a1)
    if isinstance(shape, Line):
        return Line.of((shape.x0 + dx, shape.y0 + dy), (shape.x1 + dx, shape.y1 + dy))
    raise TypeError("generators draw lines and arcs")


def _moved_area(area: Area, shift: Position) -> Area:
    if area.points is not None:
        return replace(area, points=flat(pairs(area.points), shift))
    return replace(area, x=number((area.x or 0) + shift[0]), y=number((area.y or 0) + shift[1]))


def on_circle(centre: Position, radius: float, angle: float) -> Position:
    """Return the point at `angle` radians (y down, clockwise from the right)."""
    return (centre[0] + radius * cos(angle), centre[1] + radius * sin(angle))


def curve(centre: Position, radius: float, start: float, stop: float, sag: float = 2.5) -> list[Position]:
    """Return points along an arc, near enough to each other that no chord leaves it by more than `sag` units."""
    steps = max(1, ceil(abs(stop - start) / (2 * acos(1 - min(0.5, sag / radius)))))
    return [on_circle(centre, radius, start + (stop - start) * i / steps) for i in range(steps + 1)]


def wedge(centre: Position, *, inner: float, outer: float, start: float, stop: float, trim: float) -> list[Position]:
    """Return the outline between two radii and two angles, with sides moved inward by `trim` units."""
    a, b = trim / inner, trim / outer
    return [*curve(centre, inner, start + a, stop - a), *curve(centre, outer, stop - b, start + b)]


def row_of_seats(
    centre: Position, radius: float, start: float, stop: float, *, aisle: float, pitch: float = SEAT_PITCH
) -> tuple[Arc, int]:
    """Return the arc and count of as many seats as fit between two angles (radians), half an aisle free at each end."""
    room = radius * (stop - start) - aisle
    return centred_row(centre, radius, (start + stop) / 2, max(0, int(room // pitch)), pitch)


def centred_row(
    centre: Position, radius: float, middle: float, count: int, pitch: float = SEAT_PITCH
) -> tuple[Arc, int]:
    """Return the arc of `count` seats around the angle `middle`, and `count`."""
    half = max(0, count - 1) * pitch / 2 / radius
    return Arc.of(centre, radius, (middle - half) * 180 / pi, (middle + half) * 180 / pi), count


def letters(position: int) -> str:
    """Return the label of a theatre's row: A, B ... Z, AA, BB ...; without I and O, which look like digits."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return alphabet[position % len(alphabet)] * (position // len(alphabet) + 1)


def platform_flags(count: int) -> dict[str, Sequence[int]]:
    """Return the flags of a wheelchair platform: a wheelchair place, a companion seat beside it, and so on."""
    return {"wheelchair": range(0, count, 2), "companion": range(1, count, 2)}
