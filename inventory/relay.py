"""The relay: the only writer of availability copies and of seat deltas. One leads, the others stand by.

Every tick takes the waiting SeatChange rows and moves the planes they touch in one transaction; only then are copies
written and deltas published. Killed between the two, it loses a message, never a change: the next leader writes the
plane as committed, and whoever listens sees that the version went on without him.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, connection, transaction
from prometheus_client import Counter, Gauge, Histogram

from config import redis
from config.knobs import knobs
from config.tiers import Lru
from inventory import availability, copies
from inventory import plane as planes

log = logging.getLogger(__name__)

LEADER_LOCK = 0x6F6E_7361_6C65  # "onsale": the session advisory lock that the leading relay holds.
BATCH = 20_000  # Changes taken by one transaction, so that one enormous write cannot starve every other event.
REFRESH_SECONDS = 1.0  # Twice within the copies' TTL, so that it fires only when the relay is dead.
REFRESHED_AT_ONCE = 50  # Events: a tick is not to wait for the copies of hundreds.
POLL_SECONDS = 0.1  # For writers that send no hint.
STANDBY_SECONDS = 0.5
PUBLISH_SECONDS = 0.5  # A layer that takes longer is skipped: listeners notice the gap and fetch.
RESET = -1  # The index of a change that means "read the whole plane of this event again".

CHANGES = Counter("onsale_relay_changes", "Seat changes taken from the queue.")
FRAMES = Counter("onsale_relay_frames", "Deltas and resync notices published.")
LAG = Histogram(
    "onsale_relay_lag_seconds",
    "From a seat's change in the database to its delta on the channel layer.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 30),
)
LEADS = Gauge("onsale_relay_leads", "1 in the relay that leads.", multiprocess_mode="max")


@dataclass(frozen=True)
class Movement:
    """What one tick did to one event: `changes` are new plane codes by index; None says that all may be new."""

    event_id: UUID
    from_version: int
    to_version: int
    body: bytes
    changes: dict[int, int] | None
    changed_at: float


@dataclass(frozen=True)
class _Held:
    """A plane as this relay last committed it."""

    version: int
    seat_count: int
    made_at_ms: int
    plane: bytes

    @property
    def body(self) -> bytes:
        return planes.encode_body(planes.Header(0, self.seat_count, self.version, self.made_at_ms), self.plane)


def group(event_id: UUID) -> str:
    """Return the channel-layer group of an event's deltas and notices."""
    return f"seats.{event_id}"


def hint(event_id: UUID) -> None:
    """Wake the relay: seats of this event have changed and are committed. Never raises; the poll finds them anyway."""
    with suppress(redis.Unavailable):
        redis.guarded(lambda client: client.publish(redis.key("hint"), str(event_id)), role="layer")


def announce(event_id: UUID, notice: Mapping[str, Any]) -> None:
    """Send a notice to everybody who watches the event, for example {"kind": "event", "version": 7}. Never raises."""
    async_to_sync(_tell)(event_id, {"type": "notice", "notice": dict(notice)})


async def publish_frame(event_id: UUID, frame: bytes, *, changed_at: float) -> bool:
    """Send a delta to the event's watchers, and say whether the channel layer took it in time.

    `changed_at` is when the oldest of its changes was made, in Unix time by the database's clock.
    """
    return await _tell(event_id, {"type": "frame", "frame": frame, "at": changed_at})


async def _tell(event_id: UUID, message: dict[str, Any]) -> bool:
    try:
        await asyncio.wait_for(get_channel_layer().group_send(group(event_id), message), PUBLISH_SECONDS)
    except Exception:  # Whatever the layer's store raises; listeners notice the gap, and poll as well.
        copies.FAILURES.labels("publish").inc()
        return False
    return True


