"""The bench's browser: how blocking is counted, what it says without a browser, and a page measured in a real one."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import Trouble
from inventory.bench import browser, chromium, lighthouse, phone


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([], 0),
        ([(1000, 50)], 0),
        ([(1000, 80), (2000, 150)], 130),
        ([(100, 400)], 0),
        # Painted in its middle: 200 of 400 ms come after it, and so half of the 50.
        ([(300, 400)], 175),
        ([(450, 60)], 0),
    ],
)
def test_total_blocking_time_counts_from_the_first_paint(tasks: list[tuple[float, float]], expected: float) -> None:
    assert phone.total_blocking_time(tasks, 500) == expected


def test_loads_refuses_without_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSALE_CHROMIUM", "/nowhere/chromium")
    with pytest.raises(chromium.NoBrowser, match="there is no Chromium at /nowhere/chromium"):
        next(phone.loads("http://127.0.0.1:1/", 1))


def test_scores_refuses_without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(lighthouse.NoLighthouse, match=r"there is no npx: install Node\.js 20 with npm"):
        lighthouse.scores("http://127.0.0.1:1/", tmp_path)


def test_scores_says_why_lighthouse_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    npx = tmp_path / "npx"
    npx.write_text("#!/bin/sh\necho 'it begins' >&2\necho 'no network' >&2\nexit 1\n")
    npx.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("ONSALE_CHROMIUM", str(npx))
    with pytest.raises(lighthouse.NoLighthouse, match="Lighthouse failed: no network"):
        lighthouse.scores("http://127.0.0.1:1/", tmp_path)


def test_read_refuses_a_category_without_a_score() -> None:
    report: dict[str, dict[str, dict[str, float | None]]] = {
        "categories": {name: {"score": 1} for name in lighthouse.CATEGORIES}
    }
    report["categories"]["performance"]["score"] = 0.974
    assert lighthouse.read(report) == {"performance": 97, "accessibility": 100, "best-practices": 100, "seo": 100}
    report["categories"]["seo"]["score"] = None
    with pytest.raises(lighthouse.NoLighthouse, match="no score for seo"):
        lighthouse.read(report)


def test_family_has_every_target_of_both_pages() -> None:
    keys = [target.key for target in browser.FAMILY.targets]
    assert keys[:3] == ["browser.lcp", "browser.tbt", "browser.transfer"]
    assert len(keys) == len(set(keys)) == 11


# A page with a seat map of four lines: drawn at once, answering a tap by growing.
_PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><h1>A page</h1>
<seat-map style="display:block;height:200px;background:#ddd"></seat-map><script src="map.js"></script>"""
_MAP = """customElements.define("seat-map", class extends HTMLElement {
  size = 1; plan = { count: 10 };
  connectedCallback() { this.addEventListener("pointerdown", () => (this.size = ANSWER)); }
  stats() { return { ready: READY, seatSize: this.size }; }
  seatPoint() { const box = this.getBoundingClientRect(); return { x: box.left + 50, y: box.top + 50 }; }
});"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "index.html").write_text(_PAGE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.browser
def test_loads_measures_a_page_on_a_slow_line(site: str, tmp_path: Path) -> None:
    (tmp_path / "map.js").write_text(_MAP.replace("READY", "true").replace("ANSWER", "5"))
    [load] = phone.loads(site, 1)
    assert load.lcp_element == "h1"
    assert 150 < load.lcp_ms < 3000
    assert load.usable_ms > 300  # Two round trips: the page, then its script.
    assert load.requests in {2, 3}  # The icon that browsers ask for by themselves.
    assert len(_PAGE) + len(_MAP) < load.bytes < len(_PAGE) + len(_MAP) + 1500
    assert load.layout_shift == 0


@pytest.mark.browser
def test_loads_refuses_a_map_that_does_not_answer(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(phone, "_USABLE_SECONDS", 1)
    (tmp_path / "map.js").write_text(_MAP.replace("READY", "true").replace("ANSWER", "1"))
    with pytest.raises(phone.NotUsable, match="the map did not answer a tap"):
        list(phone.loads(site, 1))
    (tmp_path / "map.js").write_text(_MAP.replace("READY", "false").replace("ANSWER", "1"))
    with pytest.raises(phone.NotUsable, match="was not drawn"):
        list(phone.loads(site, 1))


def test_measure_turns_a_missing_browser_into_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(url: str, runs: int) -> Iterator[phone.PageLoad]:
        raise chromium.NoBrowser("there is no Chromium at /nowhere")
        yield

    class Anything:
        path, url, rounds = "/e/x/", "http://127.0.0.1:1", 1
        event = relay = site = lambda self, *_: self
        get = say = lambda self, *_, **__: None

        def __enter__(self) -> "Anything":
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(phone, "loads", none)
    with pytest.raises(Trouble, match=r"^Not measured: there is no Chromium at /nowhere\.$"):
        list(browser.measure(Anything()))  # type: ignore[arg-type]
