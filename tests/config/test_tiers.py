"""The tiers, each on its own: what is kept, who loads, who waits, who may store."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import redis
from config.tiers import AsyncSingleFlight, Kept, Lease, Lru, Rate, SingleFlight, own_copy


class Clock:
    """A clock that stands still until told to go."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# --- LRU ------------------------------------------------------------------------------------------------------


def test_lru_tells_the_age_of_what_it_kept():
    clock = Clock()
    lru: Lru[str, int] = Lru(2, clock=clock)
    lru.put("a", 1)
    clock.now += 0.75
    assert lru.get("a") == Kept(1, 0.75)
    assert lru.get("b") is None


def test_lru_drops_the_least_recently_used():
    lru: Lru[str, int] = Lru(2)
    lru.put("a", 1)
    lru.put("b", 2)
    lru.get("a")
    lru.put("c", 3)
    assert [key for key in "abc" if lru.get(key)] == ["a", "c"]
    assert len(lru) == 2


def test_lru_put_again_is_new_again():
    clock = Clock()
    lru: Lru[str, int] = Lru(2, clock=clock)
    lru.put("a", 1)
    clock.now += 5
    lru.put("a", 2)
    assert lru.get("a") == Kept(2, 0.0)
    lru.drop("a")
    lru.drop("a")
    assert lru.get("a") is None


def test_lru_keeps_its_bound_under_threads():
    lru: Lru[int, int] = Lru(50)

    def work(start: int) -> None:
        for k in range(start, start + 2000):
            lru.put(k % 300, k)
            lru.get((k * 7) % 300)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(0, 8000, 1000)))
    assert len(lru) == 50


# --- single-flight ---------------------------------------------------------------------------------------------


def test_single_flight_loads_once_for_all_threads():
    flights: SingleFlight[str, int] = SingleFlight()
    loads = []
    landed = threading.Event()

    def load() -> int:
        loads.append(1)
        landed.wait(5)
        return 42

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(flights.run, "k", load, deadline_seconds=5) for _ in range(16)]
        time.sleep(0.1)
        landed.set()
        assert [answer.result() for answer in asked] == [42] * 16
    assert loads == [1]
    assert flights.run("k", lambda: 43, deadline_seconds=5) == 43


def test_single_flight_shares_the_error():
    flights: SingleFlight[str, int] = SingleFlight()
    loads = []
    landed = threading.Event()

    def load() -> int:
        loads.append(1)
        landed.wait(5)
        raise LookupError("gone")

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(flights.run, "k", load, deadline_seconds=5) for _ in range(4)]
        time.sleep(0.1)
        landed.set()
        assert [str(answer.exception()) for answer in asked] == ["gone"] * 4
    assert loads == [1]


def test_single_flight_follower_gives_up_at_its_deadline():
    flights: SingleFlight[str, int] = SingleFlight()
    landed = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(flights.run, "k", lambda: landed.wait(5) and 1, deadline_seconds=5)
        time.sleep(0.05)
        with pytest.raises(TimeoutError):
            flights.run("k", lambda: 2, deadline_seconds=0.05)
        landed.set()
        assert leader.result() == 1


async def test_async_single_flight_loads_once_and_shares_the_error():
    flights: AsyncSingleFlight[str, int] = AsyncSingleFlight()
    loads = []

    async def load() -> int:
        loads.append(1)
        await asyncio.sleep(0.05)
        return len(loads)

    answers = await asyncio.gather(*(flights.run("k", load, deadline_seconds=1) for _ in range(50)))
    assert answers == [1] * 50
    assert await flights.run("k", load, deadline_seconds=1) == 2

    async def fail() -> int:
        loads.append(1)
        await asyncio.sleep(0.01)
        raise LookupError("gone")

    asked = (flights.run("k", fail, deadline_seconds=1) for _ in range(3))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(error) for error in answers] == ["gone"] * 3
    assert len(loads) == 3


async def test_async_single_flight_goes_on_without_those_who_gave_up():
    flights: AsyncSingleFlight[str, int] = AsyncSingleFlight()

    landed = asyncio.Event()
    loads = []

    async def load() -> int:
        loads.append(1)
        await landed.wait()
        return 1

    with pytest.raises(TimeoutError):
        await flights.run("k", load, deadline_seconds=0.01)
    landed.set()
    assert await flights.run("k", load, deadline_seconds=5) == 1
    assert loads == [1]


async def test_async_single_flight_is_free_again_after_a_cancelled_start():
    flights: AsyncSingleFlight[str, int] = AsyncSingleFlight()

    async def load() -> int:
        return 1

    flights.start("k", load).cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await flights.run("k", load, deadline_seconds=1) == 1


# --- lease -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lease() -> Lease:
    return Lease(redis.client(), redis.key("{x}"), lease=redis.key("{x}:lease"))


def test_lease_has_one_loader_among_sixteen(lease: Lease):
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _: lease.acquire(for_ms=5000), range(16)))
    assert len([token for token in tokens if token]) == 1


def test_lease_stores_for_its_holder_and_ends(lease: Lease):
    token = lease.acquire(for_ms=5000)
    assert token is not None
    assert lease.store(token, b"value", ttl_ms=5000) is True
    assert redis.client().get(redis.key("{x}")) == b"value"
    assert lease.acquire(for_ms=5000) is not None


def test_lease_refuses_the_answer_to_an_old_question(lease: Lease):
    paused = lease.acquire(for_ms=5000)
    assert paused is not None
    writer = lease.renew(for_ms=5000)
    assert lease.store(paused, b"old", ttl_ms=5000) is False
    assert redis.client().get(redis.key("{x}")) is None
    assert lease.store(writer, b"new", ttl_ms=5000) is True
    assert lease.store(writer, b"again", ttl_ms=5000) is False
    assert redis.client().get(redis.key("{x}")) == b"new"


def test_lease_invalidation_drops_the_value(lease: Lease):
    token = lease.acquire(for_ms=5000)
    assert token is not None
    lease.store(token, b"value", ttl_ms=5000)
    lease.renew(for_ms=5000)
    assert redis.client().get(redis.key("{x}")) is None


def test_lease_of_a_dead_leader_passes_on(lease: Lease):
    assert lease.acquire(for_ms=1000) is not None
    assert lease.acquire(for_ms=1000) is None
    time.sleep(1.05)
    assert lease.acquire(for_ms=1000) is not None


# --- fan-out and rate ------------------------------------------------------------------------------------------


def test_own_copy_is_the_same_every_time_and_in_range():
    assert own_copy(10) == own_copy(10)
    assert 0 <= own_copy(10) < 10
    assert own_copy(1) == 0


def test_rate_lets_a_burst_through_and_then_its_rate():
    clock = Clock()
    rate = Rate(10, burst=3, clock=clock)
    assert [rate.allows() for _ in range(5)] == [True, True, True, False, False]
    clock.now += 0.1
    assert [rate.allows() for _ in range(2)] == [True, False]
    clock.now += 60
    assert [rate.allows() for _ in range(4)] == [True, True, True, False]
