"""The slot (read R3), warm, beside the bare ASGI application that sends the same bytes from the same server."""

from collections.abc import Iterator
from statistics import median

from inventory.bench import cpu, load, ratios
from inventory.bench.findings import Family, Finding, at_least, at_most
from inventory.bench.stage import Stage

WARM = at_least("slot.warm", "slot, warm, one live worker / bare ASGI app with the same bytes", 0.90)
KNOWN = at_least("slot.known", "slot with If-None-Match / the bare app", 1.0)
TAIL = at_most("slot.p99", "slot p99 at 64 connections / the bare app's", 1.3)

AS_BROWSERS_ASK = "gzip, deflate, br"


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask for a stadium half sold: some 8 KB compressed."""
    show = stage.event("half")
    with stage.relay(), stage.live() as live:
        reply = stage.settled(live, show, Accept_Encoding=AS_BROWSERS_ASK)
        with stage.bare("slot", reply) as bare:
            etag = next(value for name, value in reply.headers.items() if name.lower() == "etag")
            loads = {
                "slot": load.on(stage, live, show.seats_path, Accept_Encoding=AS_BROWSERS_ASK),
                "known slot": load.on(
                    stage, live, show.seats_path, Accept_Encoding=AS_BROWSERS_ASK, If_None_Match=etag
                ),
                "bare app": load.on(stage, bare, show.seats_path, Accept_Encoding=AS_BROWSERS_ASK),
            }
            samples = load.interleaved(stage, loads)
            stage.check(live.get(show.seats_path, If_None_Match=etag).status == 304, "the slot changed meanwhile")
    slot, known, plain = (samples[name] for name in loads)
    yield ratios.throughput(WARM, slot, plain, widths=(loads["slot"].widths, loads["bare app"].widths))
    yield ratios.throughput(KNOWN, known, plain, widths=(loads["known slot"].widths, loads["bare app"].widths))
    tails = {"ours p99 ms": [s.p99_ms for s in slot], "baseline p99 ms": [s.p99_ms for s in plain]}
    ours, theirs = (median(values) for values in tails.values())
    limit = cpu.limit([s.usage for s in slot], loads["slot"].widths)
    notes = (f"ours {ours:.1f} ms, baseline {theirs:.1f} ms", limit.told)
    yield Finding(TAIL, ours / theirs, limit.name, tails, notes=notes)


FAMILY = Family("slot", (WARM, KNOWN, TAIL), measure, needs_wrk=True)
