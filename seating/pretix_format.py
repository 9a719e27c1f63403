"""Reads pretix seating plans (JSON, format 0.0.1), including what real files and the first version do.

Unknown keys are accepted with a warning. What cannot be a plan is refused with the place named, for example
`zones[2].rows[0].seats[5]: category "Foo" is not among the categories`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, radians, sin
from typing import Any

from seating import assembly
from seating.assembly import FoundSeat, FoundSection
from seating.geometry import FLAGS, LARGEST_PLAN, Area, Category, NotAPlan, Plan, Stage, flat, pairs
from seating.shapes import Position, number

_KNOWN = {
    "root": {"name", "zones", "categories", "size"},
    "category": {"name", "color"},
    "zone": {"name", "zone_id", "uuid", "position", "rows", "areas", "displayed"},
    "row": {
        "row_number", "row_label", "seat_label", "uuid", "seats", "row_number_position", "position",
        "number_of_seats", "seats_spacing",
    },
    "seat": {"seat_guid", "seat_number", "uuid", "start_direction", "radius", "position", "category"},
    "area": {
        "color", "border_color", "rotation", "position", "uuid", "shape", "polygon", "rectangle", "ellipse", "circle",
        "text", "width", "height",
    },
}  # fmt: skip
_STAGE = re.compile(r"\s*(stage|main stage|bühne|scène|escenario|palco|palcoscenico|screen|leinwand)\s*", re.IGNORECASE)
_COLOR = re.compile(r"#([0-9a-fA-F]{3}){1,2}")
_SPACING = 25.0  # Between seats that a first-version row only counts.


@dataclass
class Reading:
    """A plan read from a file, its seats' guids in index order, and what was odd about it."""

    plan: Plan
    guids: list[str]
    warnings: list[str]


@dataclass
class _Notes:
    """Warnings being gathered: a strange key is told once, with the first place and how often."""

    lines: list[str] = field(default_factory=list)
    strange: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def keys(self, kind: str, value: Mapping[str, Any], where: str) -> None:
        for key in value.keys() - _KNOWN[kind]:
            self.strange.setdefault((kind, str(key)[:60]), []).append(where)

    def told(self) -> list[str]:
        lines = list(self.lines)
        for (kind, key), places in sorted(self.strange.items()):
            meaning = "read as a flag" if kind == "seat" and key in FLAGS else "ignored"
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            lines.append(f'{places[0]}{more}: the key "{key}" is not part of the format, {meaning}')
        return lines


def read(document: Any, *, name: str = "") -> Reading:
    """Return the plan in a decoded pretix document; `name` overrides its own. `NotAPlan` names the place."""
    notes = _Notes()
    root = _object(document, "the file")
    notes.keys("root", root, "the file")
    categories = _categories(root, notes)
    zones = _list(root.get("zones"), "zones")
    found: list[FoundSection] = []
    areas: list[Area] = []
    guids: dict[str, str] = {}
    positions = {category.name: k for k, category in enumerate(categories)}
    for i, zone in enumerate(zones):
        found.append(_zone(zone, f"zones[{i}]", positions, guids, notes))
        areas += _zone_areas(zone, f"zones[{i}]", notes)
    stage, areas = _take_stage(areas)
    corners = [point for area in areas for point in area_corners(area)] + (pairs(stage.points) if stage else [])
    shift = assembly.shift_into_view(found, corners)
    sections, flags, seat_guids = assembly.assemble(found, shift)
    if not sections:
        raise NotAPlan("zones: there is not a single seat")
    areas = [_shifted(area, shift) for area in areas]
    if stage:
        stage = Stage(flat(pairs(stage.points), shift), stage.label)
    points = [(x + shift[0], y + shift[1]) for x, y in corners]
    width, height = _size(root, notes)
    right, bottom = assembly.extent(sections, points)
    plan = Plan(
        name=(name or _text(root.get("name", ""), "name")).strip() or "Seating plan",
        width=number(max(width, right)),
        height=number(max(height, bottom)),
        categories=tuple(categories),
        sections=sections,
        stage=stage,
        flags=flags,
        areas=tuple(areas),
    )
    return Reading(plan, seat_guids, notes.told())


