"""What a hall is: the immutable plan, its sections and rows, and the document they are kept and served as.

The document (format `onsale-plan/1`) is canonical JSON: UTF-8, sorted keys, no spaces. Its SHA-256 is the plan's
identity. A seat's index is its position in the plan, 0..n-1: sections follow one another without a gap, and within a
seated section so do its rows. Standing places come after one another in their section, without coordinates.
"""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any

from seating import shapes
from seating.shapes import Position, Shape, number

FORMAT = "onsale-plan/1"
FLAGS = ("wheelchair", "companion", "restricted", "aisle")
LARGEST_PLAN = 120_000


class NotAPlan(ValueError):
    """The document cannot be a plan; the message names the place and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Category:
    """A price group of seats, by name; what it costs is the event's business."""

    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Row:
    """Neighbouring seats of one section. `numbers` is (start, step) or every number as text.

    `categories` is one category index for all seats, or runs of (category, count).
    """

    label: str
    first: int
    count: int
    at: Shape
    numbers: tuple[int, int] | tuple[str, ...]
    categories: int | tuple[tuple[int, int], ...]

    def positions(self) -> list[Position]:
        """Return where the row's seats are, in index order."""
        return self.at.positions(self.count)

    def seat_number(self, offset: int) -> str:
        """Return what is written on the seat at `offset` in the row."""
        if isinstance(self.numbers[0], int):
            start, step = self.numbers
            return str(int(start) + int(step) * offset)
        return str(self.numbers[offset])

    def category_runs(self) -> tuple[tuple[int, int], ...]:
        """Return the categories as runs of (category, count)."""
        return ((self.categories, self.count),) if isinstance(self.categories, int) else self.categories


@dataclass(frozen=True, slots=True)
class Section:
    """A block of seats, or a standing area of `count` places (then without rows)."""

    name: str
    kind: str
    first: int
    count: int
    outline: tuple[float, ...]
    label: Position
    category: int
    entrance: str = ""
    zone: str = ""
    view: str = ""
    rows: tuple[Row, ...] = ()

    @property
    def is_standing(self) -> bool:
        """Tell whether places have no number here."""
        return self.kind == "standing"

    @property
    def stop(self) -> int:
        """The index after the last of the section."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everybody looks: a polygon x, y, x, y ... and what is written on it."""

    points: tuple[float, ...]
    label: str = "Stage"


@dataclass(frozen=True, slots=True)
class Area:
    """Something drawn and not sold: a wall, a bar, a word. `x`, `y` is the corner of a rectangle, else the middle."""

    shape: str
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    rx: float | None = None
    ry: float | None = None
    r: float | None = None
    points: tuple[float, ...] | None = None
    rotation: float | None = None
    fill: str | None = None
    stroke: str | None = None
    text: str | None = None
    size: float | None = None
    color: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the area as a plan document writes it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class Place:
    """What a ticket says: the section, and the row and number where there are any."""

    section: str
    row: str
    number: str


@dataclass(frozen=True)
class Plan:
    """A hall. Immutable; everything that can be derived from it is derived once and kept."""

    name: str
    width: float
    height: float
    categories: tuple[Category, ...]
    sections: tuple[Section, ...]
    stage: Stage | None = None
    flags: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()

    @cached_property
    def seat_count(self) -> int:
        """How many places there are, standing ones included."""
        return sum(section.count for section in self.sections)

    @cached_property
    def body(self) -> bytes:
        """The canonical JSON document."""
        return canonical_json(to_document(self))

    @cached_property
    def content_hash(self) -> str:
        """The SHA-256 of the document, as 64 hexadecimal digits."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def focus(self) -> Position:
        """The point that seats look at: the middle of the stage's near edge, else the middle of the top."""
        if self.stage is None:
            return (self.width / 2, 0.0)
        xs, ys = self.stage.points[::2], self.stage.points[1::2]
        return ((min(xs) + max(xs)) / 2, max(ys))

    @cached_property
    def _section_starts(self) -> list[int]:
        return [section.first for section in self.sections]

    @cached_property
    def _row_starts(self) -> tuple[list[int], list[Row]]:
        rows = [row for section in self.sections for row in section.rows]
        return [row.first for row in rows], rows

    @cached_property
    def seat_categories(self) -> bytes:
        """The category index of every place, one byte each, in index order."""
        found = bytearray()
        for section in self.sections:
            if section.is_standing:
                found += bytes([section.category]) * section.count
            for row in section.rows:
                for category, count in row.category_runs():
                    found += bytes([category]) * count
        return bytes(found)

    @cached_property
    def positions(self) -> list[Position | None]:
        """Where every seat is, in index order; None for standing places."""
        found: list[Position | None] = []
        for section in self.sections:
            if section.is_standing:
                found += [None] * section.count
            for row in section.rows:
                found += row.positions()
        return found

    @cached_property
    def accessible(self) -> frozenset[int]:
        """Indexes of wheelchair places and the companion seats beside them."""
        return frozenset(self.flags.get("wheelchair", ())) | frozenset(self.flags.get("companion", ()))

    def section_of(self, index: int) -> int:
        """Return the position in `sections` of the section that holds the seat; IndexError outside the plan."""
        if not 0 <= index < self.seat_count:
            raise IndexError(f"{self.name} has no place {index}: it has {self.seat_count}")
        return bisect_right(self._section_starts, index) - 1

    def category_of(self, index: int) -> int:
        """Return the position in `categories` of the seat's category."""
        return self.seat_categories[index]

    def row_of(self, index: int) -> Row | None:
        """Return the seat's row; None for a standing place."""
        if self.sections[self.section_of(index)].is_standing:
            return None
        starts, rows = self._row_starts
        return rows[bisect_right(starts, index) - 1]

    def place(self, index: int) -> Place:
        """Return what a ticket says about the seat; IndexError outside the plan."""
        section = self.sections[self.section_of(index)]
        row = self.row_of(index)
        if row is None:
            return Place(section.name, "", "")
        return Place(section.name, row.label, row.seat_number(index - row.first))

    def section_categories(self, position: int) -> tuple[int, ...]:
        """Return the categories that occur in the section at `position`, ascending."""
        section = self.sections[position]
        return tuple(sorted(set(self.seat_categories[section.first : section.stop])))


