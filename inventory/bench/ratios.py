"""Ours against a baseline: throughput, or server CPU per request where the client was what gave out."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from inventory.bench import cpu
from inventory.bench.findings import Finding, Target
from inventory.bench.load import Load, Sample


def throughput(target: Target, ours: Sequence[Sample], bare: Sequence[Sample], *, loads: Sequence[Load]) -> Finding:
    """Compare requests a second; `loads` are ours and the baseline's.

    Where the client was full beside either, it would be compared with itself: then the price of a request counts, and
    both ratios are told.
    """
    limits = [cpu.limit([s.usage for s in each], load.widths) for each, load in zip((ours, bare), loads, strict=True)]
    rates = median(s.rate for s in ours) / median(s.rate for s in bare)
    prices = median(s.server_us for s in bare) / median(s.server_us for s in ours)
    is_client = any(limit.name == "client" for limit in limits)
    note = f"requests a second {rates:.3f}, server CPU per request {prices:.3f} of the baseline's"
    if is_client:
        note = f"the client was the limit, so server CPU per request counts; {note}"
    return Finding(
        target,
        prices if is_client else rates,
        str(limits[1] if limits[1].name == "client" else limits[0]),
        named("ours", ours) | named("baseline", bare),
        notes=(described("ours", ours), described("baseline", bare), note),
        details={"ours": [asdict(s) for s in ours], "baseline": [asdict(s) for s in bare]},
    )


def named(name: str, samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Return the figures of samples under their names and units."""
    return {
        f"{name} req/s": [s.rate for s in samples],
        f"{name} p99 ms": [s.p99_ms for s in samples],
        f"{name} server us": [s.server_us for s in samples],
        f"{name} client us": [s.client_us for s in samples],
    }


def described(name: str, samples: Sequence[Sample]) -> str:
    """Say in a line how somebody did."""
    rate, p50, p99 = (median(getattr(s, what) for s in samples) for what in ("rate", "p50_ms", "p99_ms"))
    server, client, size = (
        median(getattr(s, what) for s in samples) for what in ("server_us", "client_us", "bytes_each")
    )
    return (
        f"{name}: {rate:,.0f} req/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"{server:.0f} us server and {client:.0f} us client CPU, {size:,.0f} bytes each"
    )
