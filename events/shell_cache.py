"""The page cache of event shells in Redis, shared by every process that makes pages, and filled by one of them.

A missing page is rendered by whoever gets its lease (config/tiers); the others look again every 20 ms. There is no
early refresh by chance here, as slots have it: a page ends with its version, which nobody foresees, or at the moment
the clock changes it, before which the new one cannot be made.
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple
from uuid import UUID

import orjson

from config import metrics, redis
from config.tiers import GUTTER_SECONDS, Lease
from events.pages import Page

LONGEST_SECONDS: Final = 3600  # Versions nobody asks for any more go by themselves.
LEASE_MS: Final = 2_000  # A render takes 30 ms; a process that died in one is followed by another after this.
LOOK_AGAIN_SECONDS: Final = 0.02

_found = {
    "cache": metrics.TIER_READS.labels("shell", "page_cache"),
    "gutter": metrics.TIER_READS.labels("shell", "gutter"),
}
_from_render = metrics.TIER_READS.labels("shell", "render")


class Name(NamedTuple):
    """What a page is kept under; `build` names the templates and code that it was made with."""

    event_id: UUID
    version: int
    locale: str
    build: str

    def key(self, what: str) -> str:
        """Return the Redis key of one of its things; all are in one slot of a cluster."""
        return redis.key("event", f"{{{self.event_id}}}", f"v{self.version}", self.locale, self.build, what)


def page(name: Name, render: Callable[[], tuple[int, Page]], *, now: float) -> Page:
    """Return the page of this name as of `now` (seconds since 1970), from Redis or by `render()`.

    `render` returns it with the version it is of. A page of another version than asked for is returned, being the newer
    one, and not kept. While Redis gives no answer the gutter is asked, and without one the page is rendered; the caller
    lets only one thread in.
    """
    for role in ("cache", "gutter"):
        with suppress(redis.Unavailable):
            if found := _shared(role, name, render, now):
                return found
            break
    _from_render.inc()
    return render()[1]


def _shared(role: str, name: Name, render: Callable[[], tuple[int, Page]], now: float) -> Page | None:
    """Return the page as one of all processes made it; None if the others took too long."""
    patience = time.monotonic() + 2 * LEASE_MS / 1000
    while time.monotonic() < patience:
        if found := _kept(role, name, now):
            return found
        if token := redis.guarded(lambda client: _lease(client, name).acquire(for_ms=LEASE_MS), role):
            # Whoever held the lease until now may have stored the page after we looked.
            if found := _kept(role, name, now):
                _give_back(role, name, token)
                return found
            return _rendered(role, name, token, render)
        time.sleep(LOOK_AGAIN_SECONDS)
    return None


def _kept(role: str, name: Name, now: float) -> Page | None:
    if kept := redis.guarded(lambda client: client.get(name.key("shell")), role):
        found = unpacked(kept)
        if now < found.until:
            _found[role].inc()
            return found
    return None


def _rendered(role: str, name: Name, token: str, render: Callable[[], tuple[int, Page]]) -> Page:
    _from_render.inc()
    try:
        version, made = render()
    except BaseException:
        _give_back(role, name, token)
        raise
    longest = LONGEST_SECONDS if role == "cache" else random.uniform(*GUTTER_SECONDS)  # noqa: S311 spreads expiries
    ttl_ms = int(min(longest, made.until - time.time()) * 1000)
    if version == name.version and ttl_ms > 0:
        with suppress(redis.Unavailable):  # It is then kept in this process only.
            redis.guarded(lambda client: _lease(client, name).store(token, packed(made), ttl_ms=ttl_ms), role)
    else:
        _give_back(role, name, token)
    return made


def _give_back(role: str, name: Name, token: str) -> None:
    with suppress(redis.Unavailable):
        redis.guarded(lambda client: _lease(client, name).give_back(token), role)


def _lease(client: object, name: Name) -> Lease:
    return Lease(client, name.key("shell"), lease=name.key("lease"))  # type: ignore[arg-type]


def packed(page: Page) -> bytes:
    """Write a page as bytes: a line that tells its tag, its end and where its encodings lie, then these."""
    until = page.until if page.until < float("inf") else None
    head = orjson.dumps([page.etag, until, len(page.body), len(page.zipped)])
    return b"\n".join((head, page.body + page.zipped + page.brotlied))


def unpacked(data: bytes) -> Page:
    """Read what `packed` wrote."""
    head, _, bodies = data.partition(b"\n")
    etag, until, plain, zipped = orjson.loads(head)
    end = plain + zipped
    return Page(bodies[:plain], etag, float("inf") if until is None else until, bodies[plain:end], bodies[end:])
