"""The bare ASGI WebSocket application: every byte on the Unix socket ONSALE_BENCH_TRIGGER sends everybody a frame."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from inventory.bench.frames import frame

TRIGGER = "ONSALE_BENCH_TRIGGER"

Send = Callable[[dict[str, Any]], Awaitable[None]]

_sends: set[Send] = set()
_versions = count(1)
_listening: list[asyncio.Task[asyncio.Server]] = []


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    """Hold a socket until it closes."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    if not _listening:  # The first socket; without a lifespan there is no earlier moment inside the loop.
        _listening.append(asyncio.create_task(asyncio.start_unix_server(_obey, os.environ[TRIGGER])))
    await receive()
    await send({"type": "websocket.accept"})
    _sends.add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        _sends.discard(send)


async def _obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1):
        message = {"type": "websocket.send", "bytes": frame(next(_versions))}
        for send in tuple(_sends):
            await send(message)
    writer.close()
