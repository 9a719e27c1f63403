"""An event page as a phone loads it: the first paint that matters, what blocks a finger, and what it costs to carry.

The phone is Lighthouse's: 412 x 823 at 2.625 pixels each, a CPU a quarter as fast, "slow 4G" of 1.6 Mbit/s down,
750 kbit/s up and 150 ms a round trip, put on every request of page and workers by the DevTools protocol. Every load is
a cold one, in a browser context of its own.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from inventory.bench import chromium
from inventory.bench.chromium import Chromium

_SCREEN = {"width": 412, "height": 823, "deviceScaleFactor": 2.625, "mobile": True}
_SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
_CPU_SLOWDOWN = 4

_USABLE_SECONDS = 30
_ANSWER_SECONDS = 5
# After the map is there: tasks that the page put off would block a finger just the same.
_AFTERWARDS_SECONDS = 2

_READY = "document.querySelector('seat-map')?.stats?.().ready === true && performance.now()"
_PAINTED = "performance.getEntriesByType('paint').find((entry) => entry.name === 'first-contentful-paint')?.startTime"
# Browsers keep what they observed before anybody asked (`buffered`).
_OBSERVED = """new Promise((done) => {
  const found = { tasks: [], lcp: 0, element: '', shift: 0 };
  const see = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take))
    .observe({ type, buffered: true });
  see('longtask', (task) => found.tasks.push([task.startTime, task.duration]));
  see('largest-contentful-paint', (paint) => {
    found.lcp = paint.startTime;
    found.element = paint.element?.localName ?? '';
  });
  see('layout-shift', (shift) => { if (!shift.hadRecentInput) found.shift += shift.value; });
  setTimeout(() => done(JSON.stringify(found)), 100);
})"""
_TAP_AT = """(() => {
  const map = document.querySelector('seat-map');
  map.scrollIntoView({ block: 'center', behavior: 'instant' });
  const { x, y } = map.seatPoint(Math.floor(map.plan.count * 0.6));
  return JSON.stringify({ x, y, size: map.stats().seatSize });
})()"""
_SEAT_SIZE = "document.querySelector('seat-map').stats().seatSize"


@dataclass(frozen=True, slots=True)
class PageLoad:
    """What one cold load was like; `bytes` counts headers and bodies on the wire until the map answers."""

    lcp_ms: float
    lcp_element: str
    tbt_ms: float
    bytes: float
    requests: int
    usable_ms: float
    layout_shift: float


class NotUsable(Exception):
    """The page was there, its map was not; says what is missing."""


def loads(url: str, runs: int) -> Iterator[PageLoad]:
    """Load an event page with a map `runs` times.

    `NoBrowser` without a Chromium; `NotUsable` if the map never draws or does not answer a finger.
    """
    with chromium.running() as browser:
        for _ in range(runs):
            yield _Visit(browser).load(url)


def total_blocking_time(tasks: Iterable[tuple[float, float]], painted: float) -> float:
    """Return what (start, duration) tasks take beyond 50 ms each from the first paint on, all in ms.

    A task that the paint cuts in two counts with the part after it, and that share of its 50 ms, as Lighthouse does it.
    """
    blocking = 0.0
    for start, duration in tasks:
        after = min(duration, start + duration - painted)
        if after > 50:
            blocking += after - 50 * after / duration
    return blocking


class _Visit:
    """One cold visit: a tab in a context of its own, slowed down like a phone, its workers included."""

    def __init__(self, browser: Chromium) -> None:
        self._browser = browser
        self._received: dict[tuple[str, str], float] = defaultdict(float)
        browser.on("Target.attachedToTarget", lambda _, found: self._slow_down(found["sessionId"]))
        browser.on("Network.responseReceived", self._begin)
        browser.on("Network.dataReceived", self._grow)
        browser.on("Network.loadingFinished", self._finish)
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        tab = browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)
        found = browser.call("Target.attachToTarget", targetId=tab["targetId"], flatten=True)
        self._session = found["sessionId"]
        self._call("Page.enable")
        self._call("Emulation.setDeviceMetricsOverride", **_SCREEN)
        self._call("Emulation.setTouchEmulationEnabled", enabled=True)
        self._call("Emulation.setCPUThrottlingRate", rate=_CPU_SLOWDOWN)

    def load(self, url: str) -> PageLoad:
        """Load, wait until the map is drawn, wait for what comes after it, then touch the map."""
        self._call("Page.navigate", url=url)
        usable_ms = self._wait_for(_READY, _USABLE_SECONDS, f"the map of {url} was not drawn")
        received, requests = sum(self._received.values()), len(self._received)
        self._browser.listen(_AFTERWARDS_SECONDS)
        painted = self._ask(_PAINTED) or 0
        seen = json.loads(self._ask(_OBSERVED))
        self._touch()
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
        blocking = total_blocking_time(seen["tasks"], painted)
        return PageLoad(seen["lcp"], seen["element"], blocking, received, requests, usable_ms, seen["shift"])

    def _touch(self) -> None:
        """Tap a section and see the map fly there: `usable` is meant so."""
        at = json.loads(self._ask(_TAP_AT))
        point = {"x": at["x"], "y": at["y"]}
        self._call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
        self._call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self._wait_for(f"{_SEAT_SIZE} > {at['size']} * 1.5", _ANSWER_SECONDS, "the map did not answer a tap")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def _ask(self, expression: str) -> Any:
        answer = self._call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise NotUsable(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def _wait_for(self, expression: str, seconds: float, otherwise: str) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := self._ask(expression):
                return found
            self._browser.listen(0.1)
        raise NotUsable(f"{otherwise} within {seconds} s")

    def _slow_down(self, session: str) -> None:
        """Give a page or worker the slow network before it runs, and be told of the workers it starts."""
        send = self._browser.send
        send("Network.enable", session)
        send("Network.emulateNetworkConditions", session, **_SLOW_4G)
        send("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True, flatten=True)
        send("Runtime.runIfWaitingForDebugger", session)

    def _begin(self, session: str, params: dict[str, Any]) -> None:
        self._received[session, params["requestId"]] += params["response"]["encodedDataLength"]

    def _grow(self, session: str, params: dict[str, Any]) -> None:
        self._received[session, params["requestId"]] += params["encodedDataLength"]

    def _finish(self, session: str, params: dict[str, Any]) -> None:
        self._received[session, params["requestId"]] = params["encodedDataLength"]
