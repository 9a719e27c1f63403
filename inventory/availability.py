"""Which seats are free, for everybody: the read path of R3, from the process's own copy down to one rebuild.

LRU (fresh for a second) -> this process's Redis copy, written by the relay -> a copy rebuilt by another reader, or one
from the gutter while Redis is away -> one rebuild from Postgres, made by one process for all and at a bounded rate. A
rebuild never writes the relay's keys, so that it cannot put an older picture over a newer one; it reads the relay's own
row and the changes still waiting, in one statement, so that it is never behind what any copy has shown. When nothing
answers, the last picture is served with its age.
"""

import asyncio
import gzip
import logging
import threading
import time
from collections.abc import Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from uuid import UUID

import brotli
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from prometheus_client import Histogram

from config import metrics, redis
from config.knobs import knobs
from config.tiers import AsyncSingleFlight, Busy, Lru, Rate, Shared, SingleFlight, own_copy
from inventory import plane as planes

log = logging.getLogger(__name__)

DEADLINE_SECONDS: Final = 1.0  # A follower that has waited this long is answered with a stale picture or a 503.
STALE_GRACE: Final = 2.0  # Ages up to twice the LRU's second are inside the budget while a refresh is in the air.
RENEW_SECONDS: Final = 0.05  # Pictures that end within this time are asked about together.
UNKNOWN_SECONDS: Final = 5.0  # An id that no event has is not looked up again for this long.
LEASE_MS: Final = 500  # A rebuild from the Seat rows of a stadium takes 100 ms; a dead one is followed after this.
REBUILT_SECONDS: Final = 1.0  # While the relay is dead, each event costs the database one read a second.
REBUILT_GRACE: Final = 2.0  # While the next one is made, or cannot be, the last is shown for so much longer.
HOT_SECONDS: Final = 30  # An event asked for within this time is kept written by the relay.

REBUILD_SECONDS = Histogram("onsale_seats_rebuild_seconds", "Time of a rebuild from Postgres.")
_from_lru, _from_copy, _from_stale = (metrics.TIER_READS.labels("seats", tier) for tier in ("lru", "copy", "stale"))


class EventUnknown(Exception):
    """No event with this id has seats."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One event's availability at one version; `body` is the R3 body, `plane` 2 bits a seat in index order.

    The same version is kept as the same object, so each encoding is made once per version and process.
    """

    body: bytes
    header: planes.Header
    answers: dict[bytes, Any] = field(default_factory=dict, repr=False)  # What a server makes of it, by encoding.

    @classmethod
    def of(cls, body: bytes) -> "Snapshot":
        """Return the snapshot that `body` carries; ValueError if it carries none."""
        return cls(body, planes.decode_body(body)[0])

    @property
    def version(self) -> int:
        """The relay's version of the plane; a rebuilt plane may be newer than its version tells."""
        return self.header.version

    @property
    def is_rebuilt(self) -> bool:
        """Whether a reader put it together because the relay's copies were gone."""
        return bool(self.header.flags & planes.REBUILT)

    @property
    def etag(self) -> str:
        """The version; of a rebuilt plane also when it was made, because the version does not rise without a relay."""
        return f'"{self.version}-{self.header.made_at_ms}"' if self.is_rebuilt else f'"{self.version}"'

    @cached_property
    def plane(self) -> bytes:
        """The plane alone, without the header."""
        return planes.decode_body(self.body)[1]

    @cached_property
    def gzipped(self) -> bytes:
        """The body, compressed by gzip."""
        return gzip.compress(self.body, 6, mtime=0)

    @cached_property
    def brotlied(self) -> bytes:
        """The body, compressed by brotli."""
        return bytes(brotli.compress(self.body, quality=5))

    def compress(self) -> None:
        """Make the encodings now, unless they are made: 1 to 2 ms for a stadium."""
        _ = self.gzipped, self.brotlied

    @cached_property
    def is_sold_out(self) -> bool:
        """Whether no seat is free and none is held, that is, none can come back by itself."""
        seats = self.header.seat_count
        return not any(planes.count(self.plane, seats, code) for code in (planes.FREE, planes.HELD))


_Known = Snapshot | None  # None: no such event.

_seen: Lru[UUID, _Known] = Lru(2000)  # 2,000 stadiums of 15 KB: 30 MB at most.
_flights: SingleFlight[UUID, _Known] = SingleFlight()
_async_flights: AsyncSingleFlight[UUID, _Known] = AsyncSingleFlight()
# Postgres frozen must not take the threads that read Redis, so at most two of the four wait for it; and never more
# than 50 questions a second from this process, whoever invents event ids.
_readers = ThreadPoolExecutor(4, thread_name_prefix="seats")
_database = threading.BoundedSemaphore(2)
_rebuilds = Shared(
    "seats",
    stored="rebuilt",
    loaded="database",
    encode=lambda snapshot: snapshot.body,
    decode=Snapshot.of,
    seconds=REBUILT_SECONDS,
    grace_seconds=REBUILT_GRACE,
    lease_ms=LEASE_MS,
    rate=Rate(50, burst=50),
)


