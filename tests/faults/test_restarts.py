"""Restarts in the middle of a sale: of live, of web, of Redis, behind the real edge. Nobody notices.

Every process is warm before it takes its first request; a control shows what it would cost if it were not.
"""

import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from config import pulse
from config import redis as ours
from config.embedded import nginx
from config.embedded.processes import Program
from events.models import Event
from inventory.stock import create_stock
from inventory.warmup import hot_list
from tests.factories import make_event, make_plan
from tests.faults.own_redis import OwnRedis, own_redis
from tests.faults.small_sale import Crowd, ask, free_port, live, program, web
from tests.inventory import live_servers

NGINX = nginx.binary()
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.skipif(NGINX is None, reason="there is no nginx that runs here"),
]

SEATS = 420
# A server that failed gets its next request from the edge after two seconds; only then is its neighbour to go.
TAKEN_BACK = 3.0
PEAK = 100  # Four processes open their connections and read what they warm themselves with.
WHERE = {"REDIS_PREFIX": "sale", "ALLOWED_HOSTS": "localhost"}
BR = {"Accept-Encoding": "gzip, deflate, br"}


class Pool:
    """A pool that can be stopped and started again, as a supervisor would."""

    def __init__(self, stack: ExitStack, made: Program, address: str) -> None:
        self._stack, self._made, self.address = stack, made, address
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.running: subprocess.Popen[bytes] = self._stack.enter_context(program(self._made, address=self.address))

    def restart(self) -> None:
        """Stop it in order, and start it again."""
        self.running.terminate()
        self.running.wait(30)
        self.start()


@dataclass
class Site:
    """Two live servers and one of pages behind an edge."""

    edge: str
    redis: OwnRedis
    lives: list[Pool]
    web: Pool


@pytest.fixture
def event() -> Event:
    event = make_event(plan=make_plan(rows=40))
    assert create_stock(event) == SEATS
    return event


@pytest.fixture
def site(event: Event, settings: object) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="onsale-restarts-") as name, own_redis() as redis, ExitStack() as stack:
        folder, where = Path(name), {"REDIS_URL": redis.url, **WHERE}
        stack.enter_context(_our_own(redis, settings))
        lives = [
            Pool(stack, live(folder, bind=f"unix:{folder}/{n}.sock", name=n, **where), f"{folder}/{n}.sock")
            for n in ("live1", "live2")
        ]
        at = f"127.0.0.1:{free_port()}"
        pages = Pool(stack, web(folder, bind=at, **where), at)
        stack.enter_context(live_servers.relay(**where))
        yield Site(_edge(stack, folder, lives, pages), redis, lives, pages)


@contextmanager
def _our_own(redis: OwnRedis, settings: object) -> Iterator[None]:
    """Let this process, for its commands, use the same Redis and keys as the site."""
    settings.REDIS_CACHE_URL = settings.REDIS_LAYER_URL = redis.url  # type: ignore[attr-defined]
    settings.REDIS_PREFIX = WHERE["REDIS_PREFIX"]  # type: ignore[attr-defined]
    ours.reset()
    yield
    ours.reset()


def _edge(stack: ExitStack, folder: Path, lives: list[Pool], pages: Pool) -> str:
    port = free_port()
    pools = {"live": nginx.pool(*(f"unix:{pool.address}" for pool in lives)), "web": nginx.pool(pages.address)}
    nowhere = folder / "nowhere.sock"
    made = nginx.program(
        NGINX, data=folder, run=folder, web=nowhere, live=nowhere, host="127.0.0.1", port=port, others=pools
    )
    edge = f"127.0.0.1:{port}"
    stack.enter_context(program(replace(made, cwd=folder), address=edge))
    return edge


class Statements:
    """How many statements the database saw in each second of a block; outside a transaction each is one of its own."""

    def __enter__(self) -> "Statements":
        self.per_second: list[int] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._count)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _count(self) -> None:
        counts = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        before = None
        while before is None or not self._stopped.wait(1):
            with connection.cursor() as cursor:
                cursor.execute(counts)
                now = cursor.fetchone()[0]
            if before is not None:
                self.per_second.append(now - before)
            before = now
        connection.close()


