"""The rooms: each event's watchers in this process, and what they are told.

A room listens once to the channel layer, encodes each frame once and writes it straight to its watchers. A layer that
delivered to every socket would cost a hundred times as much per frame and watcher (measured: 500 us against 5).
"""

import asyncio
import logging
import random
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import orjson
from channels.layers import get_channel_layer
from prometheus_client import Counter, Histogram

from config import metrics
from config.frames import Frames, encoded
from inventory import plane as planes
from inventory import relay
from inventory.availability import Busy, EventUnknown, Snapshot, snapshot_async

log = logging.getLogger(__name__)

Message = dict[str, Any]

BACKLOG_FRAMES: Final = 100  # Five seconds of frames for who joins with a snapshot that old.
BACKLOG_CHANGES: Final = 5_000  # 25 KB: beyond it, fetching the plane is cheaper.
YIELD_EVERY: Final = 100  # Watchers written to before slots and pings get their turn: half a millisecond.
WATCH_SECONDS: Final = 1.0
AWAY_CHECKS: Final = 3  # Rounds without the relay's copies after which watchers are told to poll.
JOIN_SECONDS: Final = 1.0  # A frozen Redis delays a join by this much, and does not refuse it.
POLL_MS: Final = 2000

SENT = Counter("onsale_socket_messages", "Messages written to sockets.")
RESYNCS = Counter("onsale_socket_resyncs", "Sockets and events told to fetch anew, by reason.", ["reason"])
LATENCY = Histogram(
    "onsale_commit_to_socket_seconds",
    "From a seat's change in the database to its frame having been written to the last socket of this process.",
    buckets=metrics.LATENCIES,
)


def notice(kind: str, **more: Any) -> bytes:
    """Return a notice as a frame, for example {"kind": "resync"}."""
    return encoded(orjson.dumps({"kind": kind, **more}).decode())


RESYNC: Final = notice("resync")
DEGRADED: Final = notice("degraded", poll_ms=POLL_MS)


class Watcher:
    """One socket, written to at once or not at all: who cannot take a frame is told to fetch when he can again."""

    __slots__ = ("_socket", "is_behind")

    def __init__(self, socket: Frames) -> None:
        self._socket = socket
        self.is_behind = False

    def offer(self, frame: bytes) -> None:
        """Write a frame, unless he is behind: nothing is kept for him but what the server had in its buffer."""
        if not self.is_behind and not self._socket.write(frame):
            self.is_behind = True
            self._socket.on_room = self._catch_up
            RESYNCS.labels("slow socket").inc()

    def _catch_up(self) -> None:
        self.is_behind = False
        self._socket.on_room = None
        self._socket.write(RESYNC)


