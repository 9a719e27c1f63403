"""The shell from the edge's cache, beside a static file of the same bytes from the same nginx."""

from collections.abc import Iterator

from inventory.bench import load, ratios
from inventory.bench.findings import Family, Finding, at_least
from inventory.bench.pools import Site
from inventory.bench.slot import AS_BROWSERS_ASK
from inventory.bench.stage import Stage

CACHED = at_least(
    "edge.cached", "shell through the edge, cached / same bytes as a static file from the same nginx", 0.95
)


def measure(stage: Stage) -> Iterator[Finding]:
    """Ask for an event's page as browsers do; the file lies among the static ones, compressed beforehand like them."""
    show = stage.event("half")
    with stage.site() as site:
        shell = site.get(show.path, Accept_Encoding=AS_BROWSERS_ASK)
        stage.check(shell.status == 200, f"{show.path} answered {shell.status}")
        stage.until(lambda: _is_hit(site, show.path), "the edge did not keep the shell")
        suffix = {"br": ".br", "gzip": ".gz"}[shell.headers["Content-Encoding"]]
        statics = stage.folder / "static"
        (statics / "shell.html").write_bytes(site.get(show.path).body)
        (statics / f"shell.html{suffix}").write_bytes(shell.body)
        file = site.get("/static/shell.html", Accept_Encoding=AS_BROWSERS_ASK)
        stage.check(file.body == shell.body, f"nginx does not serve the file: {file.status}")
        loads = {
            "shell": load.on(stage, site, show.path, Accept_Encoding=AS_BROWSERS_ASK),
            "file": load.on(stage, site, "/static/shell.html", Accept_Encoding=AS_BROWSERS_ASK),
        }
        samples = load.interleaved(stage, loads)
    yield ratios.throughput(CACHED, samples["shell"], samples["file"], widths=[each.widths for each in loads.values()])


def _is_hit(site: Site, path: str) -> bool:
    return site.get(path, Accept_Encoding=AS_BROWSERS_ASK).headers.get("X-Cache") == "HIT"


FAMILY = Family("edge", (CACHED,), measure, needs_wrk=True)
