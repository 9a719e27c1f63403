"""Plan documents for the map's tests: a bowl of arcs of any size, and a small theatre with every speciality."""

import math

FIRST_TIERS = [
    {"number": 0, "name": "Premium", "amount": 12000, "color": "#7c3aed", "shape": "star"},
    {"number": 1, "name": "Lower tier", "amount": 8500, "color": "#0f766e", "shape": "circle"},
    {"number": 2, "name": "Upper tier", "amount": 4500, "color": "#c2410c", "shape": "square"},
    {"number": 3, "name": "Standing", "amount": 5950, "color": "#1d4ed8", "shape": "hexagon"},
]


def _arc_outline(*, center: float, r0: float, r1: float, a0: float, a1: float) -> list[float]:
    """Return the outline of a ring segment around (center, center), between two radii and two angles in degrees."""
    steps = 10
    angles = [math.radians(a0 + (a1 - a0) * k / steps) for k in range(steps + 1)]
    outer = [(center + r1 * math.cos(a), center + r1 * math.sin(a)) for a in angles]
    inner = [(center + r0 * math.cos(a), center + r0 * math.sin(a)) for a in reversed(angles)]
    return [round(value, 1) for point in outer + inner for value in point]


def _arc_section(*, name: str, first: int, ring: dict, a0: float, a1: float, center: float) -> dict:
    """Return a section of curved rows; `ring` has r, rows, category, zone."""
    rows, at = [], first
    for k in range(ring["rows"]):
        radius = ring["r"] + 42 * k
        usable = math.radians(a1 - a0) * radius - 90
        count = max(2, int(usable // 25))
        half = math.degrees((count - 1) * 25 / radius) / 2
        middle = (a0 + a1) / 2
        label = chr(65 + k) if k < 26 else "A" + chr(65 + k - 26)
        shape = {"arc": [center, center, radius, round(middle - half, 3), round(middle + half, 3)]}
        rows.append(
            {
                "label": label,
                "first": at,
                "count": count,
                "at": shape,
                "numbers": [1, 1],
                "categories": ring["category"],
            }
        )
        at += count
    last = ring["r"] + 42 * (ring["rows"] - 1)
    middle = math.radians((a0 + a1) / 2)
    mid_r = (ring["r"] + last) / 2
    return {
        "name": name,
        "kind": "seated",
        "first": first,
        "count": at - first,
        "outline": _arc_outline(center=center, r0=ring["r"] - 26, r1=last + 26, a0=a0 + 0.15, a1=a1 - 0.15),
        "label": [round(center + mid_r * math.cos(middle), 1), round(center + mid_r * math.sin(middle), 1)],
        "category": ring["category"],
        "entrance": f"Gate {name.rsplit(maxsplit=1)[-1][0]}",
        "zone": ring["zone"],
        "view": f"Side view, {round(mid_r * 0.02)} m to the stage",
        "rows": rows,
    }


def bowl(seats: int = 60_000) -> dict:
    """Return a round stadium of about `seats` seats in three rings, with two standing areas inside."""
    scale = math.sqrt(seats / 60_000)
    base = 2300 * scale
    rings = [
        {"r": base, "rows": max(3, int(26 * scale)), "category": 0, "zone": "Lower tier", "name": 100, "blocks": 32},
        {
            "r": base + 1230 * scale,
            "rows": max(3, int(20 * scale)),
            "category": 1,
            "zone": "Middle tier",
            "name": 200,
            "blocks": 40,
        },
        {
            "r": base + 2200 * scale,
            "rows": max(3, int(24 * scale)),
            "category": 2,
            "zone": "Upper tier",
            "name": 300,
            "blocks": 48,
        },
    ]
    center = round(base + 3400 * scale)
    sections, first = [], 0
    for ring in rings:
        step = 360 / ring["blocks"]
        for k in range(ring["blocks"]):
            section = _arc_section(
                name=f"Block {ring['name'] + k + 1}",
                first=first,
                ring=ring,
                a0=-90 + k * step,
                a1=-90 + (k + 1) * step,
                center=center,
            )
            sections.append(section)
            first += section["count"]
    for side, name in ((-1, "Front standing"), (1, "Back standing")):
        x, y = center - base * 0.62, center + (base * 0.05 if side > 0 else -base * 0.5)
        box = [x, y, x + base * 1.24, y, x + base * 1.24, y + base * 0.5, x, y + base * 0.5]
        count = 1500
        sections.append(
            {
                "name": name, "kind": "standing", "first": first, "count": count,
                "outline": [round(v, 1) for v in box], "label": [round(center, 1), round(y + base * 0.25, 1)],
                "category": 3, "entrance": "Gate S", "zone": "Standing", "view": "On the pitch", "rows": [],
            }
        )  # fmt: skip
        first += count
    wheelchair = list(range(sections[0]["first"], sections[0]["first"] + 10, 2))
    companion = [i + 1 for i in wheelchair]
    restricted = list(range(sections[1]["first"], sections[1]["first"] + 8))
    return {
        "format": "onsale-plan/1",
        "name": "Test Bowl",
        "width": 2 * center,
        "height": 2 * center,
        "stage": {
            "shape": "polygon",
            "points": [
                round(center + base * dx, 1) if axis == 0 else round(center + base * dy, 1)
                for dx, dy in ((-0.5, -0.82), (0.5, -0.82), (0.42, -0.58), (-0.42, -0.58))
                for axis in (0, 1)
            ],
            "label": "Stage",
        },
        "categories": [{"name": tier["name"], "color": tier["color"]} for tier in FIRST_TIERS],
        "sections": sections,
        "flags": {
            "wheelchair": _deltas(wheelchair),
            "companion": _deltas(companion),
            "restricted": _deltas(restricted),
            "aisle": [],
        },
        "areas": [],
    }


def theatre() -> dict:
    """Return a small theatre: 6 rows of 10 in a line with an aisle, a box by points, a standing pit of 20."""
    rows = []
    for k in range(6):
        y = 200 + 42 * k
        points = [100, y] + [v for s in range(1, 10) for v in ((75 if s == 5 else 25), 0)]
        rows.append(
            {
                "label": "ABCDEF"[k],
                "first": 10 * k,
                "count": 10,
                "at": {"points": points},
                "numbers": [1, 1],
                "categories": [[0, 4], [1, 6]],
            }
        )
    stalls = {
        "name": "Stalls",
        "kind": "seated",
        "first": 0,
        "count": 60,
        "outline": [60, 170, 420, 170, 420, 440, 60, 440],
        "label": [240, 305],
        "category": 1,
        "entrance": "Door 1",
        "zone": "Ground floor",
        "view": "Front view",
        "rows": rows,
    }
    box = {
        "name": "Box 1",
        "kind": "seated",
        "first": 60,
        "count": 4,
        "outline": [470, 180, 560, 180, 560, 320, 470, 320],
        "label": [515, 250],
        "category": 2,
        "entrance": "Door 2",
        "zone": "Boxes",
        "view": "Side view",
        "rows": [
            {
                "label": "1",
                "first": 60,
                "count": 3,
                "at": {"line": [490, 220, 540, 220]},
                "numbers": ["1", "2", "3a"],
                "categories": 2,
            },
            {
                "label": "2",
                "first": 63,
                "count": 1,
                "at": {"arc": [515, 270, 0, 0, 0]},
                "numbers": [4, 1],
                "categories": 2,
            },
        ],
    }
    pit = {
        "name": "Pit",
        "kind": "standing",
        "first": 64,
        "count": 20,
        "outline": [100, 110, 400, 110, 400, 155, 100, 155],
        "label": [250, 132],
        "category": 3,
        "entrance": "Door 3",
        "zone": "Standing",
        "view": "At the stage",
        "rows": [],
    }
    return {
        "format": "onsale-plan/1",
        "name": "Test Theatre",
        "width": 620,
        "height": 500,
        "stage": {"shape": "polygon", "points": [120, 40, 380, 40, 350, 95, 150, 95], "label": "Stage"},
        "categories": [{"name": tier["name"], "color": tier["color"]} for tier in FIRST_TIERS],
        "sections": [stalls, box, pit],
        "flags": {"wheelchair": [50], "companion": [51], "restricted": _deltas([9, 10]), "aisle": []},
        "areas": [{"shape": "text", "x": 515, "y": 350, "text": "Bar", "size": 24}],
    }


def _deltas(ascending: list[int]) -> list[int]:
    return [value - (ascending[k - 1] if k else 0) for k, value in enumerate(ascending)]
