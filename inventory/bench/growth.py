"""Whether a slot becomes dearer with the size of the hall and the number of events on sale."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from inventory.bench import cpu, load, ratios
from inventory.bench.findings import Family, Finding, at_most
from inventory.bench.pools import Server, is_copy
from inventory.bench.shows import Show
from inventory.bench.slot import AS_BROWSERS_ASK
from inventory.bench.stage import Stage

GROWTH = at_most(
    "growth", "slot cost at 120,000 seats and 500 live events / at 2,000 seats and 1 event, per byte sent", 1.2
)


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask for the stadium at every other request and for one of 499 theatres at the others; and for one theatre alone.

    All are about to open, so that all answers have one size: dividing by bytes flatters nobody.
    """
    small = stage.event("small")
    large, crowd = stage.event("large"), stage.shows("crowd")
    with stage.relay(), stage.live(name="live-small") as alone, stage.live(name="live-large") as many:
        stage.settled(alone, small)
        stage.settled(many, large)
        loads = {
            "one theatre": _load(stage, alone, [small]),
            "500 events": _load(stage, many, [show for each in crowd for show in (large, each)]),
        }

        def prepare(name: str) -> None:
            if name == "500 events":
                _warm(stage, many, [large, *crowd])
            else:  # Else the relay would go on writing 500 planes while the one theatre is measured.
                stage.empty_redis()
                stage.settled(alone, small)

        samples = load.interleaved(stage, loads, before=prepare)
    before, after = (median(s.server_us / s.bytes_each for s in samples[name]) for name in loads)
    limit = cpu.limit([s.usage for s in samples["500 events"]], loads["500 events"].widths)
    yield Finding(
        GROWTH,
        after / before,
        limit.name,
        ratios.named("one theatre", samples["one theatre"]) | ratios.named("500 events", samples["500 events"]),
        notes=(*(ratios.described(name, samples[name]) for name in loads), limit.told),
    )


def _warm(stage: Stage, server: Server, shows: Sequence[Show]) -> None:
    """Look at every event until the relay writes them all: cold, only fifty a second are read from the database."""
    waiting = list(shows)

    def is_warm() -> bool:
        waiting[:] = [show for show in waiting if not is_copy(server.get(show.seats_path))]
        stage.say(f"warming {len(shows)} events, {len(waiting)} to go")
        return not waiting

    stage.until(is_warm, "the relay did not write every event")


def _load(stage: Stage, server: Server, shows: Sequence[Show]) -> load.Load:
    path = stage.folder / f"{server.name}.paths"
    path.write_text("".join(f"{show.seats_path}\n" for show in shows))
    return replace(load.on(stage, server, "", Accept_Encoding=AS_BROWSERS_ASK), paths=path)


FAMILY = Family("growth", (GROWTH,), measure, needs_wrk=True)
