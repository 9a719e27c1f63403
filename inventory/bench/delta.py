"""From the commit of a hold to the moment at which another browser's socket has it."""

from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from statistics import median

from inventory import plane
from inventory.bench import buyers, cpu
from inventory.bench.crowds import receipts, watching
from inventory.bench.findings import Family, Finding, at_most, percentile
from inventory.bench.stage import Stage

SOCKETS = 2_000
TITLE = f"commit of a hold -> delta at {SOCKETS:,} sockets, {buyers.PER_SECOND} changes a second"
MEDIAN = at_most("delta.p50", f"{TITLE}, p50", 60, "ms")
TAIL = at_most("delta.p99", f"{TITLE}, p99", 250, "ms")
_WARM_SECONDS = 3


def measure(stage: Stage) -> Iterator[Finding]:
    """Client and server share one clock: a hold is stamped right after its commit, a frame when a socket has it."""
    show = stage.event("sale")
    window = stage.seconds + 2
    path = stage.folder / "receipts.jsonl"
    with (
        stage.relay() as relay,
        stage.live() as live,
        watching(stage, live, show.socket_path, SOCKETS) as crowd,
    ):
        stage.settled(live, show)
        crowd.ask("record")
        roots = {"server": live.pid, "client": crowd.pid, "relay": relay.popen.pid, **stage.stores()}
        with cpu.metered(roots) as usage, buyers.buying(stage, show, _WARM_SECONDS + stage.rounds * window) as bought:
            stage.say(f"holding {buyers.PER_SECOND} seats a second")
        told = crowd.ask("stop", path)
    stage.check(told["open"] == SOCKETS, f"{told['closed']} sockets were closed")
    windows = _windows(bought.committed, latencies(path, bought.committed), stage.rounds, window)
    limit = cpu.limit([usage], {"server": live.width, "client": 1})
    notes = (
        f"{len(bought.committed):,} holds, {told['frames']:,} frames, {told['notices']:,} notices {told['last']}",
        limit.told,
    )
    for target, share in ((MEDIAN, 0.5), (TAIL, 0.99)):
        figures = [percentile(values, share) * 1000 for values in windows]
        yield Finding(target, median(figures), limit.name, {"ms": figures}, notes=notes)


def latencies(path: Path, committed: Mapping[int, float]) -> dict[int, list[float]]:
    """Return for each seat the seconds from its commit to each socket; infinite for a socket that never heard of it."""
    found: dict[int, list[float]] = {}
    for frame, moments in receipts(path):
        for index in plane.decode_delta(frame)[2]:
            if index in committed and index not in found:
                found[index] = [moment - committed[index] for moment in moments]
    return {index: found.get(index, []) + [inf] * (SOCKETS - len(found.get(index, []))) for index in committed}


def _windows(
    committed: Mapping[int, float], found: Mapping[int, list[float]], rounds: int, seconds: float
) -> list[list[float]]:
    """Return the latencies of all sockets, sorted, for each of the windows that end with the last hold."""
    last = max(committed.values())
    windows: list[list[float]] = [[] for _ in range(rounds)]
    for index, at in committed.items():
        number = int((last - at) / seconds)
        if number < rounds:
            windows[number] += found[index]
    return [sorted(values) for values in windows]


FAMILY = Family("delta", (MEDIAN, TAIL), measure)
