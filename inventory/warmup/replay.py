"""Telling the shape of an earlier sale to a new event: through the edge, as browsers would, a few at a time.

What it fills is the edge's cache, by encoding, and whatever else a request meets that no process fills by itself.
Every address and encoding of the shape is asked for at least once; the rest of `requests` follows the shape's own
frequencies, step by step.
"""

import http.client
import itertools
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from inventory.warmup.shapes import Asked

REQUESTS: Final = 400
AT_ONCE: Final = 4  # A warm-up must not be a load: it goes on beside an open sale.
ANSWER_SECONDS: Final = 10.0

Request = tuple[str, str]

_NAME: Final = urlsplit(settings.SITE_URL).netloc


@dataclass
class Outcome:
    """What came back: answers by status (0: none), and the seconds each took."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """How many requests were not answered as a browser would like."""
        return sum(count for status, count in self.statuses.items() if status not in (200, 304))


def requests(shape: list[Asked], names: Mapping[str, str], *, most: int = REQUESTS) -> list[Request]:
    """Return the addresses and encodings to ask for, in order: each once, then the shape thinned to `most` in all."""
    once = [(asked.of(names), asked.encoding) for asked in shape]
    total = sum(sum(asked.counts) for asked in shape)
    share = max(0, most - len(once)) / total if total else 0.0
    steps = max((len(asked.counts) for asked in shape), default=0)
    told = [
        (asked.of(names), asked.encoding)
        for step in range(steps)
        for asked in shape
        for _ in range(_thinned(asked.counts, step, share))
    ]
    return once + told


def replay(
    site: str, wanted: list[Request], *, progress: Callable[[int], None] = lambda done: None, at_once: int = AT_ONCE
) -> Outcome:
    """Ask `site` for everything wanted, `at_once` at a time; `progress` hears of it.

    `site` is where the edge can be reached ("https://tickets.example.org"); it is asked by the name fans know, which is
    part of what an edge keeps pages under. Stops early when nobody answers there.
    """
    queue, lock, outcome = iter(wanted), threading.Lock(), Outcome()

    def take_in_turn() -> Iterator[Request]:
        while True:
            with lock:
                one = next(queue, None) if outcome.statuses[0] < at_once else None
            if one is None:
                return
            yield one

    def work() -> None:
        browser = _Browser(urlsplit(site))
        for address, encoding in take_in_turn():
            began = time.monotonic()
            status = browser.get(address, encoding)
            with lock:
                outcome.statuses[status] += 1
                outcome.seconds.append(time.monotonic() - began)
                progress(len(outcome.seconds))
        browser.close()

    with ThreadPoolExecutor(at_once, thread_name_prefix="replay") as threads:
        for worker in [threads.submit(work) for _ in range(at_once)]:
            worker.result()
    return outcome


def _thinned(counts: list[int], step: int, share: float) -> int:
    """Return this step's part, rounded on the running sum so that rare addresses are not rounded away."""
    before, after = sum(counts[:step]), sum(itertools.islice(counts, step + 1))
    return round(after * share) - round(before * share)


class _Browser:
    """One connection, opened again when it was closed."""

    def __init__(self, site: SplitResult) -> None:
        host, port = site.hostname or "localhost", site.port
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=ssl.create_default_context())
            if site.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        )

    def get(self, address: str, encoding: str) -> int:
        """Return the status; 0 when there was no answer, also not on a new connection."""
        for _ in range(2):
            try:
                self._connection.request(
                    "GET", address, headers={"Host": _NAME, "Accept-Encoding": encoding or "identity"}
                )
                answer = self._connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
            else:
                return answer.status
        return 0

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
