"""Across processes, one loads a missing key, and nobody stores an old answer."""

import secrets
from typing import Any, Protocol


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
    GIVE_BACK = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
    RENEW = "redis.call('DEL', KEYS[2]) redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])"

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

    def give_back(self, token: str) -> None:
        """End the lease without a value if `token` is still the current one: after a failure nobody waits in vain."""
        self._redis.eval(self.GIVE_BACK, 1, self._lease, token)

    def renew(self, *, for_ms: int) -> str:
        """Invalidate: drop the value, void every token given out, and return the only current one."""
        token = secrets.token_hex(8)
        self._redis.eval(self.RENEW, 2, self._lease, self._key, token, for_ms)
        return token
