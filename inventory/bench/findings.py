"""What a measure must reach, what it found, and how that is judged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from inventory.bench.stage import Stage


@dataclass(frozen=True)
class Target:
    """A figure to reach; `unit` is empty for a ratio to a baseline."""

    key: str
    title: str
    bound: float
    kind: Literal["at least", "at most"]
    unit: str = ""

    def is_met(self, figure: float) -> bool:
        """Say whether a figure reaches the bound; the bound itself does, no figure (NaN) does not."""
        return figure >= self.bound if self.kind == "at least" else figure <= self.bound


def at_least(key: str, title: str, bound: float, unit: str = "") -> Target:
    """Return a target that larger figures reach."""
    return Target(key, title, bound, "at least", unit)


def at_most(key: str, title: str, bound: float, unit: str = "") -> Target:
    """Return a target that smaller figures reach."""
    return Target(key, title, bound, "at most", unit)


@dataclass(frozen=True)
class Finding:
    """The figure of one target, and what it was made from.

    `samples` are the single values behind it by name and unit ("ours req/s"); `notes` are shown under the row;
    `details` are for the JSON only.
    """

    target: Target
    figure: float
    limited_by: str
    samples: Mapping[str, Sequence[float]]
    notes: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """Say whether the target was reached."""
        return self.target.is_met(self.figure)


@dataclass(frozen=True)
class Family:
    """Measures that share their servers; `name` is what `--only` calls them, `needs_wrk` says who puts on the load."""

    name: str
    targets: tuple[Target, ...]
    measure: Callable[["Stage"], Iterator[Finding]]
    needs_wrk: bool = False


def spread(values: Sequence[float]) -> float:
    """Return how far the values lie apart: (largest - smallest) / median; 0 for values that are all 0."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of all values do not exceed; the values must be sorted."""
    return values[max(0, ceil(round(len(values) * share, 6)) - 1)]