class Room:
    """One event in this process: its watchers, the version they have been told of, and the last seconds of frames.

    What is heard waits until the round before it is told, and deltas that wait together are told as one: with more
    watchers than a frame can reach in a tick of the relay, frames become larger and not later.
    """

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        self.watchers: set[Watcher] = set()
        self.version = 0
        self._heard: deque[Message] = deque()
        self._news = asyncio.Event()
        self._backlog: deque[tuple[int, dict[int, int]]] = deque(maxlen=BACKLOG_FRAMES)
        self._greeting: tuple[int, bytes] = (-1, b"")
        self._is_degraded = False
        self._rebuilt_in_a_row = 0
        self._ahead = 0
        self._ready = asyncio.Event()
        self._tasks = [asyncio.create_task(work()) for work in (self._listen, self._speak, self._watch)]

    async def greet(self, watcher: Watcher) -> None:
        """Bring a new watcher to the present version with one frame."""
        if not self._ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), JOIN_SECONDS)
        watcher.offer(self._greet())
        if self._is_degraded:
            watcher.offer(DEGRADED)

    def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()

    def hear(self, message: Message) -> None:
        """Take a message, the relay's or our own, to be told in the next round."""
        self._heard.append(message)
        self._news.set()

    async def tell(self) -> None:
        """Tell the watchers all that has been heard, in its order."""
        self._news.clear()
        while self._heard:
            message = self._heard.popleft()
            if message["type"] == "frame":
                await self._tell_changes(message["frame"], message["at"])
            elif message["type"] == "notice":
                if "version" in message:
                    self._restart_at(message["version"])
                await self._broadcast(encoded(orjson.dumps(message["notice"]).decode()))
            elif message["version"] > self.version:
                RESYNCS.labels("frame lost").inc()
                self._restart_at(message["version"])
                # From = to = now: whoever has less fetches, whoever has it ignores this.
                await self._broadcast(self._greet())

    def check(self, snapshot: Snapshot) -> None:
        """Compare what the watchers have been told with the present copy, and mend what pub/sub has lost.

        A copy is written before its frame is sent, so being behind is a loss only if it lasts a whole round.
        """
        self._rebuilt_in_a_row = self._rebuilt_in_a_row + 1 if snapshot.is_rebuilt else 0
        # An event that nobody has looked at has no copies for a moment; only their lasting absence tells of the relay.
        is_degraded = self._rebuilt_in_a_row >= AWAY_CHECKS
        if is_degraded != self._is_degraded:
            self._is_degraded = is_degraded
            RESYNCS.labels("relay away" if is_degraded else "relay back").inc()
            told = {"kind": "degraded", "poll_ms": POLL_MS} if is_degraded else {"kind": "resync"}
            self.hear({"type": "notice", "notice": told})
        if self.version < self._ahead <= snapshot.version:
            self.hear({"type": "lost", "version": snapshot.version})
        self._ahead = snapshot.version

    def _restart_at(self, version: int) -> None:
        self.version = version
        self._backlog.clear()

    async def _tell_changes(self, frame: bytes, changed_at: float) -> None:
        while self._heard and (longer := _joined(frame, self._heard[0])):
            frame = longer
            self._heard.popleft()
        from_version, to_version, changes = planes.decode_delta(frame)
        if to_version <= self.version:
            return
        if from_version != self.version:
            self._restart_at(from_version)
        self._backlog.append((from_version, changes))
        self.version = to_version
        await self._broadcast(encoded(frame))
        LATENCY.observe(max(0.0, time.time() - changed_at))

    def _greet(self) -> bytes:
        """Return one frame of everything since the oldest delta kept, made once per version."""
        if self._greeting[0] != self.version:
            while sum(len(changes) for _, changes in self._backlog) > BACKLOG_CHANGES:
                self._backlog.popleft()
            since = self._backlog[0][0] if self._backlog else self.version
            merged: dict[int, int] = {}
            for _, changes in self._backlog:
                merged.update(changes)
            self._greeting = self.version, encoded(planes.encode_delta(since, self.version, merged))
        return self._greeting[1]

    async def _broadcast(self, frame: bytes) -> None:
        watchers = tuple(self.watchers)
        for first in range(0, len(watchers), YIELD_EVERY):
            for watcher in watchers[first : first + YIELD_EVERY]:
                watcher.offer(frame)
            await asyncio.sleep(0)
        SENT.inc(len(watchers))

    async def _speak(self) -> None:
        while True:
            await self._news.wait()
            try:
                await self.tell()
            except Exception:
                # One message that nobody understands must not silence the room; the check finds what it lacked.
                log.exception("A message about %s could not be told.", self.event_id)

    async def _listen(self) -> None:
        """Receive from the channel layer; a layer that is away is asked again every second."""
        layer = get_channel_layer()
        group = relay.group(self.event_id)
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(group, channel)
                try:
                    # After the subscription, so that no frame falls between the two.
                    with suppress(Busy, EventUnknown):
                        self.version = max(self.version, (await snapshot_async(self.event_id)).version)
                    self._ready.set()
                    while True:
                        self.hear(await layer.receive(channel))
                finally:
                    await layer.group_discard(group, channel)
            except Exception as error:
                log.warning("The channel layer is away: %s", error)
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311 spreads the checks, hides nothing
            try:
                self.check(await snapshot_async(self.event_id))
            except (Busy, EventUnknown):
                continue
            except Exception:
                # Whatever went wrong, the next check must come: it is what finds lost frames.
                log.exception("The check of %s failed.", self.event_id)


def _joined(frame: bytes, following: Message) -> bytes | None:
    """Return one delta for `frame` and the message after it; None if that is not a delta that continues it."""
    return planes.join_deltas(frame, following["frame"]) if following["type"] == "frame" else None
