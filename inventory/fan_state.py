"""What one fan sees of one event (R4): his hold and its clock, what he may still buy, and how the sale stands.

The fan's own part lives in Redis and is written in the request that changed it, so that he sees his click at once
whatever the copies say. Lost, it is read again from Postgres.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from config import metrics, redis
from config.tiers import Lease, Lru, SingleFlight
from events.models import Event, PriceTier, SaleWindow
from events.sale_state import sale_state
from inventory import availability
from inventory.availability import Busy, EventUnknown, database_errors_as_busy
from inventory.fan import csrf_token
from seating.plans import plan

log = logging.getLogger(__name__)

KEPT_MS: Final = 60_000
LEASE_MS: Final = 2_000
TERMS_SECONDS: Final = 1.0

_from_copy, _from_database = (metrics.TIER_READS.labels("me", tier) for tier in ("copy", "database"))


@dataclass(frozen=True)
class _Terms:
    """What everybody sees alike of one event: read once a second and process."""

    event: Event
    windows: tuple[SaleWindow, ...]
    tiers: dict[int, int]
    plan_hash: str
    currency: str


_terms: Lru[UUID, _Terms | None] = Lru(2000)
_flights: SingleFlight[UUID, _Terms | None] = SingleFlight()


def fan_state(event_id: UUID, fan: str, *, is_new: bool = False) -> dict[str, Any]:
    """Return the R4 document of a fan: times in Unix ms, money in minor units.

    A fan whose cookie was made just now (`is_new`) has nothing yet and costs neither Redis nor Postgres a read.
    Raises EventUnknown for drafts too, and Busy when Postgres is needed and gives no answer.
    """
    terms = _event_terms(event_id)
    now = datetime.now(tz=UTC)
    now_ms = int(now.timestamp() * 1000)
    nothing: dict[str, Any] = {"version": 0, "hold": None, "owned": 0}
    own = nothing if is_new else _own_state(event_id, fan)
    hold = own["hold"]
    if hold is not None and hold["expires_at"] <= now_ms:
        hold = None
    sale = sale_state(terms.event, now, terms.windows)
    state = "sold_out" if sale.state in ("open", "presale") and _is_sold_out(event_id) else sale.state
    return {
        "event": str(event_id),
        "version": own["version"],
        "now": now_ms,
        "sale": {"state": state, "opens_at": _ms(sale.opens_at), "closes_at": _ms(sale.closes_at)},
        "hold": hold,
        "limit": {"max": terms.event.max_per_fan, "used": own["owned"] + (len(hold["seats"]) if hold else 0)},
        "csrf": csrf_token(fan),
    }


def remember(event_id: UUID, fan: str) -> int:
    """Bring the fan's state in Redis up to date right after a committed change; return its version (0 without Redis).

    Two tabs that commit one after the other may come here in the other order, so nothing they know is stored: the
    state is read again from Postgres under a new lease. Whoever took the lease last also read last, and only he may
    store. Call it outside any transaction. Never raises.
    """
    try:
        token = redis.guarded(lambda client: _lease(client, event_id, fan).renew(for_ms=LEASE_MS))
        own = _read(event_id, fan)
        if own is None:
            return 0
        _store(event_id, fan, token, own)
        return int(own["version"])
    except (redis.Unavailable, Busy):
        return 0


def forget(event_id: UUID, fan: str) -> None:
    """Drop the fan's state where somebody else changed it (a payment came in, a hold was swept). Never raises."""
    try:
        redis.guarded(lambda client: client.delete(_key(event_id, fan), _lease_key(event_id, fan)))
    except redis.Unavailable:
        log.debug("The state of %s outlives this change by a minute at most.", fan)


def clear() -> None:
    """Empty this process's copies of sale terms."""
    _terms.clear()


def hold_json(event_id: UUID, hold: Any, seats: list[tuple[int, int]]) -> dict[str, Any]:
    """Return the R4 form of a hold: `hold` has id, expires_at and extendable; `seats` are (index, tier number)."""
    terms = _event_terms(event_id)
    hall = plan(terms.plan_hash)
    places = []
    for index, tier in seats:
        place = hall.place(index)
        places.append(
            {
                "index": index,
                "section": place.section,
                "row": place.row,
                "number": place.number,
                "tier": tier,
                "amount": terms.tiers[tier],
            }
        )
    return {
        "id": str(hold["id"]),
        "seats": places,
        "expires_at": hold["expires_at"],
        "extendable": hold["extendable"],
        "total": sum(seat["amount"] for seat in places),
        "currency": terms.currency,
    }


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _event_terms(event_id: UUID) -> _Terms:
    kept = _terms.get(event_id)
    if kept is not None and kept.age < TERMS_SECONDS:
        terms = kept.value
    else:
        try:
            terms = _flights.run(event_id, lambda: _load_terms(event_id), deadline_seconds=1)
        except (Busy, TimeoutError) as error:
            if kept is None:
                raise Busy from error
            terms = kept.value  # Old terms are better than none while the database is away: the sale checks its own.
    if terms is None or terms.event.status == Event.Status.DRAFT:
        raise EventUnknown
    return terms


