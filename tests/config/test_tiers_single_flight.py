"""Among those who ask at once, one loads."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.tiers import AsyncSingleFlight, SingleFlight


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
