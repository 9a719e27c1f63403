"""Halls small enough to reason about, for the tests of this folder."""

from collections.abc import Sequence

from seating.geometry import Category, Plan, Row, Section, Stage
from seating.shapes import Line, Points


def hall(*counts: int, flags: dict[str, tuple[int, ...]] | None = None) -> Plan:
    """Return a hall of one section "Stalls" with rows A, B ... of `counts` seats, the stage above their middle."""
    rows: list[Row] = []
    first = 0
    for i, count in enumerate(counts):
        left = 500 - (count - 1) * 12.5
        at = Line.of((left, 200 + 40 * i), (left + (count - 1) * 25, 200 + 40 * i))
        rows.append(Row("ABCDEFGHJK"[i], first, count, at, (1, 1), 0))
        first += count
    return _plan(rows, flags)


def hall_with_aisle(left: int, right: int) -> Plan:
    """Return a hall of one row with an aisle between its `left` and its `right` seats."""
    xs = [400 + 25 * i for i in range(left)] + [400 + 25 * (left + i) + 60 for i in range(right)]
    row = Row("A", 0, left + right, Points.of([(x, 200) for x in xs]), (1, 1), 0)
    return _plan([row], None)


def _plan(rows: Sequence[Row], flags: dict[str, tuple[int, ...]] | None) -> Plan:
    count = sum(row.count for row in rows)
    outline = (100.0, 180.0, 900.0, 180.0, 900.0, 700.0, 100.0, 700.0)
    section = Section("Stalls", "seated", 0, count, outline, (500, 400), 0, rows=tuple(rows))
    stage = Stage((400.0, 0.0, 600.0, 0.0, 600.0, 100.0, 400.0, 100.0))
    return Plan("Hall", 1000, 800, (Category("Stalls", "#b4552d"),), (section,), stage, flags or {})


def mask(text: str) -> bytes:
    """Return the mask that a picture shows: "." is free, anything else is not; blanks are for the eye."""
    return bytes(int(c == ".") for c in text.replace(" ", ""))