def _categories(root: Mapping[str, Any], notes: _Notes) -> list[Category]:
    found: list[Category] = []
    for i, value in enumerate(_list(root.get("categories"), "categories")):
        where = f"categories[{i}]"
        category = _object(value, where)
        notes.keys("category", category, where)
        name = _text(category.get("name"), f"{where}.name").strip()
        if not name:
            raise NotAPlan(f"{where}.name: a category needs a name")
        if any(other.name == name for other in found):
            raise NotAPlan(f'{where}.name: "{name}" is the name of another category too')
        found.append(Category(name, _color(category.get("color")) or assembly.PALETTE[i % len(assembly.PALETTE)]))
    if not found:
        raise NotAPlan("categories: there is none, and every seat needs one")
    return found


def _size(root: Mapping[str, Any], notes: _Notes) -> Position:
    if "size" not in root or root["size"] is None:
        notes.lines.append("size: missing, taken from the seats")
        return (0.0, 0.0)
    size = _object(root["size"], "size")
    return (_number(size.get("width"), "size.width"), _number(size.get("height"), "size.height"))


def _zone(value: Any, where: str, categories: Mapping[str, int], guids: dict[str, str], notes: _Notes) -> FoundSection:
    zone = _object(value, where)
    notes.keys("zone", zone, where)
    name = _text(zone.get("name") or "", f"{where}.name").strip()
    if not name:
        name = f"Section {int(where[6:-1]) + 1}"
        notes.lines.append(f'{where}.name: missing, called "{name}"')
    section = FoundSection(name)
    zx, zy = _position(zone, where, notes)
    for j, row_value in enumerate(_list(zone.get("rows") or [], f"{where}.rows")):
        place = f"{where}.rows[{j}]"
        row = _object(row_value, place)
        notes.keys("row", row, place)
        rx, ry = _position(row, place, notes)
        label = _text(_given(row, "row_number", ""), f"{place}.row_number").strip()
        if not label:
            label = str(j + 1)
            notes.lines.append(f'{place}.row_number: missing, called "{label}"')
        seats = list(_seats(row, place, (zx + rx, zy + ry), categories, guids, notes))
        if seats:
            section.rows.append((label, seats))
        else:
            notes.lines.append(f"{place}.seats: empty, left out")
        if len(guids) > LARGEST_PLAN:
            raise NotAPlan(f"{place}: more than {LARGEST_PLAN:,} seats, the largest plan there is")
    return section


def _seats(  # noqa: PLR0917 - one place, its origin and three books that are shared by all rows.
    row: Mapping[str, Any],
    where: str,
    origin: Position,
    categories: Mapping[str, int],
    guids: dict[str, str],
    notes: _Notes,
) -> Iterator[FoundSeat]:
    values = row.get("seats")
    if values is None and "number_of_seats" in row:
        values = _counted_seats(row, where, next(iter(categories)))
        notes.lines.append(f"{where}: its seats are only counted (first version), spaced evenly in the first category")
    for k, value in enumerate(_list(values, f"{where}.seats")):
        place = f"{where}.seats[{k}]"
        seat = _object(value, place)
        notes.keys("seat", seat, place)
        guid = _text(_given(seat, "seat_guid", ""), f"{place}.seat_guid").strip()
        if not guid:
            raise NotAPlan(f"{place}.seat_guid: missing")
        if guid in guids:
            raise NotAPlan(f'{place}.seat_guid: "{guid}" is the guid of {guids[guid]} too')
        guids[guid] = place
        category = _text(_given(seat, "category", ""), f"{place}.category").strip()
        if category not in categories:
            raise NotAPlan(f'{place}: category "{category}" is not among the categories')
        sx, sy = _position(seat, place, None)
        yield FoundSeat(
            x=origin[0] + sx,
            y=origin[1] + sy,
            number=_text(_given(seat, "seat_number", k + 1), f"{place}.seat_number").strip() or str(k + 1),
            category=categories[category],
            flags=frozenset(flag for flag in FLAGS if seat.get(flag) is True),
            guid=guid,
        )


