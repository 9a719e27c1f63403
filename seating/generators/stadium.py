"""A concert in a stadium: an oval bowl around the pitch, closed behind the stage, with standing on the pitch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, ceil, degrees, hypot

from seating.generators.draft import (
    PLATFORM_PITCH,
    UNITS_PER_METRE,
    RowDraft,
    SectionDraft,
    centred_row,
    check_size,
    finish,
    on_circle,
    platform_flags,
    row_of_seats,
    smallest,
    wedge,
)
from seating.generators.oval import Part, oval, ring
from seating.geometry import Area, Plan, Stage, flat
from seating.shapes import Position, number

ROW_PITCH = 42
AISLE = 50
CONCOURSE = 170  # Between two tiers; wheelchair platforms stand on the first.
MARGIN = 18  # From the outermost seats to the outline of their block.
FULL_SIZE = 49_000  # Seats at which the bowl has the measures written here.

CATEGORIES = (
    ("Front standing", "#e11d48"),
    ("General standing", "#f97316"),
    ("Premium", "#7c3aed"),
    ("Category 1", "#2563eb"),
    ("Category 2", "#0891b2"),
    ("Category 3", "#16a34a"),
    ("Category 4", "#ca8a04"),
    ("Restricted view", "#64748b"),
)
FRONT, STANDING, PREMIUM, CAT1, CAT2, CAT3, CAT4, RESTRICTED = range(8)


@dataclass(frozen=True, slots=True)
class Tier:
    """A ring of blocks: `offset` is the first row's distance to the innermost oval."""

    zone: str
    hundred: int
    rows: int
    offset: float
    block_width: float

    @property
    def last(self) -> float:
        """The last row's distance to the innermost oval."""
        return self.offset + (self.rows - 1) * ROW_PITCH


@dataclass(frozen=True, slots=True)
class Block:
    """A wedge of a tier: `start` to `stop` radians around the centre of its part of the oval."""

    tier: Tier
    part: Part
    number: int
    start: float
    stop: float

    def at(self, distance: float, share: float = 0.5) -> Position:
        """Return the point at `distance` to the innermost oval and `share` of the way from start to stop."""
        return on_circle(self.part.centre, self.part.radius + distance, self.start + (self.stop - self.start) * share)

    def outline(self, inner: float, outer: float) -> list[Position]:
        """Return the block's edge between two radii, half an aisle away from its neighbours'."""
        return wedge(self.part.centre, inner=inner, outer=outer, start=self.start, stop=self.stop, trim=AISLE / 2 - 12)

    @property
    def middle(self) -> Position:
        """The middle of the block."""
        return self.at((self.tier.offset + self.tier.last) / 2)


def stadium(seats: int = 60_000, name: str = "") -> Plan:
    """Return a stadium of exactly `seats` places, 600 to 120,000, standing ones included.

    About 4 % stand in front of the stage and 14 % behind them; the others sit in one to three tiers.
    """
    check_size(seats, 600)
    front, standing = _share(seats, 0.04), _share(seats, 0.1433)
    bowl = _bowl_for(seats - front - standing)
    sections = [*bowl.standing(front, standing), *bowl.seated(seats - front - standing)]
    edge = bowl.outermost + 330
    half = (bowl.half_width + edge, bowl.half_height + edge)
    return finish(
        name=name or f"Stadium, {seats:,} places",
        size=(2 * half[0], 2 * half[1]),
        categories=CATEGORIES,
        sections=sections,
        stage=bowl.stage(),
        areas=bowl.areas(),
        shift=half,
    )


def _share(seats: int, share: float) -> int:
    """Return about `share` of the seats, in fifties where there are enough."""
    step = 50 if seats >= 5_000 else 5
    return max(step, round(seats * share / step) * step)


