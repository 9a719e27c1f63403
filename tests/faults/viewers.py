"""What a browser's seat map does, by the rules of seating/static/seating/seatmap/live.js, with a history of its own."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect

from inventory import plane as planes

ORIGIN = "http://localhost:8000"
POLL_SECONDS = 2.0

Fetch = Callable[[UUID], tuple[planes.Header, bytes]]


class Viewer(threading.Thread):
    """One map: a snapshot, then deltas by socket; polling while there is no socket."""

    def __init__(self, event_id: UUID, *, fetch: Fetch, socket_url: str) -> None:
        super().__init__(daemon=True)
        self.version = 0
        self.plane = b""
        self.fetches = self.sockets = self.refused = 0
        self.told: list[list[int]] = []  # Of each socket that stood, the versions its frames ended at.
        self.errors: list[Exception] = []
        self._event_id = event_id
        self._fetch = fetch
        self._socket_url = socket_url
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._poll()
                try:
                    with connect(self._socket_url, origin=ORIGIN, compression=None, open_timeout=5) as socket:
                        self._watch(socket)
                except InvalidHandshake:
                    self.refused += 1
                except (OSError, WebSocketException):
                    pass
                self._stopped.wait(POLL_SECONDS * random.uniform(0.1, 1))
        except Exception as error:
            self.errors.append(error)

    def stop(self) -> None:
        self._stopped.set()
        self.join(20)
        assert self.errors == []

    def _poll(self) -> None:
        try:
            header, plane = self._fetch(self._event_id)
        except OSError:  # The server is away; the last picture stays.
            return
        self.fetches += 1
        if header.version >= self.version:
            self.version, self.plane = header.version, plane

    def _watch(self, socket: ClientConnection) -> None:
        self.sockets += 1
        told: list[int] = []
        self.told.append(told)
        self._poll()
        gap_at = 0.0
        while not self._stopped.is_set():
            if gap_at and time.monotonic() > gap_at:
                gap_at = 0.0
                self._poll()
            try:
                message = socket.recv(0.1)
            except TimeoutError:
                continue
            if isinstance(message, str):
                kind = json.loads(message)["kind"]
                if kind == "degraded":
                    return
                if kind == "resync":
                    self._poll()
            elif not self._take(message, told):
                gap_at = time.monotonic() + 1.0  # A copy of the snapshot may be a second old.

    def _take(self, frame: bytes, told: list[int]) -> bool:
        """Lay the frame over the plane if it continues it; say whether nothing is missing."""
        from_version, to_version, changes = planes.decode_delta(frame)
        told.append(to_version)
        if from_version <= self.version < to_version:
            self.version, self.plane = to_version, planes.with_changes(self.plane, changes)
        return self.version >= to_version


@contextmanager
def watching(event_id: UUID, *, fetch: Fetch, socket_url: str, count: int = 1) -> Iterator[list[Viewer]]:
    """Let so many watch for the length of the block; whatever surprised one of them fails the test."""
    viewers = [Viewer(event_id, fetch=fetch, socket_url=socket_url) for _ in range(count)]
    for viewer in viewers:
        viewer.start()
    try:
        yield viewers
    finally:
        for viewer in viewers:
            viewer.stop()
