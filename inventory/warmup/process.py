"""A serving process's own part: before it takes its first request, and every few seconds, it fills what it lacks.

Nobody can send another process's worker a request of its own: the kernel chooses who accepts. So each process follows
the hot list itself, in one thread. What costs the database anything lies behind the tiers' own leases, and of the
processes that find an event cold one goes first, so that fifty of them read and render once.
"""

import contextlib
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connections
from prometheus_client import Gauge, Histogram

from config import redis
from inventory.availability import Busy
from inventory.warmup import hot_list
from inventory.warmup.hot_list import Hot

log = logging.getLogger(__name__)

# The stores may be away, and serving from rebuilds beats not serving; gunicorn gives a worker thirty seconds to begin.
READY_SECONDS: Final = 10.0
EVERY_SECONDS: Final = 5.0
TURN_MS: Final = 3_000  # The first needs 30 ms, or 300 ms for a stadium; if it died, nobody waits longer.
TOLD_SECONDS: Final = 900
PRESENT_SECONDS: Final = 30

SECONDS = Histogram("onsale_warm_seconds", "Time a process took to warm its tiers for one event.")
EVENTS = Gauge("onsale_warm_events", "Events that a process has warmed.", multiprocess_mode="livemax")


class Warmer:
    """Follows the hot list; `fill` makes this process's tiers warm for an event. For one thread."""

    def __init__(self, kind: str, fill: Callable[[Hot], None]) -> None:
        self.name = f"{kind}@{socket.gethostname()}:{os.getpid()}"
        self._fill = fill
        self._warmed: dict[UUID, float] = {}

    def round(self) -> bool:
        """Warm what is on the list and is not warm here; say whether the list could be had and all of it is warm."""
        try:
            listed = hot_list.current()
        except Busy:
            return False
        if listed is None:
            return False
        cold = [hot for hot in listed if self._warmed.get(hot.id, -1) < hot.asked]
        failed = [hot for hot in cold if not self._warm(hot)]
        self._warmed = {hot.id: self._warmed[hot.id] for hot in listed if hot.id in self._warmed}
        EVENTS.set(len(self._warmed))
        self._tell_presence()
        return not failed

    def leave(self) -> None:
        """Take the process's name off the list of those who follow."""
        with contextlib.suppress(redis.Unavailable):
            redis.guarded(lambda client: client.zrem(followers_key(), self.name))

    def _warm(self, hot: Hot) -> bool:
        began = time.monotonic()
        try:
            with _after_the_first(hot.id):
                self._fill(hot)
        except Exception:
            # Whatever it was, readers would meet it too and are told properly; the next round tries again.
            log.exception("%s could not warm %s.", self.name, hot.slug)
            return False
        seconds = time.monotonic() - began
        SECONDS.observe(seconds)
        self._warmed[hot.id] = hot.asked
        self._tell(hot, seconds)
        return True

    def _tell(self, hot: Hot, seconds: float) -> None:
        def send(client: Any) -> None:
            pipe = client.pipeline(transaction=False)
            pipe.hset(told_key(hot.id), self.name, orjson.dumps([hot.asked, round(seconds, 3)]))
            pipe.expire(told_key(hot.id), TOLD_SECONDS)
            pipe.execute()

        with contextlib.suppress(redis.Unavailable):
            redis.guarded(send)

    def _tell_presence(self) -> None:
        now = time.time()

        def send(client: Any) -> None:
            pipe = client.pipeline(transaction=False)
            pipe.zadd(followers_key(), {self.name: now})
            pipe.zremrangebyscore(followers_key(), "-inf", now - PRESENT_SECONDS)
            pipe.execute()

        with contextlib.suppress(redis.Unavailable):
            redis.guarded(send)


def followers() -> list[str]:
    """Return the names of the processes that follow the list now, as `live@host:pid`. Raises redis.Unavailable."""
    since = time.time() - PRESENT_SECONDS
    return sorted(
        name.decode() for name in redis.guarded(lambda client: client.zrangebyscore(followers_key(), since, "+inf"))
    )


def warmed_by(hot: Hot) -> dict[str, float]:
    """Return the seconds that each process took to warm an event since it was last asked for. Raises Unavailable."""
    told = redis.guarded(lambda client: client.hgetall(told_key(hot.id)))
    answers = {name.decode(): orjson.loads(answer) for name, answer in told.items()}
    return {name: seconds for name, (asked, seconds) in answers.items() if asked >= hot.asked}


def follow(kind: str, fill: Callable[[Hot], None], *, every: Callable[[], None] = lambda: None) -> bool:
    """Begin to follow the list in a thread, and wait until the first round is done; say whether all is warm.

    Waits READY_SECONDS at most. `every` is called in each round too. Call it after the last fork, before accepting.
    """
    follower = _Follower(Warmer(kind, fill), every)
    follower.start()
    return follower.is_warm.wait(READY_SECONDS)


class _Follower(threading.Thread):
    """Makes a round every few seconds, each process at a moment of its own."""

    def __init__(self, warmer: Warmer, every: Callable[[], None]) -> None:
        super().__init__(name="warm", daemon=True)
        self.is_warm = threading.Event()
        self._warmer = warmer
        self._every = every

    def run(self) -> None:
        while True:
            try:
                is_warm = self._warmer.round()
                self._every()
            except Exception:
                # A process that no longer follows would be cold at the next opening, and nobody would know why.
                log.exception("A round of warming failed.")
                is_warm = False
            connections.close_all()  # Used once in five seconds: not worth one of the database's.
            if is_warm:
                self.is_warm.set()
            pause = EVERY_SECONDS * random.uniform(0.8, 1.2) if self.is_warm.is_set() else 0.25  # noqa: S311 spreads
            time.sleep(pause)


@contextlib.contextmanager
def _after_the_first(event_id: UUID) -> Iterator[None]:
    """Let one process begin alone, while there is a store to agree in: the others find what it leaves there."""
    key = redis.key("warming", event_id)
    is_first = False
    deadline = time.monotonic() + TURN_MS / 1000
    try:
        is_first = bool(redis.guarded(lambda client: client.set(key, b"now", nx=True, px=TURN_MS)))
        while not is_first and time.monotonic() < deadline:
            if redis.guarded(lambda client: client.get(key)) != b"now":
                break
            time.sleep(0.02)
    except redis.Unavailable:
        log.debug("No turns are taken without Redis.")
    try:
        yield
    finally:
        if is_first:
            with contextlib.suppress(redis.Unavailable):
                redis.guarded(lambda client: client.set(key, b"done", px=TURN_MS))


def followers_key() -> str:
    """Return the key of the processes' names, sorted by their last round."""
    return redis.key("warm-followers")


def told_key(event_id: UUID) -> str:
    """Return the key of what each process said of an event: a hash of its name to when it was asked and seconds."""
    return redis.key("warmed", event_id)
