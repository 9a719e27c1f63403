"""The shell from the edge's cache, beside a static file of the same bytes from the same nginx."""

from collections.abc import Iterator

from inventory.bench import load, ratios
from inventory.bench.findings import Family, Finding, at_least
from inventory.bench.stage import Stage

CACHED = at_least(
    "edge.cached", "shell through the edge, cached / same bytes as a static file from the same nginx", 0.95
)


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask for an event's page; the file lies where nginx serves pictures from disk."""
    show = stage.event("half")
    with stage.site() as site:
        shell = site.get(show.path)
        stage.check(shell.status == 200, f"{show.path} answered {shell.status}")
        (stage.folder / "media" / "shell.html").write_bytes(shell.body)
        stage.until(lambda: site.get(show.path).headers.get("X-Cache") == "HIT", "the edge did not keep the shell")
        file = site.get("/media/shell.html")
        stage.check(file.body == shell.body, "nginx does not serve the file")
        loads = {"shell": load.on(stage, site, show.path), "file": load.on(stage, site, "/media/shell.html")}
        samples = load.interleaved(stage, loads)
    yield ratios.throughput(CACHED, samples["shell"], samples["file"], widths=[each.widths for each in loads.values()])


FAMILY = Family("edge", (CACHED,), measure, needs_wrk=True)