class Planes:
    """The planes of the events that move, and the transaction that moves them. For one thread of the leading relay."""

    def __init__(self) -> None:
        self._held: Lru[UUID, _Held] = Lru(copies.HOT_LIMIT * 2)

    def lead(self) -> bool:
        """Try to become the leader; the lock lasts as long as this thread's database session."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEADER_LOCK])
            return bool(cursor.fetchone()[0])

    def resign(self) -> None:
        """End the database session, and with it the lock and everything remembered under it."""
        self._held.clear()
        connection.close()

    def take(self) -> list[Movement]:
        """Move the planes by the waiting changes, and return what has been committed; empty when nothing waits.

        The rows are deleted in the transaction that applies them: applied exactly once, whenever the relay dies. A
        row is written under its seat's lock, so the highest version of a seat seen here is its committed state.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM inventory_seatchange)")
            if not cursor.fetchone()[0]:
                return []
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            # One snapshot for all statements: a plane read from the seats holds exactly what the deleted rows said.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(
                "DELETE FROM inventory_seatchange"
                " WHERE id IN (SELECT id FROM inventory_seatchange ORDER BY id LIMIT %s)"
                " RETURNING event_id, index, state, version, extract(epoch FROM at)::float8",
                [BATCH],
            )
            taken: dict[UUID, list[tuple[int, int, int]]] = defaultdict(list)
            since: dict[UUID, float] = {}
            for event_id, index, state, version, at in cursor.fetchall():
                taken[event_id].append((index, state, version))
                since[event_id] = min(since.get(event_id, at), at)
            moved = {}
            for event_id, rows in taken.items():
                moved[event_id] = self._move(cursor, event_id, rows, since[event_id])
        movements = [movement for movement, _ in moved.values() if movement]
        for event_id, (_, held) in moved.items():
            if held:
                self._held.put(event_id, held)
            else:
                self._held.drop(event_id)
        CHANGES.inc(sum(map(len, taken.values())))
        return movements

    def body(self, event_id: UUID) -> bytes | None:
        """Return the R3 body of an event's committed plane, made now if it never had one; None without seats."""
        kept = self._held.get(event_id)
        if kept:
            return kept.value.body
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            held = self._load(cursor, event_id) or self._read_seats(cursor, event_id, after=0)
        if held:
            self._held.put(event_id, held)
        return held.body if held else None

    def _move(
        self, cursor: Any, event_id: UUID, rows: list[tuple[int, int, int]], since: float
    ) -> tuple[Movement | None, _Held | None]:
        kept = self._held.get(event_id)
        held = kept.value if kept else self._load(cursor, event_id)
        changes = planes.latest(rows)
        if held is None or RESET in changes or max(changes) >= held.seat_count:
            before = held.version if held else 0
            held = self._read_seats(cursor, event_id, after=before)
            return (Movement(event_id, before, held.version, held.body, None, since), held) if held else (None, None)
        changes = planes.differences(held.plane, changes)
        if not changes:  # Held and released within one tick: nobody needs to hear of it.
            return None, held
        plane = planes.with_changes(held.plane, changes)
        cursor.execute(
            "UPDATE inventory_seatplane SET plane = %s, version = version + 1, updated_at = clock_timestamp()"
            " WHERE event_id = %s RETURNING version, (extract(epoch FROM updated_at) * 1000)::bigint",
            [plane, event_id],
        )
        row = cursor.fetchone()
        if row is None:  # The event was deleted together with its plane.
            return None, None
        moved = _Held(row[0], held.seat_count, row[1], plane)
        return Movement(event_id, held.version, moved.version, moved.body, changes, since), moved

    def _load(self, cursor: Any, event_id: UUID) -> _Held | None:
        cursor.execute(
            "SELECT version, seat_count, (extract(epoch FROM updated_at) * 1000)::bigint, plane"
            " FROM inventory_seatplane WHERE event_id = %s",
            [event_id],
        )
        row = cursor.fetchone()
        return _Held(row[0], row[1], row[2], bytes(row[3])) if row else None

    def _read_seats(self, cursor: Any, event_id: UUID, *, after: int) -> _Held | None:
        """Read the plane anew from every seat, and drop the waiting changes that are in it.

        A first version is the database's clock in milliseconds: far above whatever an earlier plane of the same event
        can have reached at ten versions a second, should that plane's row have been lost or restored.
        """
        cursor.execute(availability.STATES, [event_id])
        digits, now_ms = cursor.fetchone()
        cursor.execute("DELETE FROM inventory_seatchange WHERE event_id = %s", [event_id])
        if digits is None:
            cursor.execute("DELETE FROM inventory_seatplane WHERE event_id = %s", [event_id])
            return None
        held = _Held(max(now_ms, after + 1), len(digits), now_ms, planes.pack_states(digits))
        cursor.execute(
            "INSERT INTO inventory_seatplane (event_id, version, seat_count, plane, updated_at)"
            " VALUES (%s, %s, %s, %s, to_timestamp(%s / 1000.0)) ON CONFLICT (event_id) DO UPDATE SET"
            " version = excluded.version, seat_count = excluded.seat_count, plane = excluded.plane,"
            " updated_at = excluded.updated_at",
            [event_id, held.version, held.seat_count, held.plane, now_ms],
        )
        return held


