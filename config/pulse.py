"""A process's own figures, put into Redis every two seconds: what the back office shows needs no Prometheus.

What was counted since the last beat is added to the hash of the present slot of two seconds, the same for all
processes of all machines; what a process is (kind, memory, gauges) lies under its own name. Everything is bounded in
number and time, nothing raises, and a beat that Redis does not take is lost: the page shows a gap.
`config/pulses.py` reads.
"""

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
from prometheus_client import REGISTRY

from config import metrics, redis

log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 2
KEPT_SECONDS: Final = 360  # Of slots: five minutes are drawn.
GONE_SECONDS: Final = 60  # A process that was killed is shown as silent for this long.
MOST_FIELDS: Final = 500  # Of one beat; a process moves about sixty.
MOST_HOT: Final = 50
PREFIX: Final = "onsale_"

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Pulse:
    """One process's beats; for one thread."""

    def __init__(self, kind: str) -> None:
        self.name = f"{kind}@{socket.gethostname()}:{os.getpid()}"
        self._since = time.time()
        metrics.flush()  # What was counted before the first beat's time is not of it.
        self._told, _ = samples()
        self._cpu = time.process_time()

    def beat(self, now: float) -> bool:
        """Tell what moved since the last beat, as of `now` in seconds since the epoch; say whether Redis took it."""
        metrics.flush()
        totals, gauges = samples()
        moved = {key: total - self._told.get(key, 0) for key, total in totals.items()}
        self._told = totals
        hot = metrics.HOT_EVENTS.take(MOST_HOT)
        about = {"since": self._since, "at": now, "memory": _memory(), "cpu": self._spent(), "gauges": gauges}
        try:
            redis.guarded(lambda client: self._send(client, now, {k: n for k, n in moved.items() if n > 0}, hot, about))
        except redis.Unavailable:
            return False
        return True

    def end(self) -> None:
        """Take the name off: this process leaves in order, and is not to be missed."""
        try:
            redis.guarded(
                lambda client: (
                    client.pipeline(transaction=False)
                    .delete(process_key(self.name))
                    .zrem(processes_key(), self.name)
                    .execute()
                )
            )
        except redis.Unavailable:
            log.debug("The pulse of %s ends unsaid.", self.name)

    def _send(self, client: Any, now: float, moved: dict[str, int], hot: dict[str, int], about: dict[str, Any]) -> None:
        pipe = client.pipeline(transaction=False)
        slot = slot_at(now) - 1  # A beat comes after the boundary, and tells of what was before it.
        for field, count in list(moved.items())[:MOST_FIELDS]:
            pipe.hincrby(moved_key(slot), field, count)
        for member, count in hot.items():
            pipe.zincrby(hot_key(slot), count, member)
        pipe.expire(moved_key(slot), KEPT_SECONDS)
        pipe.expire(hot_key(slot), KEPT_SECONDS)
        pipe.set(process_key(self.name), orjson.dumps(about), ex=GONE_SECONDS)
        pipe.zadd(processes_key(), {self.name: now})
        pipe.zremrangebyscore(processes_key(), "-inf", now - GONE_SECONDS)
        pipe.execute()

    def _spent(self) -> float:
        """Return the share of a processor used since it was last asked."""
        before, self._cpu = self._cpu, time.process_time()
        return round((self._cpu - before) / BEAT_SECONDS, 3)


def slot_at(now: float) -> int:
    """Return the number of the slot that `now` falls in."""
    return int(now // BEAT_SECONDS)


def moved_key(slot: int) -> str:
    """Return the key of what all processes counted in a slot: a hash of sample to count."""
    return redis.key("seen", "moved", slot)


def hot_key(slot: int) -> str:
    """Return the key of the events asked for in a slot: a sorted set by requests."""
    return redis.key("seen", "hot", slot)


def process_key(name: str) -> str:
    """Return the key of what a process last said of itself."""
    return redis.key("seen", name)


def processes_key() -> str:
    """Return the key of the processes' names, sorted by their last beat."""
    return redis.key("seen")


def samples() -> tuple[dict[str, int], dict[str, float]]:
    """Return this process's own counts and gauges by sample: `tier_reads_total|seats|lru`; a histogram's buckets."""
    counts, gauges = {}, {}
    for family in REGISTRY.collect():
        if not family.name.startswith(PREFIX):
            continue
        for sample in family.samples:
            key = "|".join((sample.name.removeprefix(PREFIX), *sample.labels.values()))
            if family.type == "gauge":
                gauges[key] = sample.value
            elif sample.name.endswith(("_total", "_bucket")):
                counts[key] = int(sample.value)
    return counts, gauges


def start(kind: str = "") -> None:
    """Begin to beat in a thread of its own, once for each process. Call it after the last fork."""
    global _running  # noqa: PLW0603 one pulse per process.
    if _running is None or not _running.is_alive():
        _running = _Heart(kind or os.environ.get("ONSALE_PROCESS", "manage"))
        _running.start()


def stop() -> None:
    """Hand over what was counted last, and take the process's name off."""
    metrics.flush()
    if _running is not None:
        _running.stop()


class _Heart(threading.Thread):
    """Beats just after every boundary between slots, each process at a moment of its own: Redis is not met by all."""

    def __init__(self, kind: str) -> None:
        super().__init__(name="pulse", daemon=True)
        self._kind = kind
        self._stopped = threading.Event()
        self._offset = random.random() * BEAT_SECONDS / 2  # noqa: S311 spreads the beats, hides nothing

    def run(self) -> None:
        pulse = Pulse(self._kind)
        while not self._stopped.wait(BEAT_SECONDS - (time.time() - self._offset) % BEAT_SECONDS):
            _quietly(lambda: pulse.beat(time.time()))
        _quietly(pulse.end)

    def stop(self) -> None:
        self._stopped.set()
        self.join(timeout=1)


_running: _Heart | None = None


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # Whatever is wrong with a figure, the process is not to end of it.
        log.debug("A beat failed.", exc_info=True)


def _memory() -> int:
    """Return the resident bytes of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0
