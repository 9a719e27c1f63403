"""The events every process keeps warm: whose sales open soon or move, what staff ask for, what is being looked at.

The list lies in Redis so that it is reckoned once for all processes: by beat every fifteen seconds, and by one process
under a lease when it is missing. The sales follow from Postgres alone. What `ask` adds and who is looking at what is in
Redis only, and comes back with the next who asks or looks.
"""

import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import Exists, Min, OuterRef, Q
from django.db.models.functions import Now

from config import redis
from config.tiers import Lease, Rate
from events.models import Event, SaleWindow
from inventory.availability import HOT_SECONDS, database_errors_as_busy
from inventory.models import SeatPlane
from inventory.warmup import shapes

OPENS_WITHIN: Final = timedelta(minutes=5)
MOVED_WITHIN: Final = timedelta(minutes=10)
WATCHED: Final = 50
MOST: Final = 100  # A stadium's tiers are 3 MB of a process, so that a list of them is bounded by memory.
KEPT_MS: Final = 60_000  # Four times beat's period: beat may be restarted without anybody else reckoning.
LEASE_MS: Final = 2_000
ASKED_SECONDS: Final = 900

# Without Redis each process asks Postgres itself: its first question at once, and then one a minute.
_alone = Rate(1 / 60, burst=1)


@dataclass(frozen=True, slots=True)
class Hot:
    """One event of the list; `asked` is the moment staff asked for it, or 0.

    `is_opening`: a sale window of it opens within five minutes. `is_watched`: it is here only because somebody looks
    at it; when nobody does, it goes.
    """

    event_id: str
    slug: str
    plan: str
    asked: float
    is_opening: bool
    is_watched: bool
    pages: list[list[str]]  # Every address of it at the origin, with the encoding it is asked for in.

    @property
    def id(self) -> UUID:
        """The event's id."""
        return UUID(self.event_id)

    @property
    def names(self) -> dict[str, str]:
        """What the templates of its addresses are filled with."""
        return {"event_id": self.event_id, "slug": self.slug, "plan": self.plan}


def current() -> list[Hot] | None:
    """Return the list as any process reckoned it in the last minute, reckoned here if nobody did.

    None when it cannot be had now: another process is at it, or the stores are away. Raises Busy without Postgres.
    """
    try:
        stored, token = redis.guarded(_look)
        if stored is not None:
            return [Hot(**fields) for fields in orjson.loads(stored)]
        if token is None:
            return None
        return _renewed(token)
    except redis.Unavailable:
        return _reckon({}, []) if _alone.allows() else None


def renew() -> list[Hot]:
    """Reckon the list anew, whoever did so last, and return it. Raises redis.Unavailable, and Busy without Postgres."""
    return _renewed(redis.guarded(lambda client: _lease(client).renew(for_ms=LEASE_MS)))


def ask(event_id: UUID) -> Hot:
    """Put an event on the list for a quarter of an hour, and have every process warm it (again) within seconds.

    Raises redis.Unavailable, and Busy without Postgres.
    """
    now = time.time()

    def add(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        pipe.zremrangebyscore(_asked_key(), "-inf", now - ASKED_SECONDS)
        pipe.zadd(_asked_key(), {str(event_id): now})
        pipe.execute()

    redis.guarded(add)
    return next(hot for hot in renew() if hot.id == event_id)


def _look(client: Any) -> tuple[bytes | None, str | None]:
    stored = client.get(_key())
    return stored, None if stored is not None else _lease(client).acquire(for_ms=LEASE_MS)


def _renewed(token: str) -> list[Hot]:
    """Reckon and store. What is asked for is read under the lease: nobody who read it earlier can store after this."""
    found = _reckon(*redis.guarded(_wanted))
    body = orjson.dumps([asdict(hot) for hot in found])
    redis.guarded(lambda client: _lease(client).store(token, body, ttl_ms=KEPT_MS))
    return found


def _wanted(client: Any) -> tuple[dict[UUID, float], list[UUID]]:
    """Return the events staff ask for, with the moment, and those somebody is looking at."""
    now = time.time()
    pipe = client.pipeline(transaction=False)
    pipe.zrangebyscore(_asked_key(), now - ASKED_SECONDS, "+inf", withscores=True)
    pipe.zrevrangebyscore(redis.key("hot"), "+inf", now - HOT_SECONDS, start=0, num=WATCHED)
    asked, watched = pipe.execute()
    return {UUID(member.decode()): moment for member, moment in asked}, [UUID(member.decode()) for member in watched]


def _reckon(asked: dict[UUID, float], watched: list[UUID]) -> list[Hot]:
    """Read the list from Postgres, by its clock: one statement over the sale windows that are about to open or open."""
    windows = SaleWindow.objects.filter(event=OuterRef("pk"), opens_at__lt=Now() + OPENS_WITHIN, closes_at__gt=Now())
    just_opened = windows.filter(opens_at__gt=Now() - MOVED_WITHIN)
    moving = SeatPlane.objects.filter(event=OuterRef("pk"), updated_at__gt=Now() - MOVED_WITHIN)
    is_on_sale = Q(status=Event.Status.PUBLISHED, sale_switch=Event.SaleSwitch.ON) & Exists(windows)
    events = (
        Event.objects.exclude(status=Event.Status.DRAFT)
        .annotate(is_due=Q(pk__in=list(asked)) | (is_on_sale & (Exists(just_opened) | Exists(moving))))
        .filter(Q(is_due=True) | Q(pk__in=watched))
        .annotate(is_opening=Exists(windows.filter(opens_at__gt=Now())), opens_at=Min("windows__opens_at"))
        .order_by("-is_due", "-opens_at", "id")
        .values_list("id", "slug", "plan__content_hash", "is_opening", "is_due")
    )
    with database_errors_as_busy():
        rows = list(events[:MOST])
        shape = [one for one in shapes.latest() if not one.is_slot] if rows else []
    found = []
    for event_id, slug, plan, is_opening, is_due in rows:
        hot = Hot(str(event_id), slug, plan, asked.get(event_id, 0), is_opening, not is_due, [])
        hot.pages.extend([one.of(hot.names), one.encoding] for one in shape)
        found.append(hot)
    return found


def _key() -> str:
    return redis.key("{warm}", "list")


def _asked_key() -> str:
    return redis.key("{warm}", "asked")


def _lease(client: Any) -> Lease:
    return Lease(client, _key(), lease=redis.key("{warm}", "lease"))
