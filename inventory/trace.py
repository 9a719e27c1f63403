"""Where one seat is seen, and how: from the database to the edge."""

import urllib.error
import urllib.request
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from config import redis
from inventory import availability
from inventory import plane as planes
from inventory.models import Seat, SeatChange, SeatPlane

CODE_NAMES = ("free", "held", "sold", "blocked")
EDGE_SECONDS = 5


@dataclass(frozen=True)
class Station:
    """What one place on a seat's way to the browser says: a plane code, or None with the reason in `note`."""

    name: str
    code: int | None
    version: int | None = None
    note: str = ""


def trace(event_id: UUID, index: int) -> list[Station]:
    """Return what every place says of a seat, the database first; `Seat.DoesNotExist` if there is no such seat."""
    seat = Seat.objects.get(event_id=event_id, index=index)
    hold = f", hold {seat.hold} until {seat.held_until:%H:%M:%S} UTC" if seat.hold and seat.held_until else ""
    note = f"{seat.get_state_display().lower()}, seat version {seat.version}{hold}"
    stations = [Station("database", planes.CODES[seat.state], note=note)]
    stations += [
        Station("change queue", planes.CODES[change.state] if change.index >= 0 else None, note="waits for the relay")
        for change in SeatChange.objects.filter(event_id=event_id, index__in=[index, -1]).order_by("id")
    ]
    kept = SeatPlane.objects.filter(event_id=event_id).first()
    if kept is None:
        stations.append(Station("relay's row", None, note="none: no relay has seen this event"))
    else:
        stations.append(Station("relay's row", planes.code_at(bytes(kept.plane), index), kept.version))
    stations += _copies(event_id, index)
    found = availability.snapshot(event_id)
    stations.append(_of_body("this process", found.body, index, "rebuilt" if found.is_rebuilt else ""))
    stations.append(_edge(event_id, index))
    return stations


def is_stale(stations: list[Station]) -> bool:
    """Whether some place says something else than the database."""
    return any(station.code not in (None, stations[0].code) for station in stations)


def _copies(event_id: UUID, index: int) -> list[Station]:
    keys = [availability.copy_key(event_id, copy) for copy in range(settings.SEATS_COPIES)]
    try:
        bodies = redis.guarded(lambda client: client.mget(keys))
    except redis.Unavailable as error:
        return [Station("redis copies", None, note=str(error))]
    return [
        _of_body(f"redis copy {copy}", body, index) if body else Station(f"redis copy {copy}", None, note="not kept")
        for copy, body in enumerate(bodies)
    ]


def _edge(event_id: UUID, index: int) -> Station:
    url = f"{settings.SITE_URL}/live/events/{event_id}/seats"
    try:
        with urllib.request.urlopen(url, timeout=EDGE_SECONDS) as answer:  # noqa: S310 SITE_URL is http or https.
            return _of_body("edge", answer.read(), index, url)
    except (urllib.error.URLError, OSError) as error:
        return Station("edge", None, note=f"{url}: {error}")


def _of_body(name: str, body: bytes, index: int, note: str = "") -> Station:
    try:
        header, plane = planes.decode_body(body)
    except ValueError as error:
        return Station(name, None, note=str(error))
    return Station(name, planes.code_at(plane, index), header.version, note)
