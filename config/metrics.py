"""What is counted across modules, and counting that costs a hot path next to nothing.

A counter of prometheus_client takes a lock and, where workers share a folder, writes to a mapped file: a microsecond
each time, on slots of fifty. A `Tally` is counted in plain memory for a twentieth of that, and handed over every two
seconds (config/pulse.py), before every scrape and when its process ends.

Tiers of `seats`: lru, copy, rebuilt, gutter, database, stale; of pages: lru, page_cache, render, stale. A read is
counted once, by the tier that answered it.
"""

import itertools
import threading
from collections.abc import Callable
from heapq import nlargest
from typing import Final

from prometheus_client import Counter

__all__ = ["DATABASE_READS", "HOT_EVENTS", "LATENCIES", "PAGE_VIEWS", "TIER_READS", "Heat", "Tallies", "Tally", "flush"]

# From a moment within one process to a browser far away: the relay's promise is 250 ms at the 99th percentile.
LATENCIES: Final = (0.005, 0.01, 0.025, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.35, 0.5, 1.0, 2.0, 5.0, 30.0)


class Tally:
    """A child of a counter that many threads count on without a lock and without losing one.

    `inc()` is the bound C method of an `itertools.count`, which one bytecode runs whole; the reader takes a number
    too, and knows which ones were his. 0.05 us where `Counter.inc` in a shared folder takes 0.9 (CPython 3.11).
    """

    __slots__ = ("_child", "_first", "_lock", "inc")

    inc: Callable[[], int]

    def __init__(self, child: Counter) -> None:
        self._child = child
        self._lock = threading.Lock()
        self._first = 0
        self.inc = itertools.count().__next__
        _tallies.append(self)

    def flush(self) -> None:
        """Hand over to the counter what has been counted since."""
        with self._lock:
            now = self.inc()
            counted, self._first = now - self._first, now + 1
        if counted:
            self._child.inc(counted)

    @property
    def value(self) -> int:
        """What this process has counted so far."""
        self.flush()
        return int(self._child._value.get())


class Tallies:
    """A counter with labels whose children are tallies; take a child once, and keep it."""

    def __init__(self, name: str, documentation: str, labels: list[str]) -> None:
        self._counter = Counter(name, documentation, labels)
        self._lock = threading.Lock()
        self._children: dict[tuple[str, ...], Tally] = {}

    def labels(self, *values: str) -> Tally:
        """Return the tally of these label values, always the same one."""
        with self._lock:
            if values not in self._children:
                self._children[values] = Tally(self._counter.labels(*values))
            return self._children[values]


class Heat:
    """Which keys are asked for most, counted from one reading to the next; bounded, whoever asks.

    One request in `every` is looked at, and stands for as many: hashing a UUID costs more than counting. For one thread
    that counts and one that reads: at worst a reading misses the count being made.
    """

    def __init__(self, *, size: int = 4096, every: int = 1) -> None:
        self._size = size
        self._every = every
        self._turn = itertools.count(1).__next__
        self._counts: dict[object, int] = {}

    def add(self, key: object) -> None:
        """Count a request for `key`; with `size` others known since the last reading, it is let go."""
        if self._turn() % self._every:
            return
        counts = self._counts
        if key in counts:
            counts[key] += 1
        elif len(counts) < self._size:
            counts[key] = 1

    def take(self, most: int) -> dict[str, int]:
        """Return the hottest keys with their counts, hottest first, and begin anew."""
        counts, self._counts = self._counts, {}
        hottest = nlargest(most, counts.copy().items(), key=lambda item: item[1])
        return {str(key): count * self._every for key, count in hottest}


def flush() -> None:
    """Hand over all tallies of this process."""
    for tally in tuple(_tallies):
        tally.flush()


_tallies: list[Tally] = []

TIER_READS = Tallies("onsale_tier_reads", "Reads by key family and the tier that answered.", ["family", "tier"])
DATABASE_READS = Tallies(
    "onsale_database_reads", "SELECTs sent to Postgres, by kind of process and by database.", ["pool", "database"]
)
PAGE_VIEWS = Tally(Counter("onsale_page_views", "Pages of HTML that the origin answered."))
# Counted by the process that serves the slots: `metrics.HOT_EVENTS.add(event_id)`. Every 13th, because a prime keeps
# step with no client that asks for events in turn.
HOT_EVENTS = Heat(every=13)