def _bowl_for(seats: int) -> Bowl:
    """Return the smallest bowl that seats `seats`: rows by its size, then the ground plan by bisection."""
    size = (seats / FULL_SIZE) ** 0.5
    return smallest(lambda scale: Bowl(size, scale), seats, size * 0.3, size * 2.5 + 0.2)


class Bowl:
    """A bowl with rows for `size` (1 is FULL_SIZE) around a pitch `scale` times the usual one."""

    def __init__(self, size: float, scale: float) -> None:
        self.scale = scale
        self.half_width, self.half_height = 2000 * scale, 2900 * scale
        self.parts = oval(self.half_width, self.half_height, 1100 * scale, 24, 20)
        self.tiers = list(_tiers(size))
        self.outermost = self.tiers[-1].last
        self.depth = 640 * scale  # Of the stage.
        self.stage_front = -self.half_height + 200 * scale + self.depth
        self.blocks = [block for tier in self.tiers for block in self._blocks(tier)]

    def _blocks(self, tier: Tier) -> list[Block]:
        """Return the blocks clockwise from behind the stage, numbered like real ones: 101, 102 ..."""
        found: list[Block] = []
        for part in self.parts:
            span = part.stop - part.start
            length = span * (part.radius + (tier.offset + tier.last) / 2)
            count = max(1, round(length / tier.block_width))
            for i in range(count):
                start = part.start + span * i / count
                found.append(Block(tier, part, tier.hundred + len(found) + 1, start, start + span / count))
        return found

    def is_closed(self, block: Block) -> bool:
        """Tell whether the block is behind the stage."""
        return block.part is self.parts[0]

    def _rows(self, block: Block) -> list[tuple[float, int]]:
        """Return (radius, seats) of the block's rows, front first."""
        found = []
        for i in range(block.tier.rows):
            radius = block.part.radius + block.tier.offset + i * ROW_PITCH
            _, count = row_of_seats(block.part.centre, radius, block.start, block.stop, aisle=AISLE)
            found.append((radius, count))
        return [(radius, count) for radius, count in found if count >= 2]

    def _platform(self, block: Block) -> tuple[float, int]:
        """Return (radius, places) of the wheelchair platform behind every second block of the lowest tier."""
        radius = block.part.radius + block.tier.last + ROW_PITCH + 24
        if block.tier is not self.tiers[0] or block.number % 2 or self.is_closed(block):
            return radius, 0
        room = radius * (block.stop - block.start) - AISLE
        return radius, int(room // PLATFORM_PITCH) // 2 * 2

    def capacity(self) -> int:
        """Return how many can sit."""
        return sum(
            self._platform(block)[1] + sum(count for _, count in self._rows(block))
            for block in self.blocks
            if not self.is_closed(block)
        )

    def seated(self, seats: int) -> list[SectionDraft]:
        """Return the blocks with exactly `seats` seats: the last rows of the highest tier give up what is too many."""
        open_blocks = [block for block in self.blocks if not self.is_closed(block)]
        rows = {block.number: self._rows(block) for block in open_blocks}
        surplus = self.capacity() - seats
        highest = [block.number for block in open_blocks if block.tier is self.tiers[-1] and rows[block.number]]
        while surplus:
            for block_number in highest:
                last = rows[block_number]
                if surplus and last:
                    radius, count = last.pop()
                    surplus -= 1
                    if count > 2:
                        last.append((radius, count - 1))
                    elif surplus:
                        surplus -= 1
                    else:
                        last.append((radius, 1))
        return [self._section(block, rows[block.number]) for block in open_blocks if rows[block.number]]

    def _section(self, block: Block, rows: list[tuple[float, int]]) -> SectionDraft:
        centre, middle_angle = block.part.centre, (block.start + block.stop) / 2
        restricted = self._is_restricted(block)
        drafts = []
        for i, (radius, count) in enumerate(rows):
            at, _ = centred_row(centre, radius, middle_angle, count)
            flags: dict[str, Sequence[int]] = {"aisle": sorted({0, count - 1})}
            if restricted:
                flags["restricted"] = range(count)
            drafts.append(RowDraft(str(i + 1), at, count, self._category(block, i), flags=flags))
        outer = rows[-1][0]
        radius, places = self._platform(block)
        if places:
            at, _ = centred_row(centre, radius, middle_angle, places, PLATFORM_PITCH)
            drafts.append(RowDraft("WP", at, places, self._category(block, 0), flags=platform_flags(places)))
            outer = radius + 6
        return SectionDraft(
            name=f"Block {block.number}",
            outline=block.outline(rows[0][0] - MARGIN, outer + MARGIN),
            label=block.middle,
            category=self._category(block, len(rows) // 2),
            rows=drafts,
            entrance=f"Gate {self._gate(block.middle)}",
            zone=block.tier.zone,
            view=self._view(block.middle, restricted),
        )

    def _category(self, block: Block, row: int) -> int:
        """Return what a row costs: by tier, by side, and by the stage's front line."""
        if self._is_restricted(block):
            return RESTRICTED
        lowest, highest = block.tier is self.tiers[0], block.tier is self.tiers[-1]
        far = block.middle[1] > self.half_height * 0.55 or block.middle[1] < self.stage_front
        if lowest:
            return (CAT1 if row < block.tier.rows * 0.4 else CAT2) if far else CAT1
        if highest:
            return CAT4 if far or row >= block.tier.rows * 0.5 else CAT3
        return CAT1 if far else PREMIUM

    def _is_restricted(self, block: Block) -> bool:
        """Tell whether the block sees the stage from behind its front edge, at more than 108 degrees."""
        x, y = block.middle
        return degrees(atan2(abs(x), y - self.stage_front)) > 108

    def _gate(self, at: Position) -> str:
        """Return the letter of the gate nearest by angle, A to H clockwise from the top right."""
        angle = (degrees(atan2(at[1], at[0])) + 90) % 360
        return "ABCDEFGH"[int(angle // 45)]

    def _view(self, at: Position, restricted: bool) -> str:
        distance = hypot(at[0], at[1] - self.stage_front)
        sideways = abs(degrees(atan2(at[0], at[1] - self.stage_front)))
        view = "Front view" if sideways < 25 else "Diagonal view" if sideways < 60 else "Side view"
        metres = round(distance / UNITS_PER_METRE)
        return f"{view}{', partly blocked' if restricted else ''}, {metres} m to the stage"

    def stage(self) -> Stage:
        """Return the stage: two wings, and a runway into the crowd."""
        k, front = self.scale, self.stage_front
        back, wing, runway, end = front - self.depth, 820 * k, 130 * k, front + 420 * k
        right = [(wing * 0.72, back), (wing, back + 240 * k), (wing, front), (runway, front), (runway, end - 60 * k)]
        right += [(runway + 110 * k, end - 60 * k), (runway + 110 * k, end + 90 * k)]
        return Stage(flat([*right, *((-x, y) for x, y in reversed(right))]))

    def standing(self, front_places: int, places: int) -> list[SectionDraft]:
        """Return the two standing areas: around the runway, and the rest of the pitch."""
        k, top = self.scale, self.stage_front + 70 * self.scale
        runway, runway_end = 240 * k + 50 * k, self.stage_front + 420 * k + 90 * k + 50 * k
        side, bottom = 1240 * k, self.stage_front + 1080 * k
        right = [(130 * k + 50 * k, top), (side, top), (side, bottom - 330 * k), (side * 0.62, bottom), (0.0, bottom)]
        hollow = [
            (0.0, runway_end),
            (runway, runway_end),
            (runway, runway_end - 250 * k),
            (180 * k, runway_end - 250 * k),
        ]
        left = [(-x, y) for x, y in reversed(right[:-1])]
        outline = [*right, *left, *((-x, y) for x, y in reversed(hollow[1:])), *hollow[1:]]
        # The right half of the hollow comes last: the outline closes at the stage's right corner.
        inner = ring(self.parts, -130 * k)
        gap = 60 * k
        limit = top + 40 * k
        rim = [(x, y) for x, y in inner if y > limit]
        turn = max(range(len(rim)), key=lambda i: hypot(rim[i][0] - rim[i - 1][0], rim[i][1] - rim[i - 1][1]))
        rim = rim[turn:] + rim[:turn]  # Clockwise from the top right corner to the top left one.
        upper = [
            (-side - gap, limit),
            (-side - gap, bottom - 330 * k + gap * 0.4),
            (-side * 0.62 - gap * 0.4, bottom + gap),
            (side * 0.62 + gap * 0.4, bottom + gap),
            (side + gap, bottom - 330 * k + gap * 0.4),
            (side + gap, limit),
        ]
        metres = UNITS_PER_METRE
        far = (self.half_height + bottom) / 2
        return [
            SectionDraft(
                name="Front standing",
                outline=outline,
                label=(0.0, (runway_end + bottom) / 2),
                category=FRONT,
                places=front_places,
                entrance="Gate E",
                zone="Pitch",
                view=f"In front of the stage, within {round((bottom - self.stage_front) / metres)} m",
            ),
            SectionDraft(
                name="General standing",
                outline=[*rim, *upper],
                label=(0.0, far),
                category=STANDING,
                places=places,
                entrance="Gate D",
                zone="Pitch",
                view=f"On the pitch, {round((bottom - self.stage_front) / metres)} m and more to the stage",
            ),
        ]

    def areas(self) -> list[Area]:
        """Return what is drawn only: the outer wall, the pitch, the closed blocks, the gates."""
        k = self.scale
        found = [
            Area("polygon", points=flat(ring(self.parts, self.outermost + 110)), fill="#f4f5f8", stroke="#cbd0da"),
            Area("polygon", points=flat(ring(self.parts, -70 * k)), fill="#e9edf0", stroke="#d5dae1"),
        ]
        for block in self.blocks:
            if self.is_closed(block):
                inner = block.part.radius + block.tier.offset - MARGIN
                outer = block.part.radius + block.tier.last + MARGIN
                found.append(
                    Area("polygon", points=flat(block.outline(inner, outer)), fill="#e3e6ec", stroke="#d5dae1")
                )
        outside, size = self.outermost + 220, max(30, min(90, round(110 * k)))
        for i, letter in enumerate("ABCDEFGH"):
            x, y = self._wall(i * 45 + 22.5 - 90, outside)
            found.append(Area("text", x=number(x), y=number(y), text=f"Gate {letter}", size=size, color="#64748b"))
        return found

    def _wall(self, angle: float, distance: float) -> Position:
        """Return the point of the oval `distance` outside in the direction `angle` (degrees) of the middle."""
        wanted = angle % 360
        return min(
            ring(self.parts, distance),
            key=lambda p: abs((degrees(atan2(p[1], p[0])) - wanted + 180) % 360 - 180),
        )


def _tiers(size: float) -> list[Tier]:
    """Return one, two or three tiers, by the size of the stadium."""
    if size < 0.3:
        shapes = [("Stand", 62.0 * max(size, 0.12), 600)]
    elif size < 0.7:
        shapes = [("Lower tier", 34.0 * size, 640), ("Upper tier", 28.0 * size, 680)]
    else:
        shapes = [("Lower tier", 26.0 * size, 640), ("Club tier", 12.0 * size, 680), ("Upper tier", 24.0 * size, 700)]
    tiers: list[Tier] = []
    offset = 0.0
    for i, (zone, rows, width) in enumerate(shapes):
        tiers.append(Tier(zone, (i + 1) * 100, ceil(rows), offset, width))
        offset = tiers[-1].last + ROW_PITCH + (CONCOURSE if i == 0 else CONCOURSE * 0.7)
    return tiers
