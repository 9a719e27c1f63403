"""Where one seat is seen, and how: from the database to the edge, and at which place it stopped being true."""

import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db import connection

from config import redis
from config.knobs import knobs
from config.tiers import xfetch
from inventory import availability
from inventory import plane as planes
from inventory.models import Seat, SeatChange, SeatPlane
from inventory.relay import LEADER_LOCK

CODE_NAMES = ("free", "held", "sold", "blocked")
EDGE_SECONDS = 5

DATABASE, QUEUE, RELAY, ROW, COPY, REBUILT, PROCESS, EDGE = (
    "database", "change queue", "relay", "relay's row", "redis copy", "rebuilt copy", "this process", "edge"
)  # fmt: skip

# What it means when a place, the first of all, says something else than the database.
_MEANING = {
    QUEUE: "The change waits for the relay.",
    ROW: "The relay has not applied the change, though none waits: a change of index -1 has it read all seats.",
    COPY: "The relay's row is right, but Redis did not take its copies; they run out in seconds.",
    REBUILT: "Only the copy that a reader rebuilt is old: it runs out in seconds.",
    PROCESS: "Redis is right: this process shows what it had a second ago.",
    EDGE: "All is right up to the live processes: the edge, or a process behind it, shows what it had.",
}


@dataclass(frozen=True)
class Station:
    """What one place on a seat's way to the browser says: a plane code, or None with the reason in `note`."""

    name: str
    code: int | None
    version: int | None = None
    note: str = ""
    made_at_ms: int | None = None


def trace(event_id: UUID, index: int) -> list[Station]:
    """Return what every place says of a seat, the database first; `Seat.DoesNotExist` if there is no such seat."""
    seat = Seat.objects.get(event_id=event_id, index=index)
    stations = [_of_seat(seat), *_queue(event_id, index), _leader(), _row(event_id, index)]
    stations += _copies(event_id, index)
    found = availability.snapshot(event_id)
    stations.append(_of_body(PROCESS, found.body, index))
    stations.append(_edge(event_id, index))
    return [_aged(station, stations) for station in stations]


def is_stale(stations: list[Station]) -> bool:
    """Whether some place says something else than the database."""
    return any(differs(station, stations) for station in stations)


def differs(station: Station, stations: list[Station]) -> bool:
    """Whether this place says something else than the database; a change that waits is on its way, and does not."""
    return station.name != QUEUE and station.code not in (None, stations[0].code)


def diagnosis(stations: list[Station]) -> str:
    """Return where the truth got stuck, and what that means; empty when it is everywhere."""
    stuck = next((station for station in stations if differs(station, stations)), None)
    if stuck is None:
        return ""
    waits = any(station.name == QUEUE for station in stations)
    place = QUEUE if stuck.name == ROW and waits else COPY if stuck.name.startswith(COPY) else stuck.name
    leads = next(station.note for station in stations if station.name == RELAY)
    return f"{_MEANING[place]} Relay: {leads}." if place in (QUEUE, ROW, COPY) else _MEANING[place]


def _of_seat(seat: Seat) -> Station:
    hold = f", hold {seat.hold} until {seat.held_until:%H:%M:%S} UTC" if seat.hold and seat.held_until else ""
    note = f"{seat.get_state_display().lower()}, seat version {seat.version}{hold}"
    return Station(DATABASE, planes.CODES[seat.state], note=note)


def _queue(event_id: UUID, index: int) -> list[Station]:
    return [
        Station(
            QUEUE,
            planes.CODES[change.state] if change.index >= 0 else None,
            note="waits for the relay" if change.index >= 0 else "the whole plane waits to be read again",
        )
        for change in SeatChange.objects.filter(event_id=event_id, index__in=[index, -1]).order_by("id")
    ]


def _leader() -> Station:
    """Say which database session holds the relay's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.application_name, a.client_addr, a.backend_start"
            " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (l.classid::bigint << 32 | l.objid::bigint) = %s",
            [LEADER_LOCK],
        )
        row = cursor.fetchone()
    if row is None:
        return Station(RELAY, None, note="nobody leads")
    name, address, since = row
    return Station(RELAY, None, note=f"{name} on {address or 'this machine'} leads since {since:%H:%M:%S} UTC")


def _row(event_id: UUID, index: int) -> Station:
    kept = SeatPlane.objects.filter(event_id=event_id).first()
    if kept is None:
        return Station(ROW, None, note="none: no relay has seen this event")
    made_at_ms = int(kept.updated_at.timestamp() * 1000)
    return Station(ROW, planes.code_at(bytes(kept.plane), index), kept.version, made_at_ms=made_at_ms)


def _copies(event_id: UUID, index: int) -> list[Station]:
    names = [f"{COPY} {copy}" for copy in range(knobs.seats_copies)]
    keys = [availability.copy_key(event_id, copy) for copy in range(knobs.seats_copies)]
    rebuilt_key = redis.key("rebuilt", f"{{{event_id}}}")
    try:
        *bodies, rebuilt = redis.guarded(lambda client: client.mget([*keys, rebuilt_key]))
    except redis.Unavailable as error:
        return [Station("redis copies", None, note=str(error))]
    kept = [_of_body(name, body, index) for name, body in zip(names, bodies, strict=True) if body]
    missing = len(names) - len(kept)
    if missing:
        kept.append(Station(f"{missing} other copies", None, note="not kept: nobody looks at this event"))
    if rebuilt:
        kept.append(_of_envelope(rebuilt, index))
    return kept


def _of_envelope(stored: bytes, index: int) -> Station:
    try:
        return _of_body(REBUILT, xfetch.unpack(stored)[1], index)
    except ValueError as error:
        return Station(REBUILT, None, note=str(error))


def _edge(event_id: UUID, index: int) -> Station:
    url = f"{settings.SITE_URL}/live/events/{event_id}/seats"
    try:
        with urllib.request.urlopen(url, timeout=EDGE_SECONDS) as answer:  # noqa: S310 SITE_URL is http or https.
            age = f", said to be {answer.headers['Age']} s old" if answer.headers["Age"] else ""
            return _of_body(EDGE, answer.read(), index, f"{url}{age}")
    except (urllib.error.URLError, OSError) as error:
        return Station(EDGE, None, note=f"{url}: {error}")


def _of_body(name: str, body: bytes, index: int, note: str = "") -> Station:
    try:
        header, plane = planes.decode_body(body)
    except ValueError as error:
        return Station(name, None, note=str(error))
    how = "rebuilt" if header.flags & planes.REBUILT else ""
    words = ", ".join(word for word in (how, note) if word)
    return Station(name, planes.code_at(plane, index), header.version, words, header.made_at_ms)


def _aged(station: Station, stations: list[Station]) -> Station:
    """Say of a place by how much it is behind the relay's row, if it is."""
    row = next(one for one in stations if one.name == ROW)
    if not station.version or not row.version or not station.made_at_ms or not row.made_at_ms:
        return station
    if station.version >= row.version:
        return station
    behind = f"{row.version - station.version} versions and {(row.made_at_ms - station.made_at_ms) / 1000:.1f} s behind"
    return replace(station, note=", ".join(word for word in (behind, station.note) if word))
