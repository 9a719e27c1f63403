"""Sockets that take frames encoded beforehand: an ASGI extension of the live server.

ASGI's own `websocket.send` builds a message, a frame and a header for each socket. For one frame to thousands that is
most of the price, so the server hands the app each socket as the extension `onsale.frames`, whose `write` takes bytes
that `encoded` made once for all.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

EXTENSION: Final = "onsale.frames"
BUFFER_BYTES: Final = 16 * 1024  # What a slow browser may be behind, and what it may cost us in memory.
SERVICE_RESTART: Final = 1012


class Frames(Protocol):
    """A socket as the extension offers it."""

    on_room: Callable[[], None] | None

    def write(self, frame: bytes) -> bool:
        """Write an encoded frame at once, or return False and write nothing: the socket is behind, or closed.

        One that is behind calls `on_room` when it has caught up.
        """


def encoded(payload: bytes | str) -> bytes:
    """Return a payload as the bytes of one whole server frame, binary or text (RFC 6455, 5.2)."""
    if isinstance(payload, str):
        return Frame(Opcode.TEXT, payload.encode()).serialize(mask=False)
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


class FramesProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with the extension."""

    on_room: Callable[[], None] | None = None

    def connection_made(self, transport: Any) -> None:
        """Bound what is kept for a slow browser."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=BUFFER_BYTES)

    def handle_connect(self, event: Request) -> None:
        """Offer the extension to the app, whose task begins after this call."""
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, Any]", self.scope)["extensions"][EXTENSION] = self

    def write(self, frame: bytes) -> bool:
        """As `Frames` says."""
        if self.transport.is_closing() or self.conn.state is not State.OPEN or not self.writable.is_set():
            return False
        self.transport.write(frame)
        return True

    def resume_writing(self) -> None:
        """Tell the app that there is room again."""
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()

    def dismiss(self, after_ms: int) -> None:
        """Close because the process stops, with the reason `after_ms`: the milliseconds after which to come back."""
        if self.conn.state is State.OPEN and not self.close_sent:
            self.conn.send_close(SERVICE_RESTART, str(after_ms))
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
            self.queue.put_nowait({"type": "websocket.disconnect", "code": SERVICE_RESTART})
