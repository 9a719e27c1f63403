"""One value for all processes, made by one of them: single-flight, Redis with early refresh, lease, gutter, rate."""

import logging
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from config import metrics, redis
from config.knobs import knobs
from config.tiers.gutter import gutter
from config.tiers.pool import Entry, Pool
from config.tiers.rate import Busy, Rate
from config.tiers.single_flight import SingleFlight
from config.tiers.xfetch import is_due

log = logging.getLogger(__name__)

V = TypeVar("V")
Load = Callable[[], V | None]

LOOK_AGAIN_SECONDS: Final = 0.025


class Shared(Generic[V]):
    """Values of one key family, shared by all processes through Redis; for threads.

    Of those who miss a value one thread of one process loads it, the others wait for that; when a fresh one nears its
    expiry one process makes it anew while the others go on with it, and for `grace_seconds` past it if that fails.
    Redis gives no answer: the same through the gutter; neither does that: each process loads for itself, and never more
    often than `rate` allows. `encode` and `decode` are inverse; ValueError of `decode` means a damaged value.
    """

    def __init__(
        self,
        family: str,
        *,
        stored: str,
        loaded: str,
        encode: Callable[[V], bytes],
        decode: Callable[[bytes], V],
        seconds: float,
        grace_seconds: float,
        lease_ms: int,
        rate: Rate,
    ) -> None:
        self._pool = Pool("cache", lambda: seconds, grace_seconds)
        self._gutter = gutter()
        self._encode, self._decode = encode, decode
        self._lease_ms = lease_ms
        self.rate = rate
        self._flights: SingleFlight[str, V | None] = SingleFlight()
        tallies = metrics.TIER_READS
        self._found = {"cache": tallies.labels(family, stored), "gutter": tallies.labels(family, "gutter")}
        self._loaded, self._stale = tallies.labels(family, loaded), tallies.labels(family, "stale")

    def get(self, key: str, load: Load[V], *, deadline_seconds: float) -> V | None:
        """Return the value of `key`, by `load()` if need be; None, which is not kept, when that says there is none.

        `key` carries a {tag}: its lease is kept in the same slot of a cluster. Raises Busy when nothing is kept and no
        load is allowed, TimeoutError after waiting for another thread's load, and what `load` raises.
        """
        return self._flights.run(key, lambda: self._get(key, load), deadline_seconds=deadline_seconds)

    def _get(self, key: str, load: Load[V]) -> V | None:
        for pool in (self._pool, self._gutter):
            try:
                return self._through(pool, key, load)
            except redis.Unavailable:
                continue
        return self._load(load)

    def _through(self, pool: Pool, key: str, load: Load[V]) -> V | None:
        # Time for one loader to die in it, and for the next to load.
        patience = time.monotonic() + 2 * self._lease_ms / 1000
        while True:
            entry, value = self._read(pool, key)
            if entry and not is_due(0.0, entry.expires_in, entry.delta, knobs.xfetch_beta):
                self._found[pool.role].inc()
                return value
            if token := pool.acquire(key, f"{key}:lease", for_ms=self._lease_ms):
                newer, made = self._read(pool, key)
                # Whoever held the lease until now may have stored a value after we looked.
                if newer and newer.expires_in > (entry.expires_in if entry else 0.0):
                    pool.give_back(key, f"{key}:lease", token)
                    self._found[pool.role].inc()
                    return made
                return self._refreshed(pool, key, token, load, value)
            if entry:  # Somebody is at it.
                self._found[pool.role].inc()
                return value
            if time.monotonic() >= patience:
                return self._load(load)
            time.sleep(LOOK_AGAIN_SECONDS)

    def _read(self, pool: Pool, key: str) -> tuple[Entry | None, V | None]:
        entry = pool.read(key)
        if entry is None:
            return None, None
        try:
            return entry, self._decode(entry.value)
        except ValueError:
            log.warning("The value of %s is damaged.", key)
            return None, None

    def _refreshed(self, pool: Pool, key: str, token: str, load: Load[V], old: V | None) -> V | None:
        """Load as the holder of the lease. If that fails the old value is served, and the next try is a lease away."""
        lease, began = f"{key}:lease", time.perf_counter()
        try:
            value = self._load(load)
        except Exception as error:
            if old is not None:
                log.warning("%s stays as it is: %r", key, error)
                self._stale.inc()
                return old
            pool.give_back(key, lease, token)
            raise
        if value is None:
            pool.give_back(key, lease, token)
        else:
            pool.store(key, lease, token, self._encode(value), time.perf_counter() - began)
        return value

    def _load(self, load: Load[V]) -> V | None:
        if not self.rate.allows():
            raise Busy
        value = load()
        self._loaded.inc()
        return value
