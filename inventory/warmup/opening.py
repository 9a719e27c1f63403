"""Beat's part: five minutes before a sale opens its event is hot, and is asked what an earlier sale was asked."""

import logging
from contextlib import suppress
from typing import Final

from django.conf import settings

from config import redis
from inventory import availability
from inventory.availability import Busy, EventUnknown
from inventory.warmup import hot_list, replay, shapes
from inventory.warmup.hot_list import Hot

log = logging.getLogger(__name__)

REQUESTS: Final = 150
ONCE_SECONDS: Final = 900


def keep_warm() -> list[Hot]:
    """Reckon the hot list, keep the relay writing its events, and replay an earlier sale to those about to open.

    Every fifteen seconds. Without a store there is nothing to agree in, and each process does what it can by itself.
    """
    try:
        listed = hot_list.renew()
        for hot in listed:
            if not hot.is_watched:
                _be_looked_at(hot)
        for hot in listed:
            if hot.is_opening and _is_first(hot):
                _replay(hot)
    except (redis.Unavailable, Busy) as error:
        log.warning("Nothing is warmed now: %s", error)
        return []
    return listed


def _be_looked_at(hot: Hot) -> None:
    """Read the event's seats: that is what makes the relay keep its copies written. An event may have none yet."""
    with suppress(EventUnknown):
        availability.snapshot(hot.id)


def _is_first(hot: Hot) -> bool:
    key = redis.key("replayed", hot.event_id)
    return bool(redis.guarded(lambda client: client.set(key, 1, nx=True, ex=ONCE_SECONDS)))


def _replay(hot: Hot) -> None:
    outcome = replay.replay(settings.SITE_URL, replay.requests(shapes.latest(), hot.names, most=REQUESTS))
    if outcome.failures:
        log.warning("%s opens soon; %d requests of its warm-up failed.", hot.slug, outcome.failures)