def _counted_seats(row: Mapping[str, Any], where: str, category: str) -> list[dict[str, Any]]:
    count = _number(row["number_of_seats"], f"{where}.number_of_seats")
    spacing = _number(row.get("seats_spacing") or _SPACING, f"{where}.seats_spacing")
    if not 0 <= count <= LARGEST_PLAN or count != int(count):
        raise NotAPlan(f"{where}.number_of_seats: {count:g} is not a count of seats")
    return [
        {
            "seat_guid": f"{where}.seats[{k}]",
            "seat_number": str(k + 1),
            "position": {"x": k * spacing, "y": 0},
            "category": category,
        }
        for k in range(int(count))
    ]


def _zone_areas(zone: Mapping[str, Any], where: str, notes: _Notes) -> Iterator[Area]:
    zx, zy = _position(zone, where, None, required=False)
    for j, value in enumerate(_list(zone.get("areas") or [], f"{where}.areas")):
        place = f"{where}.areas[{j}]"
        area = _object(value, place)
        notes.keys("area", area, place)
        ax, ay = _position(area, place, None, required=False)
        made = _area(area, place, (zx + ax, zy + ay))
        if made is None:
            notes.lines.append(f"{place}: nothing that can be drawn, left out")
        else:
            yield made


def _area(area: Mapping[str, Any], where: str, at: Position) -> Area | None:
    """Return the drawn thing; None where its shape is unknown or its measures are missing."""
    style: dict[str, Any] = {"fill": _color(area.get("color")), "stroke": _color(area.get("border_color"))}
    rotation = _number(area.get("rotation") or 0, f"{where}.rotation")
    words = area.get("text")
    text = {"text": words} if isinstance(words, str) else _object(words or {}, f"{where}.text")  # A string: version 1.
    written = _text(text.get("text") or "", f"{where}.text.text").strip()
    if written:
        style |= {"text": written, "size": number(_number(text.get("size") or 16, f"{where}.text.size"))}
        style["color"] = _color(text.get("color"))
    x, y = number(at[0]), number(at[1])
    turn = number(rotation % 360, 2) or None
    shape = area.get("shape") or ("rectangle" if "width" in area or "rectangle" in area else "text")
    if shape == "polygon" and area.get("polygon"):
        points = _list(_object(area["polygon"], f"{where}.polygon").get("points"), f"{where}.polygon.points")
        corners = [_position({"position": p}, f"{where}.polygon.points[{k}]", None) for k, p in enumerate(points)]
        return Area("polygon", points=flat(_turned(corners, rotation), at), **style) if len(corners) > 2 else None
    if shape == "rectangle":
        box = _object(area.get("rectangle") or area, f"{where}.rectangle")
        width, height = (_number(box.get(side) or 0, f"{where}.rectangle.{side}") for side in ("width", "height"))
        style |= {"width": number(width), "height": number(height)}
        return Area("rectangle", x=x, y=y, rotation=turn, **style) if width and height else None
    if shape == "ellipse" and area.get("ellipse"):
        radius = _object(_object(area["ellipse"], f"{where}.ellipse").get("radius"), f"{where}.ellipse.radius")
        rx, ry = (number(_number(radius.get(axis), f"{where}.ellipse.radius.{axis}")) for axis in ("x", "y"))
        return Area("ellipse", x=x, y=y, rx=rx, ry=ry, rotation=turn, **style)
    if shape == "circle" and area.get("circle"):
        r = _number(_object(area["circle"], f"{where}.circle").get("radius"), f"{where}.circle.radius")
        return Area("circle", x=x, y=y, r=number(r), **style)
    if shape == "text" and written:
        dx, dy = _position(text, f"{where}.text", None, required=False)
        style |= {"fill": None, "stroke": None}
        return Area("text", x=number(at[0] + dx), y=number(at[1] + dy), rotation=turn, **style)
    return None


