"""Sixteen real processes at one key, for tests: `python -m tests.config.crowd load|die|pause` tells what each got.

All begin together; each load counts itself in Redis. In `die` the first loader kills itself while it loads, in `pause`
it stops itself between its reading and its storing.
"""

import json
import multiprocessing
import os
import signal
import sys
import time
from typing import Any

from config import redis
from config.tiers import Rate, Shared

PROCESSES = 16
LEASE_MS = 1000


def value() -> Shared[bytes]:
    """Return the tier that the processes share."""
    return Shared(
        "crowd",
        stored="copy",
        loaded="database",
        encode=bytes,
        decode=bytes,
        seconds=30,
        grace_seconds=30,
        lease_ms=LEASE_MS,
        rate=Rate(100, burst=100),
    )


def key(name: str) -> str:
    """Return one of the keys the processes share."""
    return redis.key("{crowd}", name)


def _load(how: str) -> bytes:
    client = redis.client()
    number = int(client.incr(key("loads")))
    read = client.get(key("truth")) or b"nothing"
    if number == 1 and how != "load":
        os.kill(os.getpid(), signal.SIGKILL if how == "die" else signal.SIGSTOP)
    time.sleep(0.1)
    return bytes(read)


def _one(how: str, start: Any, told: Any) -> None:
    redis.client().ping()
    start.wait()
    began = time.monotonic()
    found = value().get(key("value"), lambda: _load(how), deadline_seconds=10)
    told.put(((found or b"").decode(), time.monotonic() - began))


def main(how: str, processes: int) -> None:
    """Let them go, and print a list of (value, seconds) of those who lived."""
    # A fork before the first connection and the first thread: each child makes its own.
    context = multiprocessing.get_context("fork")
    start, told = context.Barrier(processes), context.SimpleQueue()
    crowd = [context.Process(target=_one, args=(how, start, told)) for _ in range(processes)]
    for one in crowd:
        one.start()
    if how == "pause":
        print(crowd[0].pid, flush=True)
    for one in crowd:
        one.join(30)
    lived = sum(one.exitcode == 0 for one in crowd)
    print(json.dumps([told.get() for _ in range(lived)]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
