"""Among those who ask for one key at once, one loads: for threads, and for one event loop.

After Go's `golang.org/x/sync/singleflight`.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Among threads asking for one key at once, one loads; the others wait for its answer or share its error.

    A follower's deadline raises TimeoutError and leaves the leader be.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[K, Future[V]] = {}

    def run(self, key: K, load: Callable[[], V], *, deadline_seconds: float) -> V:
        """Return `load()`, called by whichever caller came first."""
        with self._lock:
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not leads:
            return flight.result(timeout=deadline_seconds)
        try:
            value = load()
        except BaseException as error:
            self._land(key)
            flight.set_exception(error)
            raise
        self._land(key)
        flight.set_result(value)
        return value

    def _land(self, key: K) -> None:
        # Before the answer is given: who asks after it starts a flight of his own and sees what is newer.
        with self._lock:
            del self._flights[key]


class AsyncSingleFlight(Generic[K, V]):
    """The same on one event loop. The load is a task of its own, so a caller who gives up does not end it."""

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[V]] = {}

    def start(self, key: K, load: Callable[[], Awaitable[V]]) -> asyncio.Task[V]:
        """Return the flight for `key`, started now unless one is in the air."""
        flight = self._flights.get(key)
        if flight is None:

            async def lead() -> V:
                try:
                    return await load()
                finally:
                    del self._flights[key]

            flight = self._flights[key] = asyncio.get_running_loop().create_task(lead())
            flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: K, flight: asyncio.Task[V]) -> None:
        if self._flights.get(key) is flight:  # Cancelled before its first step.
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # Seen, even if every caller has given up.

    async def run(self, key: K, load: Callable[[], Awaitable[V]], *, deadline_seconds: float) -> V:
        """Return `await load()`, awaited once for all who ask meanwhile; TimeoutError after the deadline."""
        return await asyncio.wait_for(asyncio.shield(self.start(key, load)), deadline_seconds)
