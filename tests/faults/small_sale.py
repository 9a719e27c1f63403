"""A small sale on real servers, into which a fault is thrown: pools, an open-loop crowd, and its own history.

The crowd arrives at its own rate whatever the servers do. Every attempt and every answer is kept, and `audit` holds
them against the database at the end: what was acknowledged exists exactly once.
"""

import itertools
import json
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from config import pulse
from config.embedded import site
from config.embedded.processes import Program
from inventory import fan as fans
from inventory import plane as planes
from inventory import read_models
from inventory.invariants import broken_invariants
from tests.inventory import live_servers
from tests.inventory.live_servers import environment, stored_plane, until

TIMEOUT_SECONDS = 5.0


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def program(made: Program, *, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of the site's programs and wait until it listens on `address`, host:port or a path."""
    running = subprocess.Popen([str(part) for part in made.argv], cwd=made.cwd, env=dict(made.env))
    try:
        until(lambda: _listens(address, running), seconds=60)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def web(folder: Path, *, bind: str, **more: str) -> Program:
    """Return the pool of pages."""
    return site.pool_of_pages(environment(**more), folder, bind=bind)


def live(folder: Path, *, bind: str, name: str = "live", workers: int = 1, **more: str) -> Program:
    """Return the pool of slots."""
    return site.pool_of_slots(environment(**more), folder, bind=bind, name=name, workers=workers)


def _listens(address: str, running: subprocess.Popen[bytes]) -> bool:
    assert running.poll() is None, "it ended"
    try:
        with socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET) as one:
            host, _, port = address.rpartition(":")
            one.connect(address if address.startswith("/") else (host, int(port)))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of the crowd; `status` 0 is no answer. `at` is when it was due, on the crowd's own clock."""

    kind: str
    at: float
    seconds: float
    status: int
    body: bytes
    seats: tuple[int, ...] = ()


