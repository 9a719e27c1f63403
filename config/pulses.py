"""What the processes last said of themselves, over all machines: the reading side of `config/pulse.py`."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import orjson

from config import pulse, redis

LATE_SECONDS: Final = 6.0  # Two beats missed: the process is shown as silent.
_SETTLED_SECONDS: Final = 1.2  # Every process has told of a slot when this has passed after it.


@dataclass(frozen=True)
class Process:
    """One process as its last beat told of it."""

    kind: str
    host: str
    pid: int
    since: float
    at: float
    memory: int
    cpu: float
    gauges: dict[str, float]

    def is_silent(self, now: float) -> bool:
        """Whether it has missed its beats; a process that ends in order is not here any more."""
        return now - self.at > LATE_SECONDS


@dataclass(frozen=True)
class Picture:
    """What was counted in each slot from `first` on, what was hot in all of them, and who is there."""

    first: int
    moved: list[Counter[str]]
    hot: Counter[str]
    processes: list[Process]


def last_slot(now: float | None = None) -> int:
    """Return the latest slot that all processes have told of."""
    return pulse.slot_at((time.time() if now is None else now) - _SETTLED_SECONDS) - 1


def picture(*, last: int, slots: int, hot_slots: int) -> Picture:
    """Return the picture of `slots` slots up to `last`, and of the hot keys of the `hot_slots` latest.

    Raises redis.Unavailable.
    """
    first = last - slots + 1

    def ask(client: Any) -> tuple[list[Any], list[bytes]]:
        pipe = client.pipeline(transaction=False)
        for slot in range(first, last + 1):
            pipe.hgetall(pulse.moved_key(slot))
        for slot in range(last - hot_slots + 1, last + 1):
            pipe.zrevrange(pulse.hot_key(slot), 0, pulse.MOST_HOT - 1, withscores=True)
        pipe.zrange(pulse.processes_key(), 0, -1)
        answers = pipe.execute()
        names = answers.pop()
        return answers, names

    answers, names = redis.guarded(ask)
    moved = [Counter({field.decode(): int(count) for field, count in answer.items()}) for answer in answers[:slots]]
    hot: Counter[str] = Counter()
    for answer in answers[slots:]:
        hot.update({member.decode(): int(count) for member, count in answer})
    return Picture(first, moved, hot, _processes([name.decode() for name in names]))


def _processes(names: list[str]) -> list[Process]:
    if not names:
        return []
    said = redis.guarded(lambda client: client.mget([pulse.process_key(name) for name in names]))
    return sorted(
        (_process(name, orjson.loads(about)) for name, about in zip(names, said, strict=True) if about),
        key=lambda process: (process.kind, process.host, process.pid),
    )


def _process(name: str, about: dict[str, Any]) -> Process:
    kind, _, where = name.partition("@")
    host, _, pid = where.rpartition(":")
    return Process(kind=kind, host=host, pid=int(pid), **about)
