"""A theatre: curved stalls in three blocks, a circle and an upper circle behind them, boxes along both walls."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, hypot, pi, radians, sin

from seating.generators.draft import (
    PLATFORM_PITCH,
    UNITS_PER_METRE,
    RowDraft,
    SectionDraft,
    centred_row,
    check_size,
    curve,
    finish,
    letters,
    on_circle,
    platform_flags,
    row_of_seats,
    smallest,
    wedge,
)
from seating.geometry import Area, Plan, Stage, flat
from seating.shapes import Line, Position, number

ROW_PITCH = 44
AISLE = 64
MARGIN = 18
DOWN = 0.5 * pi  # Angles run clockwise from the right, as on a canvas; the audience sits below the stage.
HALF_FAN = radians(33)
FULL_SIZE = 2_000

CATEGORIES = (
    ("Premium stalls", "#be123c"),
    ("Stalls", "#7c3aed"),
    ("Rear stalls", "#2563eb"),
    ("Dress circle", "#0d9488"),
    ("Upper circle", "#ca8a04"),
    ("Boxes", "#db2777"),
)
PREMIUM, STALLS, REAR, CIRCLE, UPPER, BOXES = range(6)
BOX_SEATS = 6
BOX_LENGTH = 124
BOX_DISTANCE = 100  # From the edge of the stalls to the middle of a box.
WALL_DISTANCE = 175
_DOORS = ("Door left", "Centre doors", "Door right")


@dataclass(frozen=True, slots=True)
class Level:
    """A floor: `rows` rows from `radius` outward, in blocks divided at `cuts` (shares of the fan, 0 to 1)."""

    zone: str
    names: tuple[str, ...]
    cuts: tuple[float, ...]
    rows: int
    radius: float
    half_fan: float

    @property
    def last(self) -> float:
        """The last row's radius."""
        return self.radius + (self.rows - 1) * ROW_PITCH


def theatre(seats: int = 2_000, name: str = "") -> Plan:
    """Return a theatre of exactly `seats` seats, 200 to 120,000, wheelchair places and boxes included."""
    check_size(seats, 200)
    house = _house_for(seats)
    reach = house.levels[-1].last + 120
    half = house.wall_end(1)[0] + 60
    top = house.stage_back - 80
    return finish(
        name=name or f"Theatre, {seats:,} seats",
        size=(2 * half, reach - top),
        categories=CATEGORIES,
        sections=house.sections(seats),
        stage=house.stage(),
        areas=house.areas(),
        shift=(half, -top),
    )


def _house_for(seats: int) -> House:
    """Return the smallest house that seats `seats`: rows by its size, then its width by bisection."""
    size = (seats / FULL_SIZE) ** 0.5
    return smallest(lambda scale: House(size, scale), seats, 0.1 * size, 4.0 * size)


