"""The pace of a sale as a picture: tickets per stretch of time, stacked by price, ready to be drawn as rectangles."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from events.models import Event, PriceTier

WIDTH, HEIGHT = 720, 160  # Units of the drawing, not pixels: it takes the width it is given.
MOST_BARS = 60
_STEPS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 180, 720, 1440, 4320, 10080))

_SPAN = """
SELECT min(minute), max(minute) FROM inventory_salesminute
WHERE event_id = %s AND minute >= coalesce(%s, '-infinity'::timestamptz)
"""
_COUNTED = """
SELECT date_bin(make_interval(secs => %s), minute, %s) AS starts_at, tier, sum(sold), sum(refunded),
    sum(taken - returned)
FROM inventory_salesminute WHERE event_id = %s AND minute >= coalesce(%s, '-infinity'::timestamptz)
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The tickets of one price in one bar, and where they are drawn."""

    tier: str
    color: str
    sold: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time; `revenue` is ticket prices less what was given back in it."""

    starts_at: datetime
    sold: int
    refunded: int
    revenue: int
    x: float
    width: float
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Pace:
    """The bars in which something happened, `step` long each, from `first` to `last`; the tallest is `peak` tickets."""

    bars: Sequence[Bar]
    step: timedelta
    first: datetime
    last: datetime
    peak: int

    @property
    def tickets(self) -> int:
        """Tickets sold, less those given back."""
        return sum(bar.sold - bar.refunded for bar in self.bars)

    @property
    def step_words(self) -> str:
        """How long a bar is, in words."""
        minutes = int(self.step.total_seconds()) // 60
        for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
            if minutes % size == 0:
                count = minutes // size
                return word if count == 1 else f"{count} {word}s"
        raise AssertionError(minutes)


def pace(event: Event, tiers: Sequence[PriceTier], *, since: datetime | None = None) -> Pace | None:
    """Return how an event has sold (from a moment on), in at most sixty bars; None where nothing has moved."""
    with connection.cursor() as cursor:
        cursor.execute(_SPAN, [event.pk, since])
        first, last = cursor.fetchone()
        if first is None:
            return None
        step = next((s for s in _STEPS if (last - first) // s < MOST_BARS), _STEPS[-1])
        cursor.execute(_COUNTED, [step.total_seconds(), first, event.pk, since])
        counted = cursor.fetchall()
    return _drawn(counted, {tier.number: tier for tier in tiers}, step, first, last)


def _drawn(
    counted: list[tuple[datetime, int, int, int, int]],
    tiers: dict[int, PriceTier],
    step: timedelta,
    first: datetime,
    last: datetime,
) -> Pace:
    stretches: dict[datetime, list[tuple[int, int, int, int]]] = {}
    for starts_at, *rest in counted:
        stretches.setdefault(starts_at, []).append(tuple(rest))  # type: ignore[arg-type]
    peak = max(sum(sold for _, sold, _, _ in rows) for rows in stretches.values())
    width = WIDTH / ((last - first) // step + 1)
    bars = [
        Bar(
            starts_at=starts_at,
            sold=sum(row[1] for row in rows),
            refunded=sum(row[2] for row in rows),
            revenue=sum(row[3] for row in rows),
            x=round((starts_at - first) // step * width, 2),
            width=round(max(1.0, width * 0.86), 2),
            parts=_stacked(rows, tiers, HEIGHT / max(1, peak)),
        )
        for starts_at, rows in stretches.items()
    ]
    return Pace(bars, step, first, last, peak)


def _stacked(rows: list[tuple[int, int, int, int]], tiers: dict[int, PriceTier], unit: float) -> list[Part]:
    parts, top = [], float(HEIGHT)
    for number, sold, _, _ in rows:
        if sold:
            top -= sold * unit
            tier = tiers.get(number)
            name, color = (tier.name, tier.color) if tier else (f"Price {number}", "#746a5d")
            parts.append(Part(name, color, sold, round(top, 2), round(sold * unit, 2)))
    return parts
