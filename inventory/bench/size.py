"""How large the slot of a stadium is on the wire."""

from collections.abc import Iterator

from inventory.bench.findings import Family, Finding, Target, at_most
from inventory.bench.stage import Stage

OPENING = at_most("size.opening", "slot size, 60,000 seats, at opening, gzip", 500, "bytes")
HALF = at_most("size.half", "slot size, 60,000 seats, half sold at random, gzip", 12_000, "bytes")


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask for both slots as a browser that knows gzip only."""
    shows = {OPENING: stage.event("opening"), HALF: stage.event("half")}
    with stage.relay(), stage.live() as live:
        for target, show in shows.items():
            reply = stage.settled(live, show, Accept_Encoding="gzip")
            stage.check(reply.headers.get("content-encoding") == "gzip", "the slot was not compressed by gzip")
            yield _finding(target, len(reply.body), stage.settled(live, show).body)


def _finding(target: Target, size: int, plain: bytes) -> Finding:
    note = f"{len(plain):,} bytes before compression"
    return Finding(target, size, "nothing: a size", {"bytes": [size]}, notes=(note,))


FAMILY = Family("size", (OPENING, HALF), measure)
