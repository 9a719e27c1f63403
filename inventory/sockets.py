"""The sockets: one subscription per process and event, each frame encoded once and written straight to its watchers.

A channel layer that delivered to every socket would cost ten to fifteen times as much per frame (measured: 500 us
against 45). So the Hub listens once for each event, and a socket is a set member with a send function.
"""

import asyncio
import logging
import random
import types
from collections import Counter as Tally
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import orjson
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.urls import re_path
from prometheus_client import Counter, Gauge

from inventory import plane as planes
from inventory import relay
from inventory.availability import Busy, EventUnknown, Snapshot, snapshot_async

log = logging.getLogger(__name__)

Message = dict[str, Any]

WAITING_FRAMES: Final = 16  # Frames a slow socket may be behind; then it is told to fetch instead.
BACKLOG_FRAMES: Final = 50  # Five seconds of frames for who joins with a snapshot that old.
BACKLOG_CHANGES: Final = 5_000  # 25 KB: beyond it, fetching the plane is cheaper.
YIELD_EVERY: Final = 100  # Sockets written before slots and pings get their turn: 5 ms.
WATCH_SECONDS: Final = 1.0
AWAY_CHECKS: Final = 3  # Rounds without the relay's copies after which watchers are told to poll.
JOIN_SECONDS: Final = 1.0  # A frozen Redis delays a join by this much, and does not refuse it.
POLL_MS: Final = 2000
CHATTER: Final = 20  # A watcher has nothing to say; after this many messages it is shown out.

TRY_AGAIN_LATER, POLICY_VIOLATION = 1013, 1008

SOCKETS = Gauge("onsale_sockets", "Open sockets.", multiprocess_mode="livesum")
ROOMS = Gauge("onsale_socket_events", "Events being watched.", multiprocess_mode="livesum")
SENT = Counter("onsale_socket_messages", "Messages written to sockets.")
RESYNCS = Counter("onsale_socket_resyncs", "Sockets and events told to fetch anew, by reason.", ["reason"])
REFUSED = Counter("onsale_socket_refusals", "Sockets refused.", ["reason"])


class Watcher:
    """One socket, written to without waiting for it: what it does not take is kept to a bound, then forgotten."""

    __slots__ = ("_send", "_task", "_waiting", "is_behind")

    def __init__(self, send: Callable[[Message], Coroutine[Any, Any, None]]) -> None:
        self._send = send
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[Message] = deque()
        self.is_behind = False

    def offer(self, message: Message) -> None:
        """Send now what can be sent without waiting; keep what cannot; never block the others.

        The send is stepped by hand: as long as the socket's buffer has room it ends at its first step, and the price
        of a task per frame and socket is saved.
        """
        if self._task is not None:
            self._keep(message)
            return
        sending = self._send(message)
        try:
            pending = sending.send(None)
        except StopIteration:
            SENT.inc()
        except Exception:  # Closed already; the server tells the consumer so.
            log.debug("A frame came too late for its socket.")
        else:
            self._task = asyncio.get_running_loop().create_task(self._drain(_rest_of(sending, pending)))

    def close(self) -> None:
        """Stop writing."""
        if self._task is not None:
            self._task.cancel()

    def _keep(self, message: Message) -> None:
        if self.is_behind:
            return
        if len(self._waiting) < WAITING_FRAMES:
            self._waiting.append(message)
        else:
            self._waiting.clear()
            self.is_behind = True
            RESYNCS.labels("slow socket").inc()

    async def _drain(self, sending: Awaitable[None]) -> None:
        try:
            await sending
            while self._waiting or self.is_behind:
                if self.is_behind:
                    self.is_behind = False
                    await self._send(_notice({"kind": "resync"}))
                else:
                    await self._send(self._waiting.popleft())
        except Exception as error:
            # Servers raise each their own error when the other end has gone, and there is nobody left to tell: the
            # consumer hears of the disconnect by itself. Logged with its kind, so that a real fault is not hidden.
            log.debug("A slow socket closed: %r", error)
        finally:
            self._task = None