def _load_terms(event_id: UUID) -> _Terms | None:
    """Confirm what this process knows by the event's version, one statement, or read it anew."""
    kept = _terms.get(event_id)
    terms = kept.value if kept else None
    with database_errors_as_busy():
        versions = Event.objects.filter(id=event_id).values_list("version", flat=True)
        if terms is None or versions.first() != terms.event.version:
            terms = _read_terms(event_id)
    _terms.put(event_id, terms)
    return terms


def _read_terms(event_id: UUID) -> _Terms | None:
    """Read what hangs on the event after its version: what changes meanwhile is found at the next look."""
    events = Event.objects.select_related("organizer", "plan").defer("plan__body", "plan__guids", "search")
    event = events.filter(id=event_id).first()
    if event is None:
        return None
    return _Terms(
        event=event,
        windows=tuple(SaleWindow.objects.filter(event=event)),
        tiers=dict(PriceTier.objects.filter(event=event).values_list("number", "amount")),
        plan_hash=event.plan.content_hash,
        currency=event.organizer.currency,
    )


def _is_sold_out(event_id: UUID) -> bool:
    try:
        return availability.snapshot(event_id).is_sold_out
    except (EventUnknown, Busy):
        return False  # Nothing is known of the stock: the sale itself will say.


def _own_state(event_id: UUID, fan: str) -> dict[str, Any]:
    try:
        stored = redis.guarded(lambda client: client.get(_key(event_id, fan)))
        if stored is not None:
            own = dict(orjson.loads(stored))
            # A state that a restarted Redis brings back from its snapshot may lack what the fan has done since.
            if own.pop("run", None) == redis.run_of():
                _from_copy.inc()
                return own
        token = redis.guarded(lambda client: _lease(client, event_id, fan).acquire(for_ms=LEASE_MS))
    except (redis.Unavailable, orjson.JSONDecodeError):
        token = None
    read = _read(event_id, fan)
    if read is None:
        raise EventUnknown
    _from_database.inc()
    if token is not None:
        _store(event_id, fan, token, read)
    return read


def _store(event_id: UUID, fan: str, token: str, own: dict[str, Any]) -> None:
    body = orjson.dumps({**own, "run": redis.run_of()})
    try:
        redis.guarded(lambda client: _lease(client, event_id, fan).store(token, body, ttl_ms=KEPT_MS))
    except redis.Unavailable:
        log.debug("The state of %s stays in Postgres alone.", fan)


# The version is the clock of record at the reading, so it rises from reading to reading and survives the loss of Redis.
_OWN = """
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
           (SELECT count(*) FROM inventory_order o JOIN inventory_orderline l ON l.order_id = o.id AND l.active
             WHERE o.event_id = e.id AND o.fan = %(fan)s),
           h.id, floor(extract(epoch FROM h.expires_at) * 1000)::bigint, h.state = 'live' AND NOT h.extended,
           (SELECT json_agg(json_build_array(s.index, s.tier) ORDER BY s.index) FROM inventory_seat s
             WHERE s.event_id = e.id AND s.index = ANY (h.seats) AND s.hold = h.id)
      FROM events_event e
      LEFT JOIN inventory_hold h ON h.event_id = e.id AND h.fan = %(fan)s AND h.state IN ('live', 'paying')
                                AND h.expires_at > clock_timestamp()
     WHERE e.id = %(event)s"""


def _read(event_id: UUID, fan: str) -> dict[str, Any] | None:
    with database_errors_as_busy(), connection.cursor() as cursor:
        cursor.execute(_OWN, {"fan": fan, "event": event_id})
        row = cursor.fetchone()
    if row is None:
        return None
    version, owned, hold_id, expires_at, extendable, seats = row
    hold = None
    if seats:
        facts = {"id": hold_id, "expires_at": expires_at, "extendable": extendable}
        hold = hold_json(event_id, facts, [(index, tier) for index, tier in seats])
    return {"version": version, "hold": hold, "owned": owned}


def _key(event_id: UUID, fan: str) -> str:
    return redis.key("fan", f"{{{fan}}}", event_id)


def _lease_key(event_id: UUID, fan: str) -> str:
    return redis.key("fan-lease", f"{{{fan}}}", event_id)


def _lease(client: Any, event_id: UUID, fan: str) -> Lease:
    return Lease(client, _key(event_id, fan), lease=_lease_key(event_id, fan))
