"""The sockets, as one plain ASGI callable: who may watch, how many, and in which room.

Channels lends the origin check and the layer that the rooms listen to. Its consumers are left out: they would cost
each socket a task of its own and half of the memory and time of a join, for messages that no browser sends.
"""

import re
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from prometheus_client import Counter, Gauge

from config.frames import EXTENSION
from inventory.availability import Busy, EventUnknown, snapshot_async
from inventory.rooms import DEGRADED, Room, Watcher

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CHATTER: Final = 20  # A watcher has nothing to say; after this many messages he is shown out.

TRY_AGAIN_LATER, POLICY_VIOLATION = 1013, 1008

SOCKETS = Gauge("onsale_sockets", "Open sockets.", multiprocess_mode="livesum")
ROOMS = Gauge("onsale_socket_events", "Events being watched.", multiprocess_mode="livesum")
REFUSED = Counter("onsale_socket_refusals", "Sockets refused.", ["reason"])

_ADDRESS = re.compile(r"/live/events/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/socket")


class Hub:
    """The rooms of this process and the caps on its sockets."""

    def __init__(self) -> None:
        self.rooms: dict[UUID, Room] = {}
        self._addresses: Tally[str] = Tally()
        self._sockets = 0

    def admit(self, address: str) -> bool:
        """Count a socket of this address, or refuse it: a process and an address have only so many."""
        reason = ""
        if self._sockets >= settings.SOCKETS_PER_PROCESS:
            reason = "process full"
        elif address and self._addresses[address] >= settings.SOCKETS_PER_ADDRESS:
            reason = "address full"
        if reason:
            REFUSED.labels(reason).inc()
            return False
        self._addresses[address] += 1
        self._sockets += 1
        SOCKETS.set(self._sockets)
        return True

    def dismiss(self, address: str) -> None:
        """Take back what `admit` counted."""
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        self._sockets -= 1
        SOCKETS.set(self._sockets)

    @contextmanager
    def watching(self, event_id: UUID, watcher: Watcher) -> Iterator[Room]:
        """Let a watcher into an event's room, opened for the first; closed after the last."""
        room = self.rooms.get(event_id)
        if room is None:
            room = self.rooms[event_id] = Room(event_id)
            ROOMS.set(len(self.rooms))
        room.watchers.add(watcher)
        try:
            yield room
        finally:
            room.watchers.discard(watcher)
            if not room.watchers:
                del self.rooms[event_id]
                room.close()
                ROOMS.set(len(self.rooms))


hub = Hub()


async def _watch(scope: Message, receive: Receive, send: Send) -> None:
    """Serve one socket from its handshake to its end. It only listens: what it wants, it asks for by HTTP."""
    await receive()
    address = _ADDRESS.fullmatch(scope["path"])
    event_id = UUID(address[1]) if address else None
    if event_id is None or not await _is_known(event_id):
        REFUSED.labels("event unknown").inc()
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    socket = scope["extensions"][EXTENSION]
    client = (scope["client"] or ("",))[0]
    if not hub.admit(client):
        socket.write(DEGRADED)
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        return
    try:
        watcher = Watcher(socket)
        with hub.watching(event_id, watcher) as room:
            await room.greet(watcher)
            await _until_gone(receive, send)
    finally:
        hub.dismiss(client)


async def _is_known(event_id: UUID) -> bool:
    try:
        await snapshot_async(event_id)
    except EventUnknown:
        return False
    except Busy:
        pass  # No picture yet; the room waits for one.
    return True


async def _until_gone(receive: Receive, send: Send) -> None:
    """Ignore what is said, to a point."""
    for _ in range(CHATTER):
        if (await receive())["type"] == "websocket.disconnect":
            return
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})


application = AllowedHostsOriginValidator(_watch)