class Relay:
    """The process: waits for a hint or the next tick, moves the planes, writes the copies, publishes the deltas.

    The database and the copies belong to one thread, because the leader's lock lives in that thread's session; the
    event loop keeps the channel layer's connections.
    """

    def __init__(self) -> None:
        self._planes = Planes()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay")
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()
        self._written: dict[UUID, float] = {}  # When the copies of each hot event were written last.
        self._hot_until = 0.0

    def stop(self) -> None:
        """Let `run` finish its tick and return."""
        self._stopped.set()
        self._woken.set()

    async def run(self) -> None:
        """Lead whenever nobody else does, until stopped. Errors of the database end the leadership, not the process."""
        listener = asyncio.create_task(self._listen())
        try:
            while not self._stopped.is_set():
                try:
                    if await self._in_thread(self._planes.lead):
                        log.info("This relay leads.")
                        await self._lead()
                except (DatabaseError, InterfaceError) as error:
                    log.warning("The database is out of reach: %s", str(error).strip())
                    LEADS.set(0)
                    await self._in_thread(self._planes.resign)
                await self._sleep(STANDBY_SECONDS)
        finally:
            LEADS.set(0)
            await self._in_thread(self._planes.resign)
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            self._thread.shutdown()

    async def _lead(self) -> None:
        LEADS.set(1)
        while not self._stopped.is_set():
            started = time.monotonic()
            movements = await self._in_thread(self._tick)
            await self._publish(movements)
            await self._in_thread(self._refresh)
            # At most one frame a tick and event, however many hints: coalescing is what makes a crowd affordable.
            spent = time.monotonic() - started
            await asyncio.sleep(max(0.0, knobs.relay_tick_ms / 1000 - spent) if movements else 0)
            await self._sleep(POLL_SECONDS)

    def _tick(self) -> list[Movement]:
        movements = self._planes.take()
        copies.write({movement.event_id: movement.body for movement in movements}, hot=self._written)
        written_at = time.monotonic()
        self._written.update({one.event_id: written_at for one in movements if one.event_id in self._written})
        return movements

    def _refresh(self) -> None:
        """Keep the copies of what is being looked at, so that their TTL runs out only without a relay."""
        now = time.monotonic()
        if now >= self._hot_until:
            self._hot_until = now + REFRESH_SECONDS
            self._written = {event_id: self._written.get(event_id, 0.0) for event_id in copies.hot_events()}
        due = [event_id for event_id, at in self._written.items() if at <= now - REFRESH_SECONDS][:REFRESHED_AT_ONCE]
        bodies = {event_id: self._planes.body(event_id) for event_id in due}
        copies.keep({event_id: body for event_id, body in bodies.items() if body})
        self._written.update(dict.fromkeys(due, now))

    async def _publish(self, movements: list[Movement]) -> None:
        """Tell of all events at once, so that a layer that hangs costs its deadline once and not per event."""
        await asyncio.gather(*map(self._publish_one, movements))

    async def _publish_one(self, movement: Movement) -> None:
        if movement.changes is None:
            resync = {"type": "notice", "notice": {"kind": "resync"}, "version": movement.to_version}
            is_taken = await _tell(movement.event_id, resync)
        else:
            frame = planes.encode_delta(movement.from_version, movement.to_version, movement.changes)
            is_taken = await publish_frame(movement.event_id, frame, changed_at=movement.changed_at)
        if is_taken:
            FRAMES.inc()
            LAG.observe(max(0.0, time.time() - movement.changed_at))

    async def _listen(self) -> None:
        """Turn hints into wake-ups; without Redis there are none, and the poll goes on."""
        while True:
            client = redis.async_client("layer")
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.subscribe(redis.key("hint"))
                    while True:
                        if await pubsub.get_message(ignore_subscribe_messages=True, timeout=5):
                            self._woken.set()
            except Exception:  # A lost subscription of whatever kind is made anew.
                await asyncio.sleep(1)
            finally:
                with suppress(Exception):
                    await client.aclose()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        if not self._stopped.is_set():
            self._woken.clear()

    async def _in_thread(self, call: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *args))
