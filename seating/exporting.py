"""Gives a plan out as a file, in the formats that `importing` reads; importing it again gives the same plan."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seating import csv_format, plans
from seating.geometry import FLAGS, Area, Plan, Section, pairs
from seating.models import SeatingPlan

FORMATS = ("pretix", "csv", "json")


def export(row: SeatingPlan, file_format: str) -> bytes:
    """Return the plan as a file: `pretix` JSON, `csv`, or `json`, its own document, byte for byte.

    An imported plan keeps its seats' guids in `pretix`. Only `json` keeps everything a generated plan holds.
    """
    if file_format == "json":
        return plans.document(row.content_hash)
    plan = plans.plan(row.content_hash)
    if file_format == "csv":
        return csv_format.write(plan).encode()
    if file_format == "pretix":
        document = pretix_document(plan, plans.guids(row.content_hash))
        return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    raise ValueError(f"{file_format} is not one of {', '.join(FORMATS)}")


def pretix_document(plan: Plan, guids: Sequence[str] = ()) -> dict[str, Any]:
    """Return the plan as a pretix document; seats without a guid get "<section>-<row>-<number>", made unique.

    Standing areas are drawn, as the format knows no places in them.
    """
    names = list(guids) or _made_guids(plan)
    zones = []
    areas = [_area_document(area) for area in plan.areas]
    if plan.stage:
        stage = Area("polygon", points=plan.stage.points, fill="#1f2937", text=plan.stage.label, color="#ffffff")
        areas.append(_area_document(stage))
    flags = {flag: frozenset(plan.flags.get(flag, ())) for flag in FLAGS}
    for section in plan.sections:
        if section.is_standing:
            color = plan.categories[section.category].color
            text = f"{section.name} ({section.count:,})"
            areas.append(_area_document(Area("polygon", points=section.outline, fill=color, text=text)))
        else:
            zones.append(_zone_document(plan, section, names, flags))
    if not zones:
        zones.append({"name": "Hall", "position": {"x": 0, "y": 0}, "rows": []})
    zones[0]["areas"] = areas
    return {
        "name": plan.name,
        "size": {"width": plan.width, "height": plan.height},
        "categories": [{"name": c.name, "color": c.color} for c in plan.categories],
        "zones": zones,
    }


def _zone_document(
    plan: Plan, section: Section, names: Sequence[str], flags: Mapping[str, frozenset[int]]
) -> dict[str, Any]:
    rows = []
    for row in section.rows:
        seats = []
        for offset, (x, y) in enumerate(row.positions()):
            index = row.first + offset
            seat: dict[str, Any] = {
                "seat_guid": names[index],
                "seat_number": row.seat_number(offset),
                # Not rounded: whoever fits a curve through them finds the same curve.
                "position": {"x": x, "y": y},
                "category": plan.categories[plan.category_of(index)].name,
            }
            seat |= {flag: True for flag, marked in flags.items() if index in marked}
            seats.append(seat)
        rows.append(
            {
                "row_number": row.label,
                "row_number_position": "both",
                "position": {"x": 0, "y": 0},
                "seats": seats,
            }
        )
    return {"name": section.name, "position": {"x": 0, "y": 0}, "rows": rows, "areas": []}


def _made_guids(plan: Plan) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for index in range(plan.seat_count):
        place = plan.place(index)
        name = "-".join(part for part in (place.section, place.row, place.number) if part)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def _area_document(area: Area) -> dict[str, Any]:
    at = {"x": area.x or 0, "y": area.y or 0}
    document: dict[str, Any] = {"shape": area.shape, "position": at, "rotation": area.rotation or 0}
    document |= {"color": area.fill or "", "border_color": area.stroke or ""}
    if area.points is not None:
        document["polygon"] = {"points": [{"x": x, "y": y} for x, y in pairs(area.points)]}
    elif area.shape == "rectangle":
        document["rectangle"] = {"width": area.width, "height": area.height}
    elif area.shape == "ellipse":
        document["ellipse"] = {"radius": {"x": area.rx, "y": area.ry}}
    elif area.shape == "circle":
        document["circle"] = {"radius": area.r}
    if area.text:
        text = {"text": area.text, "position": {"x": 0, "y": 0}, "size": area.size or 16}
        document["text"] = text | ({"color": area.color} if area.color else {})
    return document
