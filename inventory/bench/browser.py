"""The event page in a phone-class Chromium, and what Lighthouse says of it and of the listing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from statistics import median

from config.embedded import Trouble
from inventory.bench import lighthouse, phone
from inventory.bench.chromium import NoBrowser
from inventory.bench.findings import Family, Finding, Target, at_least, at_most
from inventory.bench.lighthouse import NoLighthouse
from inventory.bench.phone import NotUsable, PageLoad
from inventory.bench.stage import Stage

_PHONE = "event page in a phone-class Chromium (4x CPU, slow 4G)"
LCP = at_most("browser.lcp", f"{_PHONE}: LCP", 1_500, "ms")
BLOCKING = at_most("browser.tbt", f"{_PHONE}: total blocking time", 150, "ms")
TRANSFER = at_most("browser.transfer", f"{_PHONE}: transfer before the map is usable", 180, "KB")
# Lighthouse takes half a minute a page, and its scores hardly move.
_MOST_SCORINGS = 3
_WORDS = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best practices",
    "seo": "SEO",
}
SCORES: dict[tuple[str, str], Target] = {
    (page, category): at_least(
        f"browser.{page}.{category}", f"Lighthouse {_WORDS[category]} of the {words}", bound, "points"
    )
    for page, words in (("listing", "listing"), ("event", "event page"))
    for category, bound in lighthouse.CATEGORIES.items()
}


def measure(stage: Stage) -> Iterator[Finding]:
    """Load the page of a half-sold stadium on a phone, then have it and the listing scored."""
    show = stage.event("half")
    with stage.site() as site:
        paths = {"event": show.path, "listing": "/"}
        for path in paths.values():
            # The edge has them as browsers ask for them: the crowd of an on-sale is never the first.
            site.get(path, Accept_Encoding="gzip, deflate, br")
        try:
            yield from _phone(stage, site.url + show.path)
            for page, path in paths.items():
                yield from _scores(stage, page, site.url + path)
        except (NoBrowser, NotUsable, NoLighthouse) as problem:
            raise Trouble(f"Not measured: {problem}.") from problem


def _phone(stage: Stage, url: str) -> Iterator[Finding]:
    loads: list[PageLoad] = []
    for load in phone.loads(url, stage.rounds):
        loads.append(load)
        stage.say(f"cold load {len(loads)} of {stage.rounds}: map usable after {load.usable_ms:,.0f} ms")
    usable = median(load.usable_ms for load in loads)
    shift = max(load.layout_shift for load in loads)
    details = {"loads": [asdict(load) for load in loads]}
    yield Finding(
        LCP,
        median(load.lcp_ms for load in loads),
        "the emulated network and CPU",
        {"LCP ms": [load.lcp_ms for load in loads]},
        notes=(f"painted last: {loads[0].lcp_element}; layout shift {shift:.3f}; map usable after {usable:,.0f} ms",),
        details=details,
    )
    yield Finding(
        BLOCKING,
        median(load.tbt_ms for load in loads),
        "the emulated CPU",
        {"TBT ms": [load.tbt_ms for load in loads]},
    )
    yield Finding(
        TRANSFER,
        median(load.bytes for load in loads) / 1000,
        "nothing: a size",
        {"KB": [load.bytes / 1000 for load in loads]},
        notes=(f"{loads[0].requests} requests",),
    )


def _scores(stage: Stage, page: str, url: str) -> Iterator[Finding]:
    runs: list[dict[str, float]] = []
    for number in range(min(stage.rounds, _MOST_SCORINGS)):
        stage.say(f"Lighthouse scores the {page}, run {number + 1}")
        runs.append(lighthouse.scores(url, stage.folder))
    for category in lighthouse.CATEGORIES:
        yield _score(SCORES[page, category], [run[category] for run in runs])


def _score(target: Target, found: Sequence[float]) -> Finding:
    note = f"Lighthouse {lighthouse.VERSION}, mobile, median of {len(found)}"
    return Finding(target, median(found), "nothing: a score", {"score": found}, notes=(note,))


FAMILY = Family("browser", (LCP, BLOCKING, TRANSFER, *SCORES.values()), measure)
