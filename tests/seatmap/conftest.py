"""A real Chromium and a peer that speaks the contract; one of each for the folder, a new page and world per test."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import CHROMIUM, CHROMIUM_FLAGS

from .hall import bowl, theatre
from .peer import Peer, World


class Map:
    """A page with a seat map, and what a test wants to know of it."""

    def __init__(self, page: Page, world: World) -> None:
        self.page = page
        self.world = world
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def run(self, script: str, value: Any = None) -> Any:
        """Evaluate a function of (map, value) on the page."""
        return self.page.evaluate(f"value => ({script})(document.querySelector('seat-map'), value)", value)

    def stats(self) -> dict[str, Any]:
        return self.run("map => map.stats ? map.stats() : {ready: false}") or {"ready": False}

    def until(self, true: Callable[[dict[str, Any]], Any], seconds: float = 8) -> dict[str, Any]:
        """Wait until `true(stats)`, and return the stats."""
        end = time.monotonic() + seconds
        while True:
            stats = self.stats()
            if stats["ready"] and true(stats):
                return stats
            assert time.monotonic() < end, stats
            self.page.wait_for_timeout(25)

    def look(self, index: int) -> str:
        return self.run("(map, i) => map.seatLook(i)", index)

    def until_look(self, index: int, word: str, seconds: float = 8) -> float:
        """Wait until a seat looks like `word`, and return how long it took."""
        began = time.monotonic()
        while self.look(index) != word:
            assert time.monotonic() < began + seconds, self.look(index)
            self.page.wait_for_timeout(20)
        return time.monotonic() - began

    def point(self, index: int) -> tuple[float, float]:
        self.run("(map, i) => map.ensureVisible(i)", index)
        point = self.run("(map, i) => map.seatPoint(i)", index)
        return point["x"], point["y"]

    def click(self, *indexes: int) -> None:
        for index in indexes:
            self.page.mouse.click(*self.point(index))

    def choose(self, *indexes: int) -> dict[str, Any]:
        """Click seats and wait until the hold has them."""
        self.click(*indexes)
        return self.until(
            lambda s: s["hold"] and not s["busy"] and set(indexes) <= {seat["index"] for seat in s["hold"]["seats"]}
        )

    def said(self, text: str) -> None:
        """Wait until a live region says `text`."""
        self.page.locator("[aria-live]", has_text=text).first.wait_for(state="attached", timeout=4000)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return one Chromium for the folder: Playwright's loop must end before another folder starts its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    peer = Peer()
    peer.base = peer.start()
    yield peer
    peer.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def world(peer: Peer) -> World:
    """A small theatre on sale, all seats free."""
    return peer.add(uuid.uuid4().hex, World(theatre()))


@pytest.fixture(scope="session")
def stadium() -> dict[str, Any]:
    return bowl(60_000)


@pytest.fixture
def open_map(peer: Peer, context: BrowserContext) -> Iterator[Callable[..., Map]]:
    """Open a world's page and wait for its seats; `where` is its query. At the end no page may have had an error."""
    opened: list[Map] = []

    def open_page(world: World, where: str = "", *, page: Page | None = None, ready: bool = True) -> Map:
        key = next(key for key, one in peer.worlds.items() if one is world)
        shown = Map(page or context.new_page(), world)
        opened.append(shown)
        shown.page.goto(f"{peer.base}/w/{key}/{where}")
        if ready:
            shown.until(lambda stats: stats["ready"])
        return shown

    yield open_page
    assert [error for shown in opened for error in shown.errors] == []


@pytest.fixture
def module(peer: Peer, context: BrowserContext) -> Callable[[str, str], Any]:
    """Return a function that evaluates a function of one of the map's modules in a page: ("plan", "m => ...")."""
    page = context.new_page()
    page.goto(f"{peer.base}/page.css")

    def evaluate(name: str, script: str, value: Any = None) -> Any:
        url = f"{peer.base}/static/seating/seatmap/{name}.js"
        return page.evaluate(f"value => import('{url}').then(m => ({script})(m, value))", value)

    return evaluate
