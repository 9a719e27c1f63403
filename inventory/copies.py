"""The relay's copies of the planes in Redis, written by the relay and by nobody else.

An event that people look at has as many as the knob says; any other has copy 0, which whoever comes next finds.
"""

import time
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from prometheus_client import Counter

from config import redis
from config.knobs import knobs
from config.tiers import Fanout
from inventory import availability

HOT_LIMIT = 1000  # Events kept written although nothing changes.
COPIES_AT_ONCE = 100  # 1.5 MB of stadiums, sent well within Redis's deadline.

_fanout = Fanout()

FAILURES = Counter("onsale_relay_failures", "Writes and publications that Redis did not take.", ["what"])

# A copy is replaced only by a newer or equal version, so that a leader that lost its lock in mid-write cannot put its
# last picture over its successor's. Bytes 9 to 16 of an R3 body are the version.
_SET_UNLESS_OLDER = """
    local kept = redis.call('GETRANGE', KEYS[1], 8, 15)
    if #kept == 8 and struct.unpack('<I8', kept) > struct.unpack('<I8', string.sub(ARGV[1], 9, 16)) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1"""

# A copy that is there already is only given more time: the copies of 500 stadiums are 75 MB, their versions 40 KB.
_KEEP = """
    if redis.call('GETRANGE', KEYS[1], 8, 15) ~= ARGV[1] then return 0 end
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])"""


def write(bodies: Mapping[UUID, bytes], *, hot: Container[UUID] = ()) -> None:
    """Write the copies of the bodies, of events in `hot` all; a Redis that is down costs one deadline, no more."""
    _guarded(partial(_write, copies=_copies(bodies, hot)))


def keep(bodies: Mapping[UUID, bytes]) -> None:
    """Give the copies of these hot events their time anew, and write those that are gone or of another version."""
    _guarded(partial(_keep, copies=_copies(bodies, hot=bodies)))


def _copies(bodies: Mapping[UUID, bytes], hot: Container[UUID]) -> list[tuple[str, bytes]]:
    width = _fanout.width(knobs.seats_copies)
    return [
        (availability.copy_key(event_id, copy), body)
        for event_id, body in bodies.items()
        for copy in range(width if event_id in hot else 1)
    ]


def _write(client: Any, copies: list[tuple[str, bytes]]) -> None:
    script = client.register_script(_SET_UNLESS_OLDER)
    for first in range(0, len(copies), COPIES_AT_ONCE):
        pipe = client.pipeline(transaction=False)
        for key, body in copies[first : first + COPIES_AT_ONCE]:
            script(keys=[key], args=[body, settings.SEATS_TTL_MS], client=pipe)
        pipe.execute()


def _keep(client: Any, copies: list[tuple[str, bytes]]) -> None:
    script = client.register_script(_KEEP)
    pipe = client.pipeline(transaction=False)
    for key, body in copies:
        script(keys=[key], args=[body[8:16], settings.SEATS_TTL_MS], client=pipe)
    _write(client, [copy for copy, is_kept in zip(copies, pipe.execute(), strict=True) if not is_kept])


def _guarded(call: Callable[[Any], None]) -> None:
    try:
        redis.guarded(call)
    except redis.Unavailable:
        FAILURES.labels("copies").inc()


def hot_events() -> list[UUID]:
    """Return the events somebody has looked at lately, the latest first."""

    def ask(client: Any) -> list[bytes]:
        horizon = time.time() - availability.HOT_SECONDS
        pipe = client.pipeline(transaction=False)
        pipe.zremrangebyscore(redis.key("hot"), "-inf", horizon)
        pipe.zrevrange(redis.key("hot"), 0, HOT_LIMIT - 1)
        return list(pipe.execute()[1])

    try:
        return [UUID(member.decode()) for member in redis.guarded(ask)]
    except redis.Unavailable:
        return []