def snapshot(event_id: UUID) -> Snapshot:
    """Return the event's availability, at most about a second old while the relay or Postgres lives.

    For threads; raises EventUnknown, or Busy when there is no picture at all.
    """
    if (found := fresh(event_id)) is not None:
        return found
    try:
        return _known(_flights.run(event_id, lambda: _load(event_id), deadline_seconds=DEADLINE_SECONDS))
    except (Busy, TimeoutError):
        return _stale(event_id)


async def snapshot_async(event_id: UUID) -> Snapshot:
    """Return what `snapshot` returns, without blocking the event loop.

    A picture that is just past its second is answered at once while the next is on its way.
    """
    if (found := fresh(event_id)) is not None:
        return found
    waiting = _seen.get(event_id)
    if waiting is not None and waiting.value is not None and waiting.age < STALE_GRACE:
        _renewal.ask(event_id)
        _from_lru.inc()
        return waiting.value
    try:
        return _known(await asyncio.wait_for(asyncio.shield(_flight(event_id)), DEADLINE_SECONDS))
    except (Busy, TimeoutError):
        return _stale(event_id)


def fresh(event_id: UUID) -> Snapshot | None:
    """Return this process's own copy if it may still be shown unasked, else None; EventUnknown if it is known that."""
    found = _seen.fresh(event_id, knobs.seats_lru_ms * 0.001)
    if found is not None:
        _from_lru.inc()
        return found
    kept = _seen.get(event_id)
    if kept is not None and kept.value is None and kept.age < UNKNOWN_SECONDS:
        raise EventUnknown
    return None


def plane(event_id: UUID) -> bytes:
    """Return the plane of `snapshot`: for refusals that need no database and for candidates of best available."""
    return snapshot(event_id).plane


def age_seconds(event_id: UUID) -> float:
    """Return how long ago the event's availability, as this process has it, was confirmed; a rebuilt one, was made."""
    kept = _seen.get(event_id)
    if kept is None:
        return 0.0
    if kept.value is not None and kept.value.is_rebuilt:
        return max(kept.age, time.time() - kept.value.header.made_at_ms / 1000)
    return kept.age


def forget() -> None:
    """Empty this process's copies."""
    _seen.clear()


def copy_key(event_id: UUID, copy: int) -> str:
    """Return the key of one of the relay's copies of an event's R3 body."""
    return redis.key("seats", event_id, copy)


@contextmanager
def database_errors_as_busy() -> Iterator[None]:
    """Use this thread's database connection, mended first if it has died; its errors come out as Busy."""
    try:
        if not connection.in_atomic_block:
            close_old_connections()
        yield
    except (DatabaseError, InterfaceError) as error:
        raise Busy from error


def _known(found: _Known) -> Snapshot:
    if found is None:
        raise EventUnknown
    return found


def _stale(event_id: UUID) -> Snapshot:
    kept = _seen.get(event_id)
    if kept is None:
        raise Busy
    _from_stale.inc()
    return _known(kept.value)


def _flight(event_id: UUID) -> asyncio.Task[_Known]:
    loop = asyncio.get_running_loop()
    return _async_flights.start(event_id, lambda: loop.run_in_executor(_readers, _load_in_thread, event_id))


class _Renewal:
    """Pictures past their second, asked about together: for each that did not change Redis sends 24 bytes.

    Else a process that serves 500 events would hop to a thread, and fetch a plane, 500 times a second. For one event
    loop.
    """

    def __init__(self) -> None:
        self._due: set[UUID] = set()
        self._task: asyncio.Task[None] | None = None

    def ask(self, event_id: UUID) -> None:
        """Have this event's picture confirmed, or fetched anew, with the next ones."""
        self._due.add(event_id)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._due:
                await asyncio.sleep(RENEW_SECONDS)
                due, self._due = self._due, set()
                for event_id in await loop.run_in_executor(_readers, _confirm, due):
                    _flight(event_id)
        finally:
            self._task = None


_renewal = _Renewal()