def _take_stage(areas: Sequence[Area]) -> tuple[Stage | None, list[Area]]:
    """Return the first rectangle or polygon on which "stage" is written, in some language, and the other areas."""
    for i, area in enumerate(areas):
        if area.shape in ("rectangle", "polygon") and area.text and _STAGE.fullmatch(area.text):
            return Stage(flat(area_corners(area)), area.text), [*areas[:i], *areas[i + 1 :]]
    return None, list(areas)


def area_corners(area: Area) -> list[Position]:
    """Return points that span what the area covers."""
    if area.points is not None:
        return pairs(area.points)
    x, y = area.x or 0.0, area.y or 0.0
    if area.shape == "rectangle":
        w, h = area.width or 0.0, area.height or 0.0
        turned = _turned([(0, 0), (w, 0), (w, h), (0, h)], area.rotation or 0)
        return [(x + dx, y + dy) for dx, dy in turned]
    rx, ry = area.rx or area.r or 0.0, area.ry or area.r or 0.0
    return [(x - rx, y - ry), (x + rx, y + ry)]


def _shifted(area: Area, shift: Position) -> Area:
    if shift == (0, 0):
        return area
    document = area.document()
    if area.points is not None:
        document["points"] = flat(pairs(area.points), shift)
    else:
        document |= {"x": number((area.x or 0) + shift[0]), "y": number((area.y or 0) + shift[1])}
    return Area(**document)


def _turned(points: Sequence[Position], degrees: float) -> list[Position]:
    """Return the points turned clockwise around the origin (y points down)."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return [(x * c - y * s, x * s + y * c) for x, y in points]


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise NotAPlan(f"{where}: expected an object, found {_kind(value)}")
    return value


def _list(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise NotAPlan(f"{where}: expected a list, found {_kind(value)}")
    return value


def _given(value: Mapping[str, Any], key: str, otherwise: Any) -> Any:
    """Return what is under `key`, or `otherwise` where it is missing or null."""
    found = value.get(key)
    return otherwise if found is None else found


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise NotAPlan(f"{where}: expected text, found {_kind(value)}")
    return str(value)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotAPlan(f"{where}: expected a number, found {_kind(value)}")
    try:
        finite = isfinite(value)
    except OverflowError:  # A whole number of four hundred digits.
        finite = False
    if not finite or abs(value) > 1e7:
        raise NotAPlan(f"{where}: {str(value)[:20]} is not a usable number")
    return float(value)


def _position(value: Mapping[str, Any], where: str, notes: _Notes | None, *, required: bool = True) -> Position:
    """Return x, y; a missing position of a zone or row (`notes` given) is the origin, with a warning."""
    position = value.get("position")
    if position is None:
        if notes is not None:
            notes.lines.append(f"{where}.position: missing, taken as 0, 0")
        elif required:
            raise NotAPlan(f"{where}.position: missing")
        return (0.0, 0.0)
    position = _object(position, f"{where}.position")
    return (_number(position.get("x"), f"{where}.position.x"), _number(position.get("y"), f"{where}.position.y"))


def _color(value: Any) -> str | None:
    """Return "#rrggbb" of the two hexadecimal forms; None for names of colours and anything else."""
    if not isinstance(value, str) or not _COLOR.fullmatch(value.strip()):
        return None
    digits = value.strip().lower()[1:]
    return f"#{digits if len(digits) == 6 else ''.join(2 * digit for digit in digits)}"


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {dict: "an object", list: "a list", str: "text", bool: "true or false"}.get(type(value), "a number")
