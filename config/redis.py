"""The only place that opens Redis: one client per role, every call under a deadline and a breaker.

Roles: `cache` (copies, fan states, leases), `broker` (Celery), `layer` (hints and socket notices), `gutter` (asked
while the cache gives no answer; never answers where none is configured). Each has its own URL, so that a flood of one
cannot evict or delay another. Redis is never the truth: a caller of `guarded` says what it does without an answer.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import redis
import redis.asyncio
from django.conf import settings
from prometheus_client import Gauge
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Refused
from redis.exceptions import RedisError
from redis.retry import Retry

from config.breaker import Breaker, Unavailable

__all__ = ["Unavailable", "async_client", "client", "guarded", "key", "reset", "run_of"]

T = TypeVar("T")

BREAKER_OPEN = Gauge(
    "onsale_breaker_open", "1 while a Redis role is not asked because it failed.", ["role"], multiprocess_mode="livemax"
)

# Per process and role: more would only queue inside Redis's single thread. The gutter is a small server.
MAX_CONNECTIONS = {"cache": 64, "broker": 64, "layer": 64, "gutter": 8}


_runs: dict[str, str] = {}


def key(*parts: object) -> str:
    """Return the Redis key of `parts`, under the installation's prefix, for example `onsale:seats:<event>:3`."""
    return ":".join([settings.REDIS_PREFIX, *map(str, parts)])


def _url(role: str) -> str:
    return {
        "cache": settings.REDIS_CACHE_URL,
        "broker": settings.REDIS_BROKER_URL,
        "layer": settings.REDIS_LAYER_URL,
        "gutter": settings.REDIS_GUTTER_URL,
    }[role]


@cache
def client(role: str = "cache") -> redis.Redis:
    """Return this process's client for `role`; threads share it.

    One retry, at once, and only when the connection was found closed (a restarted server leaves dead connections in
    the pool); a time-out is never retried, because Redis slow is Redis down.
    """
    pool = redis.BlockingConnectionPool.from_url(
        _url(role),
        max_connections=MAX_CONNECTIONS[role],
        timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1, supported_errors=(Refused,)),
        redis_connect_func=partial(_greet, role),
    )
    return redis.Redis(connection_pool=pool)


def _greet(role: str, connection: Any) -> None:
    """Greet a server, and note which run of it this is."""
    connection.on_connect()
    connection.send_command("INFO", "server")
    for line in bytes(connection.read_response()).splitlines():
        if line.startswith(b"run_id:"):
            _runs[role] = line.removeprefix(b"run_id:").decode()


def run_of(role: str = "cache") -> str:
    """Return the name of the server's present run, as of the latest call through `guarded`; "" before the first.

    It is another after every restart and failover. A value that may never come back from an old snapshot carries the
    run it was written in: all connections are new after a restart, so an answer is never of a later run than this says.
    """
    return _runs.get(role, "")


def async_client(role: str = "cache") -> redis.asyncio.Redis:
    """Return a new client for `role` bound to the running event loop; the caller closes it with `aclose()`."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        _url(role),
        max_connections=MAX_CONNECTIONS[role],
        timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        retry=AsyncRetry(NoBackoff(), 1, supported_errors=(Refused,)),
    )
    return redis.asyncio.Redis(connection_pool=pool)


@cache
def breaker(role: str) -> Breaker:
    """Return this process's breaker for `role`."""
    return Breaker(errors=(RedisError, OSError), tell=BREAKER_OPEN.labels(role).set)


def guarded(call: Callable[[Any], T], role: str = "cache") -> T:
    """Return `call(client)`, or raise `Unavailable` within the deadline (at once while the breaker is open)."""
    if role == "gutter" and not settings.REDIS_GUTTER_URL:
        raise Unavailable("there is no gutter")
    return breaker(role).call(lambda: call(client(role)))


def reset() -> None:
    """Forget every client and breaker: after a fork, or between tests."""
    client.cache_clear()
    breaker.cache_clear()
