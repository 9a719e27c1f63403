"""The edge emptied at the peak of a sale: the origin makes each page once, and no reader sees an error."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings

from config import pulse, redis
from events.models import Event
from tests.edges import BROWSER, Edge, edge, free_port
from tests.factories import make_event
from tests.inventory.live_servers import process, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ENCODINGS = ("", "gzip", BROWSER)
WORKERS = 3


@contextmanager
def origin(numbers: Path) -> Iterator[int]:
    """Run `web` as production does, its workers' numbers added up in a folder, and return its port."""
    port = free_port()
    numbers.mkdir()
    pool = ["--preload", "--workers", str(WORKERS), "--worker-class", "gthread", "--threads", "2"]
    command = ["-m", "gunicorn", "-c", "python:config.gunicorn", "config.wsgi", *pool, "--bind", f"127.0.0.1:{port}"]
    with process(*command, PROMETHEUS_MULTIPROC_DIR=str(numbers)):
        until(lambda: answers(port), seconds=60)
        yield port


def answers(port: int) -> bool:
    try:
        return asked(port, "/healthz")[0] == 200
    except OSError:
        return False


def asked(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def reads(port: int) -> Counter[str]:
    """Return the shells that each tier of the pool answered: its workers add their numbers up, a beat later."""
    time.sleep(pulse.BEAT_SECONDS + 0.5)
    _, text = asked(port, "/metrics")
    found = re.findall(r'tier_reads_total{family="shell",tier="(\w+)"} (\S+)', text.decode())
    return Counter({tier: int(float(count)) for tier, count in found})


class Crowd:
    """Readers of some pages who never stop, each on connections of his own."""

    def __init__(self, ours: Edge, paths: list[str]) -> None:
        self.seen: Counter[tuple[str, str, int, bytes]] = Counter()
        self.kept: Counter[str | None] = Counter()
        self._ours, self._paths = ours, paths
        self._ended = threading.Event()

    def _read(self, number: int) -> None:
        turn = number
        while not self._ended.is_set():
            path, encoding = self._paths[turn % len(self._paths)], ENCODINGS[turn // len(self._paths) % len(ENCODINGS)]
            answer = self._ours.get(path, Accept_Encoding=encoding)
            self.seen[path, encoding, answer.status, answer.body] += 1
            self.kept[answer.kept] += 1
            turn += 1

    @contextmanager
    def reading(self, size: int = 24) -> Iterator[None]:
        with ThreadPoolExecutor(size) as readers:
            running = [readers.submit(self._read, number) for number in range(size)]
            try:
                yield
            finally:
                self._ended.set()
        for each in running:
            each.result()


def lose_pages() -> None:
    """Empty the page cache: Redis is cold, as after a restart."""
    for key in redis.client().scan_iter(f"{settings.REDIS_PREFIX}:event:*", count=1000):
        redis.client().delete(key)


def test_an_edge_emptied_at_peak_is_filled_by_one_render_of_each_page(tmp_path: Path) -> None:
    paths = [make_event(name=f"Show {number}").get_absolute_url() for number in range(4)]
    with origin(tmp_path / "numbers") as port, edge(tmp_path, web=port) as ours:
        crowd = Crowd(ours, paths)
        with crowd.reading():
            until(lambda: len(crowd.seen) == len(paths) * len(ENCODINGS))
            for _ in range(3):
                ours.purge()
                time.sleep(1.5)
        assert {status for _, _, status, _ in crowd.seen} == {200}
        # One body for each page and encoding, whoever asked and however often it was purged.
        assert len(crowd.seen) == len(paths) * len(ENCODINGS)
        assert reads(port)["render"] == len(paths)
        # And one request for each of them, at the beginning and after each purge.
        assert set(crowd.kept) == {"HIT", "MISS"}
        assert crowd.kept["MISS"] <= 4 * len(paths) * len(ENCODINGS)


def test_a_page_that_changes_while_edge_and_redis_are_cold_is_rendered_once(tmp_path: Path) -> None:
    event = make_event(name="Before")
    path = event.get_absolute_url()
    with origin(tmp_path / "numbers") as port, edge(tmp_path, web=port) as ours:
        crowd = Crowd(ours, [path])
        with crowd.reading():
            until(lambda: len(crowd.seen) == len(ENCODINGS))
            before = reads(port)["render"]
            Event.objects.filter(pk=event.pk).update(name="After")
            lose_pages()
            ours.purge()
            until(lambda: sum(b"After" in body for _, encoding, _, body in crowd.seen if not encoding) == 1)
            time.sleep(1.5)
        assert {status for _, _, status, _ in crowd.seen} == {200}
        assert len(crowd.seen) == 2 * len(ENCODINGS)
        assert reads(port)["render"] - before <= 3


def test_the_hottest_page_is_rendered_once_by_several_processes_without_an_edge(tmp_path: Path) -> None:
    event = make_event(name="Before")
    path = event.get_absolute_url()
    with origin(tmp_path / "numbers") as port:
        crowd = Crowd(Edge(port, tmp_path), [path])
        with crowd.reading(12):
            until(lambda: len(crowd.seen) == len(ENCODINGS))
            before = reads(port)["render"]
            for number in range(5):
                Event.objects.filter(pk=event.pk).update(name=f"Version {number}")
                lose_pages()
                until(lambda number=number: any(f"Version {number}".encode() in body for *_, body in crowd.seen))
                time.sleep(0.3)
        assert {status for _, _, status, _ in crowd.seen} == {200}
        assert 5 <= reads(port)["render"] - before <= 5 * 3
