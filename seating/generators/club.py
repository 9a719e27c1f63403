"""A club: a floor before a small stage and a gallery along two walls, nobody seated."""

from __future__ import annotations

from seating.generators.draft import SectionDraft, check_size, finish
from seating.geometry import Area, Plan, Stage, flat
from seating.shapes import number

CATEGORIES = (("Floor", "#7c3aed"), ("Gallery", "#0891b2"))
FLOOR, GALLERY = range(2)


def club(places: int = 300, name: str = "") -> Plan:
    """Return a club of exactly `places` standing places, 10 to 120,000: about three in four on the floor."""
    check_size(places, 10)
    k = (places / 300) ** 0.5
    gallery = round(places * 0.2667 / 10) * 10 if places >= 50 else places // 4

    def scaled(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * k, y * k) for x, y in points]

    sections = [
        SectionDraft(
            name="Floor",
            outline=scaled((250, 300), (750, 300), (750, 760), (690, 820), (310, 820), (250, 760)),
            label=(500 * k, 560 * k),
            category=FLOOR,
            places=places - gallery,
            entrance="Main door",
            zone="Ground floor",
            view="Up to the edge of the stage",
        ),
        SectionDraft(
            name="Gallery",
            outline=scaled(
                (110, 320), (215, 320), (215, 775), (295, 855), (705, 855), (785, 775), (785, 320), (890, 320),
                (890, 830), (770, 960), (230, 960), (110, 830),
            ),
            label=(500 * k, 908 * k),
            category=GALLERY,
            places=gallery,
            entrance="Stairs, left of the bar",
            zone="First floor",
            view="From above, along the rail",
        ),
    ]  # fmt: skip
    areas = [
        Area(
            "polygon",
            points=flat(scaled((70, 60), (930, 60), (930, 1120), (70, 1120))),
            fill="#f4f4f6",
            stroke="#c9cbd3",
        ),
        _room(k, (180, 1020, 400, 70), "Bar", "#e4e4ea"),
        _room(k, (610, 1020, 130, 70), "Cloakroom", "#e4e4ea"),
        _room(k, (750, 1020, 120, 70), "Entrance", "#d9f2e3"),
        _room(k, (770, 130, 110, 90), "Backstage", "#e4e4ea"),
    ]
    return finish(
        name=name or f"Club, {places:,} places",
        size=(1000 * k, 1180 * k),
        categories=CATEGORIES,
        sections=sections,
        stage=Stage(flat(scaled((270, 110), (730, 110), (730, 230), (660, 268), (340, 268), (270, 230)))),
        areas=areas,
        shift=(0, 0),
    )


def _room(k: float, box: tuple[float, float, float, float], text: str, fill: str) -> Area:
    x, y, width, height = (number(value * k) for value in box)
    return Area(
        "rectangle", x=x, y=y, width=width, height=height, fill=fill, stroke="#c9cbd3", text=text,
        size=number(24 * k), color="#52525b",
    )  # fmt: skip
