"""The ground plan of a bowl: an oval of eight arcs that meet without a kink.

Two long sides and two ends of large radius are joined by four corners of small radius. Arcs that meet touch the same
tangent, so the curve at any distance outside is made of arcs around the same eight centres: rows of seats stay exactly
parallel, and each row of a block is one arc.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, radians, sin

from seating.generators.draft import curve
from seating.shapes import Position


@dataclass(frozen=True, slots=True)
class Part:
    """One arc of the oval at distance 0: `start` to `stop` radians clockwise around `centre`; its place in the bowl."""

    side: str
    centre: Position
    radius: float
    start: float
    stop: float


def oval(half_width: float, half_height: float, corner: float, end_angle: float, side_angle: float) -> list[Part]:
    """Return the eight arcs clockwise from the middle of the top end's left part.

    `corner` is the corners' radius; the ends span `end_angle` and the sides `side_angle` degrees to either side of
    their middle.
    """
    alpha, beta = radians(end_angle), radians(side_angle)
    a, b = half_width - corner, half_height - corner
    # The corner's centre must lie on the line through the end's centre and their joint, and on the same of the side:
    # two linear equations for the differences of the radii.
    ka, kb = 1 - cos(alpha), 1 - cos(beta)
    end_more = (a - kb * b / sin(beta)) / (sin(alpha) - ka * kb / sin(beta))
    side_more = (b - ka * end_more) / sin(beta)
    end, side = corner + end_more, corner + side_more
    cx, cy = end_more * sin(alpha), side_more * sin(beta)
    north, south = (0.0, end - half_height), (0.0, half_height - end)
    east, west = (half_width - side, 0.0), (side - half_width, 0.0)
    up = 1.5 * pi
    return [
        Part("end", north, end, up - alpha, up + alpha),
        Part("corner", (cx, -cy), corner, up + alpha, 2 * pi - beta),
        Part("side", east, side, 2 * pi - beta, 2 * pi + beta),
        Part("corner", (cx, cy), corner, 2 * pi + beta, 2.5 * pi - alpha),
        Part("end", south, end, 2.5 * pi - alpha, 2.5 * pi + alpha),
        Part("corner", (-cx, cy), corner, 2.5 * pi + alpha, 3 * pi - beta),
        Part("side", west, side, 3 * pi - beta, 3 * pi + beta),
        Part("corner", (-cx, -cy), corner, 3 * pi + beta, 3.5 * pi - alpha),
    ]


def ring(parts: list[Part], distance: float) -> list[Position]:
    """Return points along the whole oval, `distance` units outside (or, negative, inside) it."""
    return [point for part in parts for point in curve(part.centre, part.radius + distance, part.start, part.stop)[:-1]]
