"""The shell from the page cache without an edge, beside Django's minimal view under the same server."""

from collections.abc import Iterator

from inventory.bench import load, ratios
from inventory.bench.findings import Family, Finding, at_least
from inventory.bench.slot import AS_BROWSERS_ASK
from inventory.bench.stage import Stage

WARM = at_least("origin.warm", "shell at the origin, page cache warm, no edge / Django's minimal view", 0.8)


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask web for an event's page, which both its processes have made or found before."""
    show = stage.event("half")
    with stage.web() as web:
        shell = web.get(show.path, Accept_Encoding=AS_BROWSERS_ASK)
        stage.check(shell.status == 200, f"{show.path} answered {shell.status}")
        with stage.bare("page", shell) as bare:
            loads = {
                "shell": load.on(stage, web, show.path, Accept_Encoding=AS_BROWSERS_ASK),
                "minimal view": load.on(stage, bare, show.path, Accept_Encoding=AS_BROWSERS_ASK),
            }
            samples = load.interleaved(stage, loads)
    yield ratios.throughput(
        WARM, samples["shell"], samples["minimal view"], widths=[each.widths for each in loads.values()]
    )


FAMILY = Family("origin", (WARM,), measure, needs_wrk=True)
