"""Events that lists must not show as they were: just cancelled, moved to another time, or hidden.

Lists are read from what is a little old: the programme's rows, a replica, a cache. The verb that changes an event tells
here which version it made; a list leaves out what is older, so the event comes back into it as it is now. Without Redis
nothing is left out, and lists are right when the programme is.
"""

import time
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from django.db import transaction

from config import redis
from events.models import Event

KEPT_SECONDS: Final = 900  # Far longer than the oldest list: a replica is not read when it is a minute behind.


class Listed(Protocol):
    """What a list is made of: an event as of one version."""

    event_id: Any
    version: Any


L = TypeVar("L", bound=Listed)


def hide_older(event_id: UUID) -> None:
    """Have lists leave this event out, from the commit of the caller's transaction, until they have what it wrote."""
    version = Event.objects.values_list("version", flat=True).get(pk=event_id)
    transaction.on_commit(partial(_hide, event_id, version))


def shown(rows: Iterable[L]) -> list[L]:
    """Return the rows without those that are older than what became of their event."""
    rows = list(rows)
    newest = _newest() if rows else {}
    return [row for row in rows if row.version >= newest.get(row.event_id, 0)]


def _hide(event_id: UUID, version: int) -> None:
    now = time.time()

    def add(client: Any) -> None:
        pipe = client.pipeline()
        pipe.zremrangebyscore(_key(), "-inf", now - KEPT_SECONDS)
        pipe.zadd(_key(), {f"{event_id}:{version}": now})
        pipe.expire(_key(), KEPT_SECONDS)
        pipe.execute()

    with suppress(redis.Unavailable):
        redis.guarded(add)


def _newest() -> dict[UUID, int]:
    """Return the version that each event of the set must have."""
    try:
        members = redis.guarded(lambda client: client.zrange(_key(), 0, -1))
    except redis.Unavailable:
        return {}
    newest: dict[UUID, int] = {}
    for member in members:
        event_id, _, version = member.decode().partition(":")
        newest[UUID(event_id)] = max(int(version), newest.get(UUID(event_id), 0))
    return newest


def _key() -> str:
    return redis.key("hidden")
