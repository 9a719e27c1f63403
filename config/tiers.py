"""The tiers between a reader and the database, generic and exact: LRU, single-flight, lease, fan-out, rate.

Each stops one failure: the LRU the repeated question, single-flight the same question asked at once within a process,
the lease the same across processes and the late answer to an old question, fan-out the one key that melts one
shard, the rate whatever gets through all of them.
"""

import asyncio
import os
import secrets
import socket
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(NamedTuple, Generic[V]):
    """A value and how many seconds ago it was stored."""

    value: V
    age: float


class Lru(Generic[K, V]):
    """A bounded map of the most recently used values, each with the time it was stored; thread-safe.

    Values are not dropped at their end of freshness but told with their age: a stale picture beats an error page.
    """

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._values: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get(self, key: K) -> Kept[V] | None:
        """Return the value with its age, and make it the most recently used; None when there is none."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
        return Kept(found[0], self._clock() - found[1])

    def put(self, key: K, value: V) -> None:
        """Store the value as new; the least recently used goes when there are more than `size`."""
        with self._lock:
            self._values[key] = (value, self._clock())
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget one value."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Forget every value."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


class SingleFlight(Generic[K, V]):
    """Among threads asking for one key at once, one loads; the others wait for its answer or share its error.

    After Go's `golang.org/x/sync/singleflight`. A follower's deadline raises TimeoutError and leaves the leader be.
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


class Scripts(Protocol):
    """What of a Redis client a lease needs."""

    def set(self, name: str, value: Any, *, nx: bool, px: int) -> Any: ...  # noqa: D102

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any: ...  # noqa: D102


class Lease:
    """The right of one process to load a missing key, and the only way to store what it loaded.

    After R. Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013), 3.2.1: a loader without the current token
    stores nothing, so a reader paused between database and cache cannot bring back an old value, and a loader that
    died is followed by another when its lease runs out. `key` and `lease` share one cluster slot by their {tag}.
    """

    STORE = """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
        redis.call('DEL', KEYS[1])
        return 1"""

    def __init__(self, redis: Scripts, key: str, *, lease: str) -> None:
        self._redis = redis
        self._key = key
        self._lease = lease

    def acquire(self, *, for_ms: int) -> str | None:
        """Return a token, or None while another holds the lease."""
        token = secrets.token_hex(8)
        return token if self._redis.set(self._lease, token, nx=True, px=for_ms) else None

    def store(self, token: str, value: bytes, *, ttl_ms: int) -> bool:
        """Store the value and end the lease if `token` is still the current one; say whether it was."""
        return bool(self._redis.eval(self.STORE, 2, self._lease, self._key, token, value, ttl_ms))

    def renew(self, *, for_ms: int) -> str:
        """Invalidate: drop the value, void every token given out, and return the only current one."""
        token = secrets.token_hex(8)
        script = "redis.call('DEL', KEYS[2]) redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])"
        self._redis.eval(script, 2, self._lease, self._key, token, for_ms)
        return token


def own_copy(copies: int) -> int:
    """Return which of `copies` this process reads: the same one always, spread evenly over processes and machines."""
    return zlib.crc32(f"{socket.gethostname()}:{os.getpid()}".encode()) % copies


class Rate:
    """At most `per_second` in the long run and `burst` at once: the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self, per_second: float, *, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0

    def allows(self) -> bool:
        """Count one and return True, or return False and count nothing."""
        with self._lock:
            now = self._clock()
            due = max(self._due, now)
            # A billionth of tolerance, so that a sum of intervals is not refused for its rounding.
            if due - now > self._slack + 1e-9:
                return False
            self._due = due + self._interval
            return True