class Room:
    """One event in this process: its watchers, the version they have been told of, and the last seconds of frames."""

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        self.watchers: set[Watcher] = set()
        self.version = 0
        self._backlog: deque[tuple[int, dict[int, int]]] = deque(maxlen=BACKLOG_FRAMES)
        self._greeting: tuple[int, Message] | None = None
        self._is_degraded = False
        self._rebuilt_in_a_row = 0
        self._ahead = 0
        self._ready = asyncio.Event()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._watch())]

    async def join(self, watcher: Watcher) -> None:
        """Add a watcher, and bring him to the present version with one frame."""
        self.watchers.add(watcher)  # First, so that the room stays open while he waits at its door.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), JOIN_SECONDS)
        watcher.offer(self._greet())
        if self._is_degraded:
            watcher.offer(_degraded())

    def close(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()

    async def take(self, message: Message) -> None:
        """Pass on a message of the relay: a delta frame or a notice."""
        if message["type"] == "frame":
            await self._take_frame(message["frame"])
        elif message["type"] == "notice":
            if "version" in message:
                self._restart_at(message["version"])
            await self._broadcast(_notice(message["notice"]))

    async def check(self, snapshot: Snapshot) -> None:
        """Compare what the watchers have been told with the present copy, and mend what pub/sub has lost.

        A copy is written before its frame is sent, so being behind is a loss only if it lasts a whole round.
        """
        self._rebuilt_in_a_row = self._rebuilt_in_a_row + 1 if snapshot.is_rebuilt else 0
        # An event that nobody has looked at has no copies for a moment; only their lasting absence tells of the relay.
        is_degraded = self._rebuilt_in_a_row >= AWAY_CHECKS
        if is_degraded != self._is_degraded:
            self._is_degraded = is_degraded
            RESYNCS.labels("relay away" if self._is_degraded else "relay back").inc()
            await self._broadcast(_degraded() if self._is_degraded else _notice({"kind": "resync"}))
        if self.version < self._ahead <= snapshot.version:
            RESYNCS.labels("frame lost").inc()
            self._restart_at(snapshot.version)
            # From = to = now: whoever has less fetches, whoever has it ignores this.
            await self._broadcast(self._greet())
        self._ahead = snapshot.version

    def _restart_at(self, version: int) -> None:
        self.version = version
        self._backlog.clear()
        self._greeting = None

    async def _take_frame(self, frame: bytes) -> None:
        from_version, to_version, changes = planes.decode_delta(frame)
        if to_version <= self.version:
            return
        if from_version != self.version:
            self._restart_at(from_version)
        self._backlog.append((from_version, changes))
        self.version = to_version
        await self._broadcast({"type": "websocket.send", "bytes": frame})

    def _greet(self) -> Message:
        """Return one frame of everything since the oldest frame kept, made once per version."""
        if self._greeting is None or self._greeting[0] != self.version:
            while sum(len(changes) for _, changes in self._backlog) > BACKLOG_CHANGES:
                self._backlog.popleft()
            since = self._backlog[0][0] if self._backlog else self.version
            merged: dict[int, int] = {}
            for _, changes in self._backlog:
                merged.update(changes)
            frame = planes.encode_delta(since, self.version, merged)
            self._greeting = self.version, {"type": "websocket.send", "bytes": frame}
        return self._greeting[1]

    async def _broadcast(self, message: Message) -> None:
        for number, watcher in enumerate(tuple(self.watchers), 1):
            watcher.offer(message)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)

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
                        await self.take(await layer.receive(channel))
                finally:
                    await layer.group_discard(group, channel)
            except Exception as error:
                log.warning("The channel layer is away: %s", error)
                await asyncio.sleep(1)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS * random.uniform(0.9, 1.1))  # noqa: S311 spreads the checks, hides nothing
            try:
                await self.check(await snapshot_async(self.event_id))
            except (Busy, EventUnknown):
                continue
            except Exception:
                # Whatever went wrong, the next check must come: it is what finds lost frames.
                log.exception("The check of %s failed.", self.event_id)


