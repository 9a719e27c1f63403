"""Recording the shape of a sale's traffic while it opens, in `web` and `live`.

Who asked is never looked at, and of a listing's parameters only those that are chosen from lists: nobody's words. What
the edge answers itself is not counted: it fills no tier behind the edge, and of what fills the edge's own, the first
request for each address and encoding, every one is.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from django.db.models import Exists, Min, OuterRef
from django.db.models.functions import Now

from config import encodings, pulse, redis
from config.metrics import Heat
from events.models import Event, SaleWindow
from inventory.models import TrafficShape
from inventory.warmup import shapes
from inventory.warmup.shapes import SEATS, STEP_SECONDS, Asked

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

BEFORE: Final = timedelta(seconds=30)
# Requests for slots are counted by the pulse, whose slots live six minutes: the record is made before they go.
AFTER: Final = timedelta(seconds=240)
GIVEN_UP: Final = timedelta(seconds=600)
KEPT_SECONDS: Final = 900
MOST: Final = 500  # Different addresses of one process in one round.
LISTED: Final = ("category", "city", "page")

_seen = Heat()


def recorded(application: Wsgi) -> Wsgi:
    """Return `application`, with what is asked of it counted: half a microsecond a request."""

    def counting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/":
            path += _without_words(environ.get("QUERY_STRING", ""))
        elif not path.startswith(("/e/", "/plans/")):
            return application(environ, start_response)
        _seen.add(f"{encodings.best(environ.get('HTTP_ACCEPT_ENCODING', ''))} {path}")
        return application(environ, start_response)

    return counting


def hand_over() -> None:
    """Add what this process was asked for to the present step in Redis; without Redis the shape has a gap."""
    counted = _seen.take(MOST)
    if not counted:
        return

    def send(client: Any) -> None:
        key = _key(int(time.time()) // STEP_SECONDS)
        pipe = client.pipeline(transaction=False)
        for field, count in counted.items():
            pipe.hincrby(key, field, count)
        pipe.expire(key, KEPT_SECONDS)
        pipe.execute()

    with suppress(redis.Unavailable):
        redis.guarded(send)


def record_due() -> list[Event]:
    """Record the sales that opened a few minutes ago, and return their events; without Redis a later run may."""
    opened = SaleWindow.objects.filter(
        event=OuterRef("pk"), opens_at__lt=Now() - AFTER, opens_at__gt=Now() - GIVEN_UP, access=SaleWindow.Access.PUBLIC
    )
    events = (
        Event.objects.filter(Exists(opened), status=Event.Status.PUBLISHED)
        .exclude(pk__in=TrafficShape.objects.values("event"))
        .annotate(opened_at=opened.values("event").annotate(first=Min("opens_at")).values("first"))
        .select_related("plan")
        .defer("plan__body", "plan__guids", "search")
    )
    done: list[Event] = []
    for event in events:
        with suppress(redis.Unavailable):
            if found := shape(event, event.opened_at):
                shapes.store(event, event.opened_at, found)
                done.append(event)
    return done


def shape(event: Event, opened_at: datetime) -> list[Asked]:
    """Return what was asked for around an event's opening, as far as Redis still has it. Raises redis.Unavailable."""
    first = int((opened_at - BEFORE).timestamp()) // STEP_SECONDS
    last = int((opened_at + AFTER).timestamp()) // STEP_SECONDS
    templates = {f"/e/{event.slug}/": "/e/{slug}/", f"/plans/{event.plan.content_hash}": "/plans/{plan}"}
    templates |= {f"/e/{event.slug}/calendar.ics": "/e/{slug}/calendar.ics"}
    counts: dict[tuple[str, str], list[int]] = {}
    for step, (fields, slots) in enumerate(redis.guarded(lambda client: _read(client, event, first, last))):
        for field, count in fields.items():
            encoding, _, path = field.decode().partition(" ")
            address = templates.get(path) or (path if path == "/" or path.startswith("/?") else None)
            if address:
                counts.setdefault((address, encoding), [0] * (last - first + 1))[step] += int(count)
        if slots:
            counts.setdefault((SEATS, "br"), [0] * (last - first + 1))[step] += slots
    return [Asked(address, encoding, by_step) for (address, encoding), by_step in sorted(counts.items())]


def _read(client: Any, event: Event, first: int, last: int) -> list[tuple[dict[bytes, bytes], int]]:
    """Return for each step what pages were asked for, and how often the event's slots were.

    The encoding of slots is not counted on their hot path; every browser that draws the map accepts brotli.
    """
    per_step = STEP_SECONDS // pulse.BEAT_SECONDS
    pipe = client.pipeline(transaction=False)
    for step in range(first, last + 1):
        pipe.hgetall(_key(step))
        for slot in range(step * per_step, (step + 1) * per_step):
            pipe.zscore(pulse.hot_key(slot), str(event.pk))
    answers = iter(pipe.execute())
    return [(next(answers), int(sum(next(answers) or 0 for _ in range(per_step)))) for _ in range(first, last + 1)]


def _without_words(query: str) -> str:
    pairs = [(name, value) for name, value in sorted(parse_qsl(query)) if name in LISTED]
    return f"?{urlencode(pairs)}" if pairs else ""


def _key(step: int) -> str:
    return redis.key("traffic", step)
