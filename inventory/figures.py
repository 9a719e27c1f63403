"""What the live page shows: the counts of all processes, held against what DESIGN promises of each read.

Pure reckoning on what `config.pulses` has read; a verdict is given only where there is enough to judge by.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from config import pulse

JUDGED_FROM: Final = 5.0  # A second. A few readers say nothing of a cache.
JUDGED_FROM_BUSY: Final = 50.0  # Of a cache that keeps for a second, even some dozens of readers say nothing.
FAMILIES: Final = ("shell", "listing", "plan", "seats", "me")
_EDGE_HITS: Final = ("hit", "stale", "updating", "revalidated")

MET, MISSED, QUIET, WATCHED = "met", "missed", "quiet", "watched"  # Quiet: too little to judge. Watched: no target.

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Share:
    """A part of a family's reads that some tier has to answer: counts by their beginnings."""

    read: str
    title: str
    hits: tuple[str, ...]
    of: tuple[str, ...]
    without: tuple[str, ...] = ()
    at_least: float | None = None
    judged_from: float = JUDGED_FROM


@dataclass(frozen=True)
class Figure:
    """One figure and what is to be thought of it; `value` is None where nothing was counted."""

    name: str
    title: str
    value: float | None
    target: float | None
    verdict: str
    per_second: float


def _edge(family: str, at_least: float | None = None) -> Share:
    hits = tuple(f"edge_requests_total|{family}|{status}" for status in _EDGE_HITS)
    return Share(family, "Edge", hits, (f"edge_requests_total|{family}|",), at_least=at_least)


def _tiers(family: str, *tiers: str) -> tuple[str, ...]:
    return tuple(f"tier_reads_total|{family}|{tier}" for tier in tiers)


# The hit rates of DESIGN, section 1. The page cache and Redis are judged by what the tier before them has left.
SHARES: Final = (
    _edge("shell", 0.95),
    Share("shell", "Page cache", _tiers("shell", "lru", "page_cache"), _tiers("shell", ""), at_least=0.99),
    _edge("listing"),
    _edge("plan", 0.99),
    Share(
        "seats",
        "This process",
        _tiers("seats", "lru"),
        _tiers("seats", ""),
        at_least=0.90,
        judged_from=JUDGED_FROM_BUSY,
    ),
    Share(
        "seats",
        "Redis",
        _tiers("seats", "copy", "rebuilt"),
        _tiers("seats", ""),
        without=_tiers("seats", "lru"),
        at_least=0.99,
    ),
    Share("me", "Redis", _tiers("me", "copy"), _tiers("me", "")),
)

READS_PER_THOUSAND: Final = 10.0  # 5 % past the edge x 1 % past the page cache x 8 statements a render is 4.
LAG_P99: Final = 0.25
COMMIT_P50: Final = 0.06
COMMIT_P99: Final = 0.25


def total(counts: Counts, *beginnings: str) -> int:
    """Return the sum of the counts whose names begin so."""
    return sum(count for name, count in counts.items() if name.startswith(beginnings)) if beginnings else 0


def shares(counts: Counts, seconds: float) -> list[Figure]:
    """Return how much of each read each tier answered, against its target."""
    return [_share(share, counts, seconds) for share in SHARES]


def page_views(counts: Counts) -> int:
    """Return the pages that were looked at: at our edge if it counts, else those the origin answered."""
    return total(counts, "edge_requests_total|shell|", "edge_requests_total|listing|") or total(
        counts, "page_views_total"
    )


def reads_per_thousand(counts: Counts) -> float | None:
    """Return the primary's reads for pages and slots, per thousand page views; None without views."""
    views = page_views(counts)
    reads = total(counts, "database_reads_total|web|default", "database_reads_total|live|default")
    return 1000 * reads / views if views else None