def reads(address: str, family: str) -> Counter[str]:
    """Return how many reads of a key family each tier of a pool has answered."""
    time.sleep(pulse.BEAT_SECONDS + 0.5 if family == "shell" else 0)  # The other worker of web tells every two seconds.
    told = ask(address, "GET", "/metrics")[1].decode()
    found = re.findall(rf'onsale_tier_reads_total{{family="{family}",tier="(\w+)"}} (\S+)', told)
    return Counter({tier: int(float(count)) for tier, count in found})


def test_pools_and_redis_are_restarted_under_load(site: Site, event: Event):
    """No request fails, none waits for long, and the database has about as much to do as before."""
    rates = {"readers": 80.0, "buyers": 0.0, "visitors": 30.0}
    with Crowd(event.pk, SEATS, site.edge, site.web.address, slug=event.slug, **rates) as crowd:
        crowd.wait(2)
        with Statements() as quiet:
            crowd.wait(4)
        with Statements() as live_restarted:
            for pool in site.lives:
                pool.restart()
                crowd.wait(TAKEN_BACK)
        with Statements() as web_reloaded:
            site.web.running.send_signal(signal.SIGHUP)
            crowd.wait(5)
        with Statements() as redis_emptied:
            site.redis.send(signal.SIGKILL)
            site.redis.start()
            crowd.wait(4)
    assert {(one.kind, one.status) for one in crowd.attempts} == {("read", 200), ("page", 200)}
    assert crowd.slowest("read") < 2
    assert crowd.slowest("page") < 2
    for restarted in (live_restarted, web_reloaded, redis_emptied):
        assert max(restarted.per_second) <= max(quiet.per_second) + PEAK, restarted.per_second


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "control"])
def test_a_process_answers_its_first_request_from_its_own_memory(site: Site, event: Event, is_warm: bool):
    hot_list.ask(event.pk)
    with tempfile.TemporaryDirectory(prefix="onsale-cold-") as name, ExitStack() as stack:
        folder, where = Path(name), {"REDIS_URL": site.redis.url, **WHERE}
        cold = folder / "cold.py"
        cold.write_text("from config.gunicorn import *\n\ndef post_worker_init(worker):\n    pulse.start()\n")
        answers = {}
        for make, family, path in ((live, "seats", f"/live/events/{event.pk}/seats"), (web, "shell", _shell(event))):
            address = f"127.0.0.1:{free_port()}"
            made = make(folder, bind=address, **where)
            if not is_warm:
                made = replace(
                    made, argv=[str(cold) if part == "python:config.gunicorn" else part for part in made.argv]
                )
            stack.enter_context(program(made, address=address))
            before = reads(address, family)
            assert ask(address, "GET", path, BR)[0] == 200
            answers[family] = reads(address, family) - before
        assert answers["seats"] == ({"lru": 1} if is_warm else {"copy": 1})
        assert answers["shell"] == ({"lru": 1} if is_warm else {"page_cache": 1})


def test_prewarm_reaches_every_process_and_the_edge(site: Site, event: Event):
    out = StringIO()
    call_command("prewarm", str(event.pk), through=f"http://{site.edge}", requests=60, stdout=out)
    told = out.getvalue()
    assert len(re.findall(r"  live@\S+ warm in \d+ ms", told)) == 2
    assert len(re.findall(r"  web@\S+ warm in \d+ ms", told)) == 2
    assert re.search(r"  \d+ x 200; median", told)
    before = reads(site.web.address, "shell")
    for _ in range(20):
        assert ask(site.edge, "GET", _shell(event), BR)[0] == 200
    assert reads(site.web.address, "shell") == before  # The edge has it.


def _shell(event: Event) -> str:
    return f"/e/{event.slug}/"