class Hub:
    """The rooms of this process and the caps on its sockets."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, Room] = {}
        self._addresses: Tally[str] = Tally()

    def admit(self, address: str) -> bool:
        """Count a socket of this address, or refuse it: a process and an address have only so many."""
        reason = ""
        if self._addresses.total() >= settings.SOCKETS_PER_PROCESS:
            reason = "process full"
        elif address and self._addresses[address] >= settings.SOCKETS_PER_ADDRESS:
            reason = "address full"
        if reason:
            REFUSED.labels(reason).inc()
            return False
        self._addresses[address] += 1
        SOCKETS.inc()
        return True

    def dismiss(self, address: str) -> None:
        """Take back what `admit` counted."""
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        SOCKETS.dec()

    async def join(self, event_id: UUID, watcher: Watcher) -> None:
        """Let a watcher into an event's room, opened for the first."""
        room = self.rooms.get(event_id)
        if room is None:
            room = self.rooms[event_id] = Room(event_id)
            ROOMS.set(len(self.rooms))
        await room.join(watcher)

    def leave(self, event_id: UUID, watcher: Watcher) -> None:
        """Let a watcher out; the room closes after the last."""
        watcher.close()
        room = self.rooms.get(event_id)
        if room is None:
            return
        room.watchers.discard(watcher)
        if not room.watchers:
            del self.rooms[event_id]
            room.close()
            ROOMS.set(len(self.rooms))


hub = Hub()


class SeatsSocket(AsyncConsumer):
    """A browser watching an event's seats. It only listens: what it wants, it asks for by HTTP."""

    channel_layer_alias = ""  # No channel of its own: the room has one for all.

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Serve the socket, and let it out of its room however it ends."""
        self._watcher = Watcher(send)
        self._event_id = UUID(scope["url_route"]["kwargs"]["event_id"])
        self._address = (scope.get("client") or ("",))[0]
        self._is_admitted = False
        self._said = 0
        try:
            await super().__call__(scope, receive, send)
        finally:
            hub.leave(self._event_id, self._watcher)
            if self._is_admitted:
                hub.dismiss(self._address)

    async def websocket_connect(self, message: Message) -> None:
        """Accept a watcher of an event that exists, while there is room."""
        try:
            await snapshot_async(self._event_id)
        except EventUnknown:
            REFUSED.labels("event unknown").inc()
            await self.send({"type": "websocket.close"})
            raise StopConsumer from None
        except Busy:
            log.debug("No picture yet; the room waits for one.")
        self._is_admitted = hub.admit(self._address)
        await self.send({"type": "websocket.accept"})
        if not self._is_admitted:
            await self.send(_degraded())
            await self.send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            raise StopConsumer
        await hub.join(self._event_id, self._watcher)

    async def websocket_receive(self, message: Message) -> None:
        """Ignore what is said, to a point."""
        self._said += 1
        if self._said > CHATTER:
            await self.send({"type": "websocket.close", "code": POLICY_VIOLATION})
            raise StopConsumer

    async def websocket_disconnect(self, message: Message) -> None:
        """End."""
        raise StopConsumer


class Nowhere(AsyncConsumer):
    """Refuses a socket to an address that has none."""

    channel_layer_alias = ""

    async def websocket_connect(self, message: Message) -> None:
        """Refuse."""
        await self.send({"type": "websocket.close"})
        raise StopConsumer


application = AllowedHostsOriginValidator(
    URLRouter(
        [
            re_path(
                r"^live/events/(?P<event_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/socket$", SeatsSocket.as_asgi()
            ),
            re_path("", Nowhere.as_asgi()),
        ]
    )
)


def _notice(notice: Message) -> Message:
    return {"type": "websocket.send", "text": orjson.dumps(notice).decode()}


def _degraded() -> Message:
    return _notice({"kind": "degraded", "poll_ms": POLL_MS})


@types.coroutine
def _rest_of(sending: Coroutine[Any, Any, None], pending: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was stepped by hand up to its first wait, `pending`."""
    while True:
        try:
            answer = yield pending
        except BaseException as error:  # Cancelled while waiting: the coroutine is to know.
            pending = sending.throw(error)
        else:
            try:
                pending = sending.send(answer)
            except StopIteration:
                return