def quantile(counts: Counts, name: str, share: float) -> float | None:
    """Return the value that `share` of a histogram's observations stay below, as Prometheus' histogram_quantile does.

    Linear within a bucket; of what is beyond the last bound, that bound. None without observations.
    """
    beginning = f"{name}_bucket|"
    buckets = sorted(
        (float(key.removeprefix(beginning)), count) for key, count in counts.items() if key.startswith(beginning)
    )
    if not buckets or not buckets[-1][1]:
        return None
    rank = share * buckets[-1][1]
    low, below = 0.0, 0
    for bound, count in buckets:
        if count >= rank:
            if math.isinf(bound):
                return low
            return low + (bound - low) * (rank - below) / (count - below) if count > below else bound
        low, below = bound, count
    return low


def headline(counts: Counts, seconds: float) -> list[Figure]:
    """Return the figures above all: traffic, the database's part in it, and how late the pictures are."""
    views, slots = page_views(counts) / seconds, total(counts, "tier_reads_total|seats|") / seconds
    frames = total(counts, "relay_frames_total") / seconds
    is_enough = views >= JUDGED_FROM
    per_thousand = reads_per_thousand(counts) if is_enough else None  # Of a few views it would be mostly staff's.
    late = [
        ("lag_p99", "Change to publication, p99", "relay_lag_seconds", 0.99, LAG_P99),
        ("commit_p50", "Commit to browser, p50", "commit_to_socket_seconds", 0.5, COMMIT_P50),
        ("commit_p99", "Commit to browser, p99", "commit_to_socket_seconds", 0.99, COMMIT_P99),
    ]
    return [
        Figure("views", "Page views", views, None, WATCHED, views),
        Figure("slots", "Seat reads", slots, None, WATCHED, slots),
        Figure(
            "reads_per_thousand",
            "Database reads per 1,000 views",
            per_thousand,
            READS_PER_THOUSAND,
            _verdict(per_thousand, at_most=READS_PER_THOUSAND),
            views,
        ),
        *(
            Figure(name, title, value, target, _verdict(value, at_most=target), frames)
            for name, title, histogram, share, target in late
            for value in [quantile(counts, histogram, share)]
        ),
    ]


def points(slots: Sequence[Counter[str]], *, width: int) -> dict[str, list[float | None]]:
    """Return the same figures slot by slot, to be drawn, each over the `width` slots up to it; None where none is.

    The first `width` - 1 slots are there for the sums only.
    """
    each = [
        {figure.name: figure.value for figure in headline(summed(slots[end - width : end]), width * pulse.BEAT_SECONDS)}
        for end in range(width, len(slots) + 1)
    ]
    return {name: [values[name] for values in each] for name in (each[0] if each else ())}


def summed(slots: Iterable[Counter[str]]) -> Counter[str]:
    """Return the counts of several slots together."""
    together: Counter[str] = Counter()
    for counts in slots:
        together.update(counts)
    return together


def tiers(counts: Counts) -> dict[str, dict[str, int]]:
    """Return each family's reads by the tier that answered."""
    found: dict[str, dict[str, int]] = {family: {} for family in FAMILIES}
    for key, count in counts.items():
        name, _, rest = key.partition("|")
        family, _, tier = rest.partition("|")
        if name == "tier_reads_total" and family in found:
            found[family][tier] = count
    return found


def _share(share: Share, counts: Counts, seconds: float) -> Figure:
    hits, of = total(counts, *share.hits), total(counts, *share.of) - total(counts, *share.without)
    value = hits / of if of else None
    verdict = _verdict(value, at_least=share.at_least, is_enough=of / seconds >= share.judged_from)
    return Figure(share.read, share.title, value, share.at_least, verdict, of / seconds)


def _verdict(
    value: float | None, *, at_least: float | None = None, at_most: float | None = None, is_enough: bool = True
) -> str:
    if at_least is None and at_most is None:
        return WATCHED
    if value is None or not is_enough:
        return QUIET
    is_met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    return MET if is_met else MISSED