def _confirm(event_ids: Set[UUID]) -> Set[UUID]:
    """Count those pictures as new that the relay's copies confirm; return the other events."""
    held = {event_id: kept.value for event_id in event_ids if (kept := _seen.get(event_id)) and kept.value}

    def ask(client: Any) -> list[bytes]:
        own = own_copy(knobs.seats_copies)
        pipe = client.pipeline(transaction=False)
        for event_id in held:
            pipe.getrange(copy_key(event_id, own), 0, planes.HEADER_BYTES - 1)
        _mark_hot(pipe, *held)
        return list(pipe.execute()[:-1])

    try:
        headers = redis.guarded(ask) if held else []
    except redis.Unavailable:
        return event_ids
    confirmed = {
        event_id
        for (event_id, found), header in zip(held.items(), headers, strict=True)
        if found.body.startswith(header) and header
    }
    for event_id in confirmed:
        _seen.put(event_id, held[event_id])
        _from_copy.inc()
    return event_ids - confirmed


def _load_in_thread(event_id: UUID) -> _Known:
    return _flights.run(event_id, lambda: _load(event_id, is_served=True), deadline_seconds=DEADLINE_SECONDS)


def _load(event_id: UUID, *, is_served: bool = False) -> _Known:
    """Fetch below the LRU and keep what was found there; what `is_served` is compressed here, not on the event loop."""
    kept = _seen.get(event_id)
    previous = kept.value if kept else None
    try:
        found = redis.guarded(lambda client: _from_copies(client, event_id, is_known=previous is not None))
    except redis.Unavailable:
        found = None
    if found is None:
        key = redis.key("rebuilt", f"{{{event_id}}}")
        found = _rebuilds.get(key, lambda: _from_postgres(event_id), deadline_seconds=DEADLINE_SECONDS)
    if found and previous is None:
        with suppress(redis.Unavailable):
            redis.guarded(lambda client: _mark_hot(client, event_id))
    if found and previous and previous.body == found.body:
        found = previous  # With the encodings made for it.
    if found and is_served:
        found.compress()
    _seen.put(event_id, found)
    return found


def _from_copies(client: Any, event_id: UUID, *, is_known: bool) -> Snapshot | None:
    """Return what the relay wrote: this process's copy, else copy 0, which is written whatever the number of copies."""
    own = own_copy(knobs.seats_copies)
    pipe = client.pipeline(transaction=False)
    pipe.get(copy_key(event_id, own))
    if is_known:  # Else whoever invents ids would fill the hot set with them.
        _mark_hot(pipe, event_id)
    body = pipe.execute()[0]
    if body is None and own:
        body = client.get(copy_key(event_id, 0))
    if body is None:
        return None
    try:
        found = Snapshot.of(body)
    except ValueError:
        log.warning("The copy of event %s is damaged.", event_id)
        return None
    _from_copy.inc()
    return found


def _mark_hot(client: Any, *event_ids: UUID) -> None:
    """Tell the relay that somebody is looking at these events."""
    client.zadd(redis.key("hot"), dict.fromkeys(map(str, event_ids), time.time()))


def _from_postgres(event_id: UUID) -> _Known:
    if not _database.acquire(timeout=0.2):
        raise Busy
    try:
        with REBUILD_SECONDS.time(), database_errors_as_busy():
            return read(event_id)
    finally:
        _database.release()


# One statement is one snapshot: the row and the changes still waiting fit each other whatever the relay commits now.
_PLANE = """
    SELECT p.version, p.seat_count, p.plane, (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
           (SELECT json_agg(json_build_array(c.index, c.state, c.version))
              FROM inventory_seatchange c WHERE c.event_id = p.event_id)
      FROM inventory_seatplane p WHERE p.event_id = %s"""

STATES = """
    SELECT string_agg(state::text, '' ORDER BY index), (extract(epoch FROM clock_timestamp()) * 1000)::bigint
      FROM inventory_seat WHERE event_id = %s"""


def read(event_id: UUID) -> Snapshot | None:
    """Return the committed availability from Postgres, marked as rebuilt; None if the event has no seats.

    Half a millisecond where the relay has left its row, 100 ms for a stadium it has never seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLANE, [event_id])
        row = cursor.fetchone()
        if row is not None:
            version, seat_count, plane, made_at, waiting = row
            changes = planes.latest(tuple(change) for change in waiting or ())
            if -1 not in changes:
                header = planes.Header(planes.REBUILT, seat_count, version, made_at)
                return Snapshot.of(planes.encode_body(header, planes.with_changes(bytes(plane), changes)))
        cursor.execute(STATES, [event_id])
        digits, made_at = cursor.fetchone()
    if digits is None:
        return None
    header = planes.Header(planes.REBUILT, len(digits), row[0] if row else 0, made_at)
    return Snapshot.of(planes.encode_body(header, planes.pack_states(digits)))