@dataclass
class Crowd:
    """Readers and buyers who come at their own pace until `stop`; for the length of a `with` block."""

    event_id: UUID
    seat_count: int
    live: str
    web: str
    slug: str = ""
    readers: float = 60.0
    buyers: float = 8.0
    visitors: float = 0.0
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._random = random.Random("crowd")

    def __enter__(self) -> "Crowd":
        kinds = [
            ("read", self.readers, self._read),
            ("hold", self.buyers, self._hold),
            ("page", self.visitors, self._page),
        ]
        for kind, rate, act in kinds:
            due = itertools.count(1)
            lock = threading.Lock()
            for _ in range(12 if rate else 0):
                self._threads.append(threading.Thread(target=self._arrive, args=[kind, rate, act, due, lock]))
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def now(self) -> float:
        """Seconds since the crowd began to come."""
        return time.monotonic() - self._began

    def wait(self, seconds: float) -> None:
        """Let it go on for so long."""
        time.sleep(seconds)

    def of(self, kind: str, since: float = 0.0, to: float = float("inf")) -> list[Attempt]:
        """Return the attempts of a kind that were due in a time."""
        return [one for one in self.attempts if one.kind == kind and since <= one.at < to]

    def goodput(self, kind: str, since: float, to: float = float("inf")) -> float:
        """Return the share of what was due that was answered as it should be; a refusal for want of seats is right."""
        due = self.of(kind, since, to)
        return sum(one.status in (200, 201, 409) for one in due) / len(due) if due else 1.0

    def slowest(self, kind: str, since: float = 0.0, to: float = float("inf")) -> float:
        """Return the longest time an answer took."""
        return max((one.seconds for one in self.of(kind, since, to)), default=0.0)

    def acknowledged(self) -> list[tuple[UUID, tuple[int, ...]]]:
        """Return the holds that somebody was told he has."""
        told = [json.loads(one.body) for one in self.of("hold") if one.status == 201]
        return [(UUID(hold["id"]), tuple(seat["index"] for seat in hold["seats"])) for hold in told]

    def _arrive(self, kind: str, rate: float, act: Any, due: Iterator[int], lock: threading.Lock) -> None:
        """Take the next arrival of the schedule and act when it is due, however late the ones before are answered."""
        while not self._stopped.is_set():
            with lock:
                at = next(due) / rate
            if self._stopped.wait(max(0.0, at - self.now)):
                return
            began = time.monotonic()
            status, body, seats = act()
            self.attempts.append(Attempt(kind, at, time.monotonic() - began, status, body, seats))

    def _read(self) -> tuple[int, bytes, tuple[int, ...]]:
        return *ask(self.live, "GET", f"/live/events/{self.event_id}/seats"), ()

    def _page(self) -> tuple[int, bytes, tuple[int, ...]]:
        return *ask(self.web, "GET", f"/e/{self.slug}/", {"Accept-Encoding": "gzip"}), ()

    def _hold(self) -> tuple[int, bytes, tuple[int, ...]]:
        who = fans.new_fan()
        seats = tuple(sorted(self._random.sample(range(self.seat_count), 2)))
        headers = {
            "Cookie": f"{fans.COOKIE}={fans.sign(who)}",
            "X-CSRF-Token": fans.csrf_token(who),
            "Origin": "http://localhost:8000",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        body = json.dumps({"seats": list(seats)}).encode()
        status, answer = ask(self.web, "POST", f"/api/v1/events/{self.event_id}/holds", headers, body)
        return status, answer, seats


def ask(
    address: str, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> tuple[int, bytes]:
    """Ask host:port, on a connection of its own; status 0 when nobody answers."""
    host, _, port = address.rpartition(":")
    asked = HTTPConnection(host, int(port), timeout=TIMEOUT_SECONDS)
    try:
        asked.request(method, path, body, {"Host": "localhost:8000", **(headers or {})})
        answer = asked.getresponse()
        return answer.status, answer.read()
    except (OSError, HTTPException) as error:
        return 0, repr(error).encode()
    finally:
        asked.close()


@dataclass(frozen=True)
class Servers:
    """The pools of a sale, by their addresses; `readers` is how many processes would rebuild a plane."""

    folder: Path
    live: str
    web: str
    readers: int
    processes: dict[str, subprocess.Popen[bytes]]


@contextmanager
def servers(redis_url: str, *, live_workers: int = 1, with_relay: bool = True) -> Iterator[Servers]:
    """Run web, live and a relay on a Redis."""
    with tempfile.TemporaryDirectory(prefix="onsale-sale-") as name, ExitStack() as stack:
        folder = Path(name)
        where = {"REDIS_URL": redis_url, "REDIS_PREFIX": "sale", "ALLOWED_HOSTS": "localhost"}
        at = {kind: f"127.0.0.1:{free_port()}" for kind in ("live", "web")}
        pools = {
            "live": live(folder, bind=at["live"], workers=live_workers, **where),
            "web": web(folder, bind=at["web"], **where),
        }
        running = {kind: stack.enter_context(program(pool, address=at[kind])) for kind, pool in pools.items()}
        if with_relay:
            running["relay"] = stack.enter_context(live_servers.relay(**where))
        yield Servers(folder, at["live"], at["web"], live_workers + 2, running)


def plane_of(servers: Servers, event_id: UUID) -> tuple[planes.Header, bytes]:
    """Return an event's seats as `live` tells them."""
    status, body = ask(servers.live, "GET", f"/live/events/{event_id}/seats")
    assert status == 200, body
    return planes.decode_body(body)


def audit(crowd: Crowd, servers: Servers) -> None:
    """Hold the crowd's history and the picture against the database, and that against its invariants."""
    until(lambda: plane_of(servers, crowd.event_id)[1] == stored_plane(crowd.event_id), seconds=3)
    acknowledged = crowd.acknowledged()
    assert acknowledged
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, seats FROM inventory_hold WHERE event_id = %s", [crowd.event_id])
        held = {hold: tuple(seats) for hold, seats in cursor.fetchall()}
        cursor.execute("SELECT index, hold FROM inventory_seat WHERE event_id = %s AND state = 1", [crowd.event_id])
        owner = dict(cursor.fetchall())
    for hold, seats in acknowledged:
        assert held[hold] == seats
        assert {owner[index] for index in seats} == {hold}
    read_models.feed()  # No worker runs here.
    told = Counter(index for _, seats in acknowledged for index in seats)
    assert max(told.values()) == 1
    assert broken_invariants() == []


def rebuilds(servers: Servers) -> int:
    """Return how many planes web and live have read from Postgres; each process tells within two seconds."""
    time.sleep(pulse.BEAT_SECONDS + 0.5)
    told = [ask(address, "GET", "/metrics")[1].decode() for address in (servers.live, servers.web)]
    counted = [re.findall(r'onsale_tier_reads_total{family="seats",tier="database"} (\S+)', text) for text in told]
    return sum(int(float(count)) for counts in counted for count in counts)
