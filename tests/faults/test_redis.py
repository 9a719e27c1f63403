"""Redis ill-treated in the middle of a small sale: seats go on being told and sold, and all is well again by itself."""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import pytest
from websockets.sync.client import connect

from config import redis as ours
from config.tiers.xfetch import unpack
from inventory import fan as fans
from inventory import plane as planes
from inventory.stock import create_stock
from tests.factories import make_event, make_plan
from tests.faults.own_redis import OwnRedis, own_redis, slow_road
from tests.faults.small_sale import Crowd, Servers, ask, audit, plane_of, rebuilds, servers
from tests.inventory.live_servers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SEATS = 420
WARM, HEALED = 2.0, 3.0  # Seconds of the sale before a fault, and after it is gone.
TARGET = 0.95
QUIET = {"ping_interval": None, "close_timeout": 0.1}


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    with own_redis() as server:
        yield server


@pytest.fixture
def event_id() -> UUID:
    event = make_event(plan=make_plan(rows=40))
    assert create_stock(event) == SEATS
    return event.id


@pytest.fixture
def sale(redis: OwnRedis, event_id: UUID) -> Iterator[Servers]:
    with servers(redis.url) as running:
        until(lambda: not plane_of(running, event_id)[0].flags)
        yield running


def crowd_at(running: Servers, event_id: UUID, **rates: float) -> Crowd:
    return Crowd(event_id, SEATS, running.live, running.web, **rates)


def heals(crowd: Crowd, running: Servers, *, broken: float, healed: float) -> None:
    """Assert that all were served during the fault and after it, in time, and that nothing was lost or sold twice."""
    for kind in ("read", "hold"):
        assert crowd.of(kind, healed)
        assert crowd.goodput(kind, broken, healed) >= TARGET, kind
        assert crowd.goodput(kind, healed) >= TARGET, kind
    assert crowd.slowest("read", broken) < 1.5
    audit(crowd, running)


def test_frozen_for_ten_seconds(redis: OwnRedis, sale: Servers, event_id: UUID):
    with (
        crowd_at(sale, event_id) as crowd,
        connect(f"ws://{sale.live}/live/events/{event_id}/socket", origin="http://localhost:8000", **QUIET) as socket,
    ):
        crowd.wait(WARM)
        redis.send(signal.SIGSTOP)
        broken = crowd.now
        crowd.wait(10)
        redis.send(signal.SIGCONT)
        healed = crowd.now
        until(lambda: not plane_of(sale, event_id)[0].flags, seconds=5)
        assert frame_within(socket, seconds=5)
        crowd.wait(HEALED)
    heals(crowd, sale, broken=broken, healed=healed)


def test_killed_and_back_empty_after_thirty_seconds(redis: OwnRedis, sale: Servers, event_id: UUID):
    with (
        crowd_at(sale, event_id, buyers=4) as crowd,
        connect(f"ws://{sale.live}/live/events/{event_id}/socket", origin="http://localhost:8000", **QUIET) as socket,
    ):
        crowd.wait(WARM)
        redis.send(signal.SIGKILL)
        broken = crowd.now
        before = rebuilds(sale)
        crowd.wait(30 - (crowd.now - broken))
        assert 0 < rebuilds(sale) - before <= 30 * sale.readers  # At most one a second of each process.
        redis.start()
        healed = crowd.now
        until(lambda: not plane_of(sale, event_id)[0].flags, seconds=5)
        assert frame_within(socket, seconds=5)
        crowd.wait(HEALED)
    heals(crowd, sale, broken=broken, healed=healed)


def test_back_with_an_old_snapshot(redis: OwnRedis, sale: Servers, event_id: UUID):
    """What is restored is older than the sale and not yet expired: worse than ten minutes, when all of it has ended."""
    fan = Fan(sale, event_id)
    assert fan.held() == []
    with crowd_at(sale, event_id) as crowd:
        crowd.wait(WARM)
        assert fan.held() == []  # Kept in Redis from here on ...
        snapshot = redis.take_snapshot()
        fan.hold(418)
        version = plane_of(sale, event_id)[0].version
        assert fan.held() == [418]
        crowd.wait(WARM)
        broken = crowd.now
        redis.restart_from(snapshot)
        with redis.client() as client:
            assert client.keys(f"sale:fan:*{fan.id}*")  # ... and back, as of before the hold.
        healed = crowd.now
        while crowd.now < healed + HEALED:
            assert fan.held() == [418]
            header, plane = plane_of(sale, event_id)
            assert header.version >= version
            assert planes.code_at(plane, 418) == planes.HELD
            crowd.wait(0.05)
    heals(crowd, sale, broken=broken, healed=healed)