def pairs(values: Sequence[float]) -> list[Position]:
    """Return the positions in x, y, x, y ..."""
    return list(zip(values[::2], values[1::2], strict=True))


def flat(positions: Iterable[Position], shift: Position = (0.0, 0.0)) -> tuple[float, ...]:
    """Return x, y, x, y ... rounded, of the positions moved by `shift`."""
    return tuple(value for x, y in positions for value in (number(x + shift[0]), number(y + shift[1])))


def canonical_json(document: Any) -> bytes:
    """Return `document` as UTF-8 JSON with sorted keys and no spaces: the form that is hashed."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def to_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as its document, a tree of dicts, lists, strings and numbers."""
    stage = plan.stage
    return {
        "format": FORMAT,
        "name": plan.name,
        "width": number(plan.width),
        "height": number(plan.height),
        "stage": stage and {"shape": "polygon", "points": list(stage.points), "label": stage.label},
        "categories": [{"name": c.name, "color": c.color} for c in plan.categories],
        "sections": [_section_document(section) for section in plan.sections],
        "flags": {name: _differences(plan.flags[name]) for name in FLAGS if plan.flags.get(name)},
        "areas": [area.document() for area in plan.areas],
    }


def _section_document(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "kind": section.kind,
        "first": section.first,
        "count": section.count,
        "outline": list(section.outline),
        "label": list(section.label),
        "category": section.category,
        "entrance": section.entrance,
        "zone": section.zone,
        "view": section.view,
        "rows": [
            {
                "label": row.label,
                "first": row.first,
                "count": row.count,
                "at": row.at.document(),
                "numbers": list(row.numbers),
                "categories": row.categories
                if isinstance(row.categories, int)
                else [list(run) for run in row.categories],
            }
            for row in section.rows
        ],
    }


def _differences(indexes: Sequence[int]) -> list[int]:
    ordered = sorted(indexes)
    return [ordered[0], *(b - a for a, b in pairwise(ordered))] if ordered else []


def from_document(document: Mapping[str, Any]) -> Plan:
    """Return the plan that `document` writes; `NotAPlan` names the place that is wrong."""
    if document.get("format") != FORMAT:
        raise NotAPlan(f"format: expected {FORMAT}, found {document.get('format')!r}")
    try:
        stage = document["stage"]
        plan = Plan(
            name=document["name"],
            width=document["width"],
            height=document["height"],
            stage=Stage(tuple(stage["points"]), stage["label"]) if stage else None,
            categories=tuple(Category(c["name"], c["color"]) for c in document["categories"]),
            sections=tuple(_section(s, f"sections[{i}]") for i, s in enumerate(document["sections"])),
            flags={name: tuple(accumulate(values)) for name, values in document["flags"].items()},
            areas=tuple(_area(area) for area in document["areas"]),
        )
    except KeyError as error:
        raise NotAPlan(f"{error.args[0]}: missing") from error
    except (TypeError, AttributeError) as error:
        raise NotAPlan(f"the document has something of a wrong type: {error}") from error
    check(plan)
    return plan


