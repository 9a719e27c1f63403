"""Ours against a baseline: throughput, or server CPU per request where the client was what gave out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import median

from inventory.bench import cpu
from inventory.bench.findings import Finding, Target
from inventory.bench.load import Sample


def throughput(
    target: Target,
    ours: Sequence[Sample],
    bare: Sequence[Sample],
    *,
    widths: Sequence[Mapping[str, int]],
    unit: str = "req",
) -> Finding:
    """Compare requests a second; `widths` are ours and the baseline's, as in `cpu.limit`.

    Where the client was full beside either, it would be compared with itself: then the price of a request counts, and
    both ratios are told.
    """
    limits = [cpu.limit([s.usage for s in each], wide) for each, wide in zip((ours, bare), widths, strict=True)]
    rates = median(s.rate for s in ours) / median(s.rate for s in bare)
    prices = median(s.server_us for s in bare) / median(s.server_us for s in ours)
    limit = next((limit for limit in limits if limit.name == "client"), limits[0])
    is_client = limit.name == "client"
    note = f"{unit}/s {rates:.3f}, server CPU per {unit} {prices:.3f} of the baseline's (more is better)"
    if is_client:
        note = f"the client was the limit, so server CPU per {unit} counts: {note}"
    return Finding(
        target,
        prices if is_client else rates,
        limit.name,
        named("ours", ours, unit) | named("baseline", bare, unit),
        notes=(described("ours", ours, unit), described("baseline", bare, unit), note, limit.told),
        details={"ours": [asdict(s) for s in ours], "baseline": [asdict(s) for s in bare]},
    )


def named(name: str, samples: Sequence[Sample], unit: str = "req") -> dict[str, list[float]]:
    """Return the figures of samples under their names and units."""
    return {
        f"{name} {unit}/s": [s.rate for s in samples],
        f"{name} p99 ms": [s.p99_ms for s in samples],
        f"{name} server us": [s.server_us for s in samples],
        f"{name} client us": [s.client_us for s in samples],
    }


def described(name: str, samples: Sequence[Sample], unit: str = "req") -> str:
    """Say in a line how somebody did."""
    rate, p50, p99 = (median(getattr(s, what) for s in samples) for what in ("rate", "p50_ms", "p99_ms"))
    server, client, size = (
        median(getattr(s, what) for s in samples) for what in ("server_us", "client_us", "bytes_each")
    )
    return (
        f"{name}: {rate:,.0f} {unit}/s of {size:,.0f} bytes, p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"CPU per {unit} {server:.1f} us server and {client:.1f} us client"
    )