@pytest.mark.parametrize("policy", ["noeviction", "allkeys-lru"])
def test_memory_used_up(redis: OwnRedis, sale: Servers, event_id: UUID, policy: str):
    with crowd_at(sale, event_id) as crowd, redis.client() as client:
        crowd.wait(WARM)
        client.config_set("maxmemory-policy", policy)
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 200_000)
        broken = crowd.now
        for number in range(400):
            with suppress(Exception):
                client.set(f"junk:{number}", b"x" * 2000)
        crowd.wait(3)
        client.config_set("maxmemory", 0)
        healed = crowd.now
        crowd.wait(HEALED)
        until(lambda: not plane_of(sale, event_id)[0].flags, seconds=5)
    heals(crowd, sale, broken=broken, healed=healed)


def test_everything_deleted_at_high_load(redis: OwnRedis, event_id: UUID):
    with servers(redis.url, live_workers=2) as sale:
        until(lambda: not plane_of(sale, event_id)[0].flags)
        with crowd_at(sale, event_id, readers=200, buyers=0) as crowd, redis.client() as client:
            crowd.wait(WARM)
            before = rebuilds(sale)
            crowd.wait(WARM)
            assert rebuilds(sale) == before  # Nothing is rebuilt in quiet, so what follows is the fault's.
            for _ in range(5):
                client.flushall()
                crowd.wait(0.5)
            assert rebuilds(sale) - before <= 5 * sale.readers  # Keys (one) times processes, each time.
        assert crowd.goodput("read", 0) == 1


def test_two_hundred_milliseconds_slow(redis: OwnRedis, event_id: UUID):
    with slow_road(redis) as road, servers(road.url) as sale:
        until(lambda: not plane_of(sale, event_id)[0].flags)
        with crowd_at(sale, event_id) as crowd:
            crowd.wait(WARM)
            road.seconds = 0.2
            broken = crowd.now
            crowd.wait(5)
            road.seconds = 0.0
            healed = crowd.now
            crowd.wait(HEALED)
            until(lambda: not plane_of(sale, event_id)[0].flags, seconds=5)
        heals(crowd, sale, broken=broken, healed=healed)


def test_a_frozen_server_is_given_up_within_100_ms_and_not_asked_within_a_second(redis: OwnRedis, settings: Any):
    settings.REDIS_CACHE_URL = redis.url
    ours.reset()
    try:
        ours.guarded(lambda client: client.ping())
        redis.send(signal.SIGSTOP)
        began = time.monotonic()
        waits = []
        while not ours.breaker("cache").is_open:
            asked = time.monotonic()
            with pytest.raises(ours.Unavailable):
                ours.guarded(lambda client: client.get("x"))
            waits.append(time.monotonic() - asked)
        assert time.monotonic() - began < 1
        assert max(waits) < 0.15
        asked = time.monotonic()
        with pytest.raises(ours.Unavailable):
            ours.guarded(lambda client: client.get("x"))
        assert time.monotonic() - asked < 0.01
    finally:
        ours.reset()


def test_what_a_reader_stores_too_late_is_not_kept(redis: OwnRedis, event_id: UUID):
    """A reader has read Postgres; before his value reaches Redis a seat is held, and another reader has been there."""
    with slow_road(redis) as road, servers(road.url, with_relay=False) as sale, redis.client() as client:
        key = f"sale:rebuilt:{{{event_id}}}"
        until(lambda: not client.exists(key))  # What the processes warmed themselves with.
        road.holds_back, road.seconds = (b"EVAL", b"rebuilt"), 2.5
        assert planes.code_at(plane_of(sale, event_id)[1], 7) == planes.FREE
        assert road.has_held_back
        assert not client.exists(key)
        Fan(sale, event_id).hold(7)
        until(lambda: planes.code_at(plane_of(sale, event_id)[1], 7) == planes.HELD, seconds=2.5)
        time.sleep(road.seconds)
        assert planes.code_at(plane_of(sale, event_id)[1], 7) == planes.HELD
        kept = until(lambda: client.get(key), seconds=3)
        assert planes.code_at(planes.decode_body(unpack(kept)[1])[1], 7) == planes.HELD


class Fan:
    """A fan with a browser of his own."""

    def __init__(self, at: Servers, event_id: UUID) -> None:
        self.id = fans.new_fan()
        self._at, self._event_id = at, event_id
        self._cookie = {"Cookie": f"{fans.COOKIE}={fans.sign(self.id)}"}

    def held(self) -> list[int]:
        """Return the seats that `me` says he holds."""
        status, body = ask(self._at.live, "GET", f"/live/events/{self._event_id}/me", self._cookie)
        assert status == 200, body
        hold = json.loads(body)["hold"]
        return [seat["index"] for seat in hold["seats"]] if hold else []

    def hold(self, *indexes: int) -> None:
        """Hold seats, one of which nobody else wants."""
        headers = self._cookie | {
            "X-CSRF-Token": fans.csrf_token(self.id),
            "Origin": "http://localhost:8000",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
        }
        body = json.dumps({"seats": list(indexes)}).encode()
        status, answer = ask(self._at.web, "POST", f"/api/v1/events/{self._event_id}/holds", headers, body)
        assert status == 201, answer


def frame_within(socket: Any, *, seconds: float) -> bool:
    """Say whether a delta comes in time; the crowd goes on buying."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            if isinstance(socket.recv(0.5), bytes):
                return True
    return False
