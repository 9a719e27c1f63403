"""Values in one Redis role: each in an envelope, each with a lease beside it, every call under deadline and breaker."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from config import redis
from config.tiers import xfetch
from config.tiers.lease import Lease


class Entry(NamedTuple):
    """What a pool keeps: the value, how long it took to make, and in how many seconds it expires (below 0: expired)."""

    value: bytes
    delta: float
    expires_in: float


@dataclass(frozen=True)
class Pool:
    """The values of one role. `seconds` is how long the next one is fresh; for `grace_seconds` more it is kept, stale.

    Expiry is reckoned by Redis's clock, so that processes whose clocks differ agree on it. Methods raise
    redis.Unavailable where nothing else is said.
    """

    role: str
    seconds: Callable[[], float]
    grace_seconds: float

    def read(self, key: str) -> Entry | None:
        """Return what is kept under a key; None when it is nothing, or damaged."""

        def ask(client: Any) -> tuple[bytes | None, int]:
            pipe = client.pipeline(transaction=False)
            pipe.get(key)
            pipe.pttl(key)
            stored, left_ms = pipe.execute()
            return stored, left_ms

        stored, left_ms = redis.guarded(ask, self.role)
        if stored is None:
            return None
        try:
            delta, value = xfetch.unpack(stored)
        except ValueError:
            return None
        return Entry(value, delta, left_ms / 1000 - self.grace_seconds)

    def acquire(self, key: str, lease: str, *, for_ms: int) -> str | None:
        """Return a token if this process shall load, None while another does."""
        return redis.guarded(lambda client: Lease(client, key, lease=lease).acquire(for_ms=for_ms), self.role)

    def store(self, key: str, lease: str, token: str, value: bytes, delta: float) -> None:
        """Keep the value if the token is still the current one. A pool that is away meanwhile is let be."""
        envelope, ttl_ms = xfetch.pack(delta, value), int((self.seconds() + self.grace_seconds) * 1000)
        with suppress(redis.Unavailable):
            redis.guarded(
                lambda client: Lease(client, key, lease=lease).store(token, envelope, ttl_ms=ttl_ms), self.role
            )

    def give_back(self, key: str, lease: str, token: str) -> None:
        """End the lease without a value. A pool that is away meanwhile is let be: leases end by themselves."""
        with suppress(redis.Unavailable):
            redis.guarded(lambda client: Lease(client, key, lease=lease).give_back(token), self.role)