def _section(document: Mapping[str, Any], where: str) -> Section:
    return Section(
        name=document["name"],
        kind=document["kind"],
        first=document["first"],
        count=document["count"],
        outline=tuple(document["outline"]),
        label=(document["label"][0], document["label"][1]),
        category=document["category"],
        entrance=document["entrance"],
        zone=document["zone"],
        view=document["view"],
        rows=tuple(_row(r, f"{where}.rows[{i}]") for i, r in enumerate(document["rows"])),
    )


def _row(document: Mapping[str, Any], where: str) -> Row:
    try:
        at = shapes.from_document(document["at"])
    except ValueError as error:
        raise NotAPlan(f"{where}.at: {error}") from error
    categories = document["categories"]
    return Row(
        label=document["label"],
        first=document["first"],
        count=document["count"],
        at=at,
        numbers=tuple(document["numbers"]),
        categories=categories if isinstance(categories, int) else tuple((k, n) for k, n in categories),
    )


def _area(document: Mapping[str, Any]) -> Area:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return Area(**fields)


def check(plan: Plan) -> None:
    """Raise `NotAPlan` unless the plan holds together: indexes without a gap, categories that exist, finite numbers."""
    if not plan.name.strip():
        raise NotAPlan("name: a plan needs a name")
    if not plan.seat_count:
        raise NotAPlan("sections: there is not a single seat")
    if plan.seat_count > LARGEST_PLAN:
        raise NotAPlan(f"sections: {plan.seat_count:,} places are more than the largest plan, {LARGEST_PLAN:,}")
    if not 0 < len(plan.categories) <= 255:
        raise NotAPlan(f"categories: a plan has 1 to 255, not {len(plan.categories)}")
    names = [category.name for category in plan.categories]
    if len(set(names)) < len(names):
        raise NotAPlan("categories: two have the same name")
    for where, values in _coordinates(plan):
        if not all(math.isfinite(value) for value in values):
            raise NotAPlan(f"{where}: not a finite number")
    expected = 0
    for i, section in enumerate(plan.sections):
        _check_section(plan, section, f"sections[{i}]", expected)
        expected = section.stop
    _check_flags(plan)


def _check_flags(plan: Plan) -> None:
    for name, indexes in plan.flags.items():
        if name not in FLAGS:
            raise NotAPlan(f"flags.{name}: not one of {', '.join(FLAGS)}")
        if indexes and (list(indexes) != sorted(set(indexes)) or not 0 <= indexes[0] <= indexes[-1] < plan.seat_count):
            raise NotAPlan(f"flags.{name}: indexes must ascend within the plan")


def _check_section(plan: Plan, section: Section, where: str, expected: int) -> None:
    if section.kind not in ("seated", "standing"):
        raise NotAPlan(f"{where}.kind: {section.kind!r} is neither seated nor standing")
    if section.first != expected or section.count < 1:
        raise NotAPlan(f"{where}: begins at {section.first} with {section.count} places, expected {expected}")
    if len(section.outline) % 2:
        raise NotAPlan(f"{where}.outline: an odd number of coordinates")
    if not 0 <= section.category < len(plan.categories):
        raise NotAPlan(f"{where}.category: {section.category} is not among the categories")
    if section.is_standing:
        if section.rows:
            raise NotAPlan(f"{where}.rows: a standing area has none")
        return
    for j, row in enumerate(section.rows):
        _check_row(plan, row, f"{where}.rows[{j}]", expected)
        expected = row.first + row.count
    if expected != section.stop:
        raise NotAPlan(f"{where}: its rows hold {expected - section.first} seats, not {section.count}")


def _check_row(plan: Plan, row: Row, where: str, expected: int) -> None:
    if row.first != expected or row.count < 1:
        raise NotAPlan(f"{where}: begins at {row.first} with {row.count} seats, expected {expected}")
    if sum(count for _, count in row.category_runs()) != row.count:
        raise NotAPlan(f"{where}.categories: runs do not add up to {row.count} seats")
    if not all(0 <= category < len(plan.categories) for category, _ in row.category_runs()):
        raise NotAPlan(f"{where}.categories: not among the categories")
    if isinstance(row.at, shapes.Points) and len(row.at.values) != 2 * row.count:
        raise NotAPlan(f"{where}.at: {len(row.at.values) // 2} points for {row.count} seats")
    if not row.numbers or (not isinstance(row.numbers[0], int) and len(row.numbers) != row.count):
        raise NotAPlan(f"{where}.numbers: {len(row.numbers)} for {row.count} seats")
    if isinstance(row.numbers[0], int) and len(row.numbers) != 2:
        raise NotAPlan(f"{where}.numbers: expected start and step")


def _coordinates(plan: Plan) -> Iterator[tuple[str, Iterable[float]]]:
    yield "size", (plan.width, plan.height)
    if plan.stage:
        yield "stage.points", plan.stage.points
    for i, section in enumerate(plan.sections):
        yield f"sections[{i}].outline", section.outline
        yield f"sections[{i}].label", section.label