class House:
    """A house with rows for `size` (1 is FULL_SIZE) and its first row `scale` times as far from the centre as usual."""

    def __init__(self, size: float, scale: float) -> None:
        self.first = 900 * scale
        self.platforms = max(1, round(2 * size * size))  # Wheelchair places at each side.
        stalls = Level(
            "Stalls",
            ("Stalls left", "Stalls centre", "Stalls right"),
            (0.0, 0.3, 0.7, 1.0),
            max(5, round(18 * size)),
            self.first,
            HALF_FAN,
        )
        circle = Level(
            "Dress circle",
            ("Circle left", "Circle centre", "Circle right"),
            (0.0, 0.3, 0.7, 1.0),
            max(2, round(6 * size)),
            stalls.last + 250,
            _wall_angle(stalls.last + 250, BOX_DISTANCE),
        )
        upper = Level(
            "Upper circle",
            ("Upper circle left", "Upper circle right"),
            (0.0, 0.5, 1.0),
            max(2, round(4 * size)),
            circle.last + 150,
            _wall_angle(circle.last + 150, BOX_DISTANCE) * 0.94,
        )
        self.levels = [stalls, circle, upper]
        self.boxes = max(1, int((stalls.last - stalls.radius + ROW_PITCH) // BOX_LENGTH))  # At each side.
        self.stage_back = self.first * cos(HALF_FAN) - 170 - 330

    def capacity(self) -> int:
        """Return how many can sit."""
        seats = sum(count for level in self.levels for block in self._rows(level) for _, count in block)
        return seats + 4 * self.platforms + 2 * self.boxes * BOX_SEATS

    def _span(self, level: Level, block: int) -> tuple[float, float]:
        """Return the angles of a block. Angles fall from left to right, as the audience sits below the centre."""
        return (
            DOWN + level.half_fan * (1 - 2 * level.cuts[block + 1]),
            DOWN + level.half_fan * (1 - 2 * level.cuts[block]),
        )

    def _rows(self, level: Level) -> list[list[tuple[float, int]]]:
        """Return (radius, seats) of every row of every block of a level."""
        found = []
        for block in range(len(level.names)):
            start, stop = self._span(level, block)
            radii = [level.radius + i * ROW_PITCH for i in range(level.rows)]
            rows = [(radius, row_of_seats((0, 0), radius, start, stop, aisle=AISLE)[1]) for radius in radii]
            found.append([(radius, max(1, count)) for radius, count in rows])
        return found

    def sections(self, seats: int) -> list[SectionDraft]:
        """Return everything with exactly `seats` seats: the last rows of the upper circle give up what is too many."""
        surplus = self.capacity() - seats
        levels = [self._rows(level) for level in self.levels]
        while surplus:
            for block in levels[-1]:
                if surplus:
                    radius, count = block.pop()
                    surplus -= 1
                    if count > 1:
                        block.append((radius, count - 1))
        drafts = [
            self._section(level, block, rows)
            for level, blocks in zip(self.levels, levels, strict=True)
            for block, rows in enumerate(blocks)
        ]
        drafts += [self._box(side, place) for place in range(self.boxes) for side in (-1, 1)]
        return drafts

    def _section(self, level: Level, block: int, rows: list[tuple[float, int]]) -> SectionDraft:
        start, stop = self._span(level, block)
        all_rows = self._rows(level)
        drafts = []
        for i, (radius, count) in enumerate(rows):
            arc, _ = centred_row((0, 0), radius, (start + stop) / 2, count)
            # From left to right: against the clock.
            arc = type(arc).of((0, 0), radius, arc.a1, arc.a0)
            before = sum(all_rows[other][i][1] for other in range(block))
            flags = {"aisle": sorted({0, count - 1})}
            if level.zone == "Upper circle":
                outer = range(min(3, count)) if block == 0 else range(max(0, count - 3), count)
                flags["restricted"] = list(outer)
            drafts.append(
                RowDraft(letters(i), arc, count, self._category(level, block, i), first_number=before + 1, flags=flags)
            )
        outer_radius = rows[-1][0] + MARGIN
        if level.zone == "Stalls" and block in (0, 2):
            outer_radius += 66
            radius, places = outer_radius - MARGIN - 6, 2 * self.platforms
            arc, _ = centred_row((0, 0), radius, (start + stop) / 2, places, PLATFORM_PITCH)
            arc = type(arc).of((0, 0), radius, arc.a1, arc.a0)
            drafts.append(RowDraft("WP", arc, places, REAR, flags=platform_flags(places)))
        middle_radius = (rows[0][0] + rows[-1][0]) / 2
        middle = on_circle((0, 0), middle_radius, (start + stop) / 2)
        return SectionDraft(
            name=level.names[block],
            outline=wedge(
                (0, 0),
                inner=rows[0][0] - MARGIN,
                outer=outer_radius,
                start=start,
                stop=stop,
                trim=AISLE / 2 - 16,
            ),
            label=middle,
            category=self._category(level, block, len(rows) // 2),
            rows=drafts,
            entrance=("Door left", "Door right")[block > 0] if len(level.names) == 2 else _DOORS[block],
            zone=level.zone,
            view=self._view(middle),
        )

    def _category(self, level: Level, block: int, row: int) -> int:
        if level.zone != "Stalls":
            return CIRCLE if level.zone == "Dress circle" else UPPER
        if row >= level.rows * 0.75:
            return REAR
        return PREMIUM if block == 1 and row >= 2 else STALLS

    def _view(self, at: Position) -> str:
        x, y = at[0], at[1] - self.stage_front
        side = "Front view" if abs(x) < hypot(x, y) * 0.3 else "View from the left" if x < 0 else "View from the right"
        return f"{side}, {round(hypot(x, y) / UNITS_PER_METRE)} m to the stage"

    @property
    def stage_front(self) -> float:
        """How far down the middle of the stage's edge is."""
        return self.first - 150

    def box_radius(self, place: int) -> float:
        """Return how far along the wall the middle of a box is."""
        return self.levels[0].radius + (place + 0.5) * BOX_LENGTH - ROW_PITCH / 2

    def box_line(self, along: float) -> Position:
        """Return the point of the right wall's line of boxes that is `along` units from the centre."""
        return (
            along * sin(HALF_FAN) + BOX_DISTANCE * cos(HALF_FAN),
            along * cos(HALF_FAN) - BOX_DISTANCE * sin(HALF_FAN),
        )

    def _box(self, side: int, place: int) -> SectionDraft:
        """Return a box of six: three at the parapet, three behind them."""
        cx, cy = self.box_line(self.box_radius(place))
        along, out = (sin(HALF_FAN), cos(HALF_FAN)), (cos(HALF_FAN), -sin(HALF_FAN))

        def at(u: float, v: float) -> Position:
            return ((cx + along[0] * u + out[0] * v) * side, cy + along[1] * u + out[1] * v)

        # Seats count from the stage backward, so a box on either side reads alike.
        rows = [
            RowDraft(label, Line.of(at(-30, v), at(30, v)), 3, BOXES, first_number=first, flags=flags)
            for label, v, first, flags in (
                ("A", -19.0, 1, {}),
                ("B", 21.0, 4, {"restricted": [0, 1, 2]}),
            )
        ]
        reach, inner, outer = BOX_LENGTH / 2 - 8, -40.0, 42.0
        middle = at(0, 0)
        return SectionDraft(
            name=f"Box {place * 2 + (1 if side < 0 else 2)}",
            outline=[at(-reach, inner), at(reach, inner), at(reach, outer), at(-reach, outer)],
            label=middle,
            category=BOXES,
            rows=rows,
            entrance="Door left" if side < 0 else "Door right",
            zone="Boxes",
            view=f"Side view, {round(hypot(middle[0], middle[1] - self.stage_front) / UNITS_PER_METRE)} m to the stage",
        )

    def stage(self) -> Stage:
        """Return the stage: a curved apron before a straight house."""
        edge = curve((0, 0), self.stage_front, DOWN - HALF_FAN, DOWN + HALF_FAN)
        side = edge[0][0]
        return Stage(flat([*edge, (-side * 0.92, self.stage_back), (side * 0.92, self.stage_back)]))

    def areas(self) -> list[Area]:
        """Return what is drawn only: the walls, and the names of the floors."""
        last = self.levels[-1].last + 75
        wide = _wall_angle(last, WALL_DISTANCE)
        wall = [*curve((0, 0), last, DOWN - wide, DOWN + wide), self._wall_start(-1), self._wall_start(1)]
        found = [Area("polygon", points=flat(wall), fill="#f6f4f2", stroke="#d8d2cc")]
        for level in self.levels[1:]:
            y = number(level.radius - (68 if level.zone == "Dress circle" else 58))
            found += [Area("text", x=0, y=y, text=level.zone, size=34, color="#78716c")]
        return found

    def wall_end(self, side: int) -> Position:
        """Return the corner where the wall behind the boxes meets the rear wall."""
        last = self.levels[-1].last + 75
        x, y = on_circle((0, 0), last, DOWN - _wall_angle(last, WALL_DISTANCE))
        return (x * side, y)

    def _wall_start(self, side: int) -> Position:
        """Return where the wall behind the boxes begins, beside the stage."""
        along = self.first - 170
        x = along * sin(HALF_FAN) + WALL_DISTANCE * cos(HALF_FAN)
        return (x * side, along * cos(HALF_FAN) - WALL_DISTANCE * sin(HALF_FAN))


def _wall_angle(radius: float, distance: float) -> float:
    """Return the angle from the middle at which a circle meets the line `distance` outside the edge of the stalls."""
    return HALF_FAN + asin(distance / radius)
