"""How a row of seats is laid on the floor: a line, an arc or a list of points, in the units of its plan.

A shape with the number of its seats is enough to place every one of them, so a 60,000-seat hall is a few tens
of kilobytes. Coordinates are rounded to 0.1 unit and angles to 0.001 degree when a shape is made, so that the same
hall always gives the same document and the same hash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Position = tuple[float, float]

TOLERANCE = 0.5
"""How far, in units, a fitted shape may lie from the positions it stands for: a fiftieth of a seat."""

_LARGEST_RADIUS = 20_000.0


def number(value: float, digits: int = 1) -> float:
    """Return `value` rounded as a plan document writes it: whole numbers as int, never minus zero."""
    rounded = round(float(value), digits)
    whole = int(rounded)
    return whole if whole == rounded else rounded


@dataclass(frozen=True, slots=True)
class Line:
    """Seats evenly spaced from one end to the other; a single seat sits at the start."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def of(cls, start: Position, end: Position) -> Line:
        """Return the line between two positions, rounded."""
        return cls(number(start[0]), number(start[1]), number(end[0]), number(end[1]))

    def positions(self, count: int) -> list[Position]:
        """Return the positions of `count` seats."""
        if count == 1:
            return [(self.x0, self.y0)]
        dx, dy = (self.x1 - self.x0) / (count - 1), (self.y1 - self.y0) / (count - 1)
        return [(self.x0 + dx * i, self.y0 + dy * i) for i in range(count)]

    def document(self) -> dict[str, Any]:
        """Return the shape as a plan document writes it."""
        return {"line": [self.x0, self.y0, self.x1, self.y1]}


@dataclass(frozen=True, slots=True)
class Arc:
    """Seats evenly spaced in angle from `a0` to `a1` degrees around (cx, cy), clockwise because y points down."""

    cx: float
    cy: float
    r: float
    a0: float
    a1: float

    @classmethod
    def of(cls, centre: Position, radius: float, a0: float, a1: float) -> Arc:
        """Return the arc around `centre`, rounded."""
        return cls(number(centre[0]), number(centre[1]), number(radius), number(a0, 3), number(a1, 3))

    def positions(self, count: int) -> list[Position]:
        """Return the positions of `count` seats."""
        step = math.radians(self.a1 - self.a0) / (count - 1) if count > 1 else 0.0
        start, cos, sin = math.radians(self.a0), math.cos, math.sin
        cx, cy, r = self.cx, self.cy, self.r
        return [(cx + r * cos(start + step * i), cy + r * sin(start + step * i)) for i in range(count)]

    def document(self) -> dict[str, Any]:
        """Return the shape as a plan document writes it."""
        return {"arc": [self.cx, self.cy, self.r, self.a0, self.a1]}


@dataclass(frozen=True, slots=True)
class Points:
    """Every seat by itself: the first absolute, the others by their difference from the one before."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, positions: Sequence[Position]) -> Points:
        """Return the points of `positions`, rounded without letting the rounding add up along the row."""
        values: list[float] = []
        x = y = 0.0
        for px, py in positions:
            dx, dy = number(px - x), number(py - y)
            values += [dx, dy]
            x, y = x + dx, y + dy
        return cls(tuple(values))

    def positions(self, count: int) -> list[Position]:
        """Return the positions of `count` seats."""
        x = y = 0.0
        found = []
        for i in range(count):
            x, y = x + self.values[2 * i], y + self.values[2 * i + 1]
            found.append((round(x, 1), round(y, 1)))
        return found

    def document(self) -> dict[str, Any]:
        """Return the shape as a plan document writes it."""
        return {"points": list(self.values)}


Shape = Line | Arc | Points


def from_document(document: dict[str, Any]) -> Shape:
    """Return the shape that `document` writes; a `ValueError` says what is wrong with it."""
    if len(document) == 1:
        kind, values = next(iter(document.items()))
        if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
            raise ValueError(f"{kind} holds something that is not a number")
        if kind == "line" and len(values) == 4:
            return Line(*values)
        if kind == "arc" and len(values) == 5:
            return Arc(*values)
        if kind == "points" and len(values) % 2 == 0:
            return Points(tuple(values))
    raise ValueError("a row's shape is one of line (4 numbers), arc (5) and points (2 a seat)")


def fit(positions: Sequence[Position]) -> Shape:
    """Return the smallest shape that keeps every position to within TOLERANCE.

    What comes out is a fixed point: fitting the shape's own positions again gives the same shape, so that a plan
    exported and imported again keeps its hash.
    """
    shape = _fit_once(positions)
    for _ in range(4):
        again = _fit_once(shape.positions(len(positions)))
        if again == shape:
            break
        shape = again
    return shape


def _fit_once(positions: Sequence[Position]) -> Shape:
    count = len(positions)
    line = Line.of(positions[0], positions[-1])
    if count <= 2 or _fits(line, positions):
        return line
    arc = _arc_through(positions)
    if arc is not None and _fits(arc, positions):
        return arc
    return Points.of(positions)


def _fits(shape: Shape, positions: Sequence[Position]) -> bool:
    return all(
        abs(x - px) <= TOLERANCE and abs(y - py) <= TOLERANCE
        for (x, y), (px, py) in zip(shape.positions(len(positions)), positions, strict=True)
    )


def _arc_through(positions: Sequence[Position]) -> Arc | None:
    """Return the arc through the first, the middle and the last position, if they are on a sensible circle."""
    (ax, ay), (bx, by), (cx, cy) = positions[0], positions[len(positions) // 2], positions[-1]
    # The circumcentre, with the first position as the origin to keep the differences small.
    bx, by, cx, cy = bx - ax, by - ay, cx - ax, cy - ay
    d = 2 * (bx * cy - by * cx)
    if abs(d) < 1e-6:
        return None
    ux = (cy * (bx * bx + by * by) - by * (cx * cx + cy * cy)) / d
    uy = (bx * (cx * cx + cy * cy) - cx * (bx * bx + by * by)) / d
    radius = math.hypot(ux, uy)
    if radius > _LARGEST_RADIUS:
        return None
    a0 = math.degrees(math.atan2(-uy, -ux))
    middle = math.degrees(math.atan2(by - uy, bx - ux))
    a1 = math.degrees(math.atan2(cy - uy, cx - ux))
    clockwise = (middle - a0) % 360 <= (a1 - a0) % 360
    span = (a1 - a0) % 360 if clockwise else -((a0 - a1) % 360)
    return Arc.of((ax + ux, ay + uy), radius, a0, a0 + span)
