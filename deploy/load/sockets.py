# ruff: noqa: INP001 - a program beside others, not a package.
"""Holds thousands of WebSockets cheaply and says when each frame arrives: a few microseconds per frame, a few KiB each.

    python3 deploy/load/sockets.py --port 8000 --path /live/events/ID/socket --count 5000 --control /tmp/control.sock

It prints one line of JSON when all are open, then takes commands, one a line, on the Unix socket `--control`, and
answers each with a line of JSON:

    status                  how many sockets are open, and what else they were told
    record                  note from now on when each frame reaches each socket
    stop FILE               write what was noted: a line for each frame, its bytes and receipt times in base64
    broadcast TRIGGER N     N times: write a byte to the Unix socket TRIGGER, wait until every socket has its frame

No library speaks the protocol here (RFC 6455): a client that costs as much as the server could not measure it. Whoever
finds uvloop installed is faster still.
"""

import argparse
import asyncio
import base64
import json
import os
import sys
import time
from array import array
from collections import defaultdict
from pathlib import Path

CONNECTING = 64  # At once: enough to keep the server busy, few enough for its listening queue.
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
CALM_SECONDS = 1.0  # Without a frame for so long, all greetings have arrived.


class Crowd:
    """All sockets of this client, and what is being noted about them."""

    def __init__(self) -> None:
        self.open = 0
        self.closed = 0
        self.notices: list[str] = []
        self.last_frame_at = time.monotonic()
        self.missing = 0
        self.complete = asyncio.Event()
        self.receipts: dict[bytes, array[float]] | None = None

    def take(self, frame: bytes) -> None:
        """Note a binary frame that has just reached a socket."""
        self.last_frame_at = time.monotonic()
        if self.receipts is not None:
            self.receipts[frame].append(time.time())
        self.missing -= 1
        if not self.missing:
            self.complete.set()


class Socket(asyncio.Protocol):
    """One WebSocket from its handshake on."""

    __slots__ = ("crowd", "is_open", "opened", "request", "rest", "transport")

    def __init__(self, crowd: Crowd, request: bytes, opened: "asyncio.Future[None]") -> None:
        self.crowd = crowd
        self.request = request
        self.opened = opened
        self.rest = b""
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = transport
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Take whole frames; keep what is unfinished."""
        data = self.rest + data if self.rest else data
        if not self.is_open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.rest = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0] + b" ":
                self.opened.set_exception(ConnectionError(head.decode("latin-1")))
                return
            self.is_open = True
            self.crowd.open += 1
            self.opened.set_result(None)
        at, size = 0, len(data)
        while size - at >= 2:
            length, begins = data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, begins = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, begins = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if size - begins < length:
                break
            self._take(data[at] & 15, data[begins : begins + length])
            at = begins + length
        self.rest = data[at:]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == BINARY:
            self.crowd.take(payload)
        elif kind == TEXT:
            self.crowd.notices.append(payload.decode())
        elif kind == PING:  # A client's frames are masked; a mask of zeros leaves the bytes as they are.
            self.transport.write(bytes([0x8A, 0x80 | len(payload)]) + bytes(4) + payload)  # type: ignore[attr-defined]
        elif kind == CLOSE:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it."""
        if self.is_open:
            self.crowd.open -= 1
            self.crowd.closed += 1
        elif not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed during the handshake"))


async def connect(crowd: Crowd, host: str, port: int, path: str, count: int) -> None:
    """Open `count` sockets."""
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    free = asyncio.Semaphore(CONNECTING)

    async def one() -> None:
        async with free:
            opened = loop.create_future()
            await loop.create_connection(lambda: Socket(crowd, request, opened), host, port)
            await asyncio.wait_for(opened, 60)

    await asyncio.gather(*(one() for _ in range(count)))


async def broadcast(crowd: Crowd, trigger: str, times: int) -> dict[str, object]:
    """Let somebody send a frame to everybody, again and again, and measure how long each takes to reach the last."""
    while time.monotonic() - crowd.last_frame_at < CALM_SECONDS:
        await asyncio.sleep(0.05)
    _, writer = await asyncio.open_unix_connection(trigger)
    spent, cpu = [], time.process_time()
    for _ in range(times):
        crowd.missing = crowd.open
        crowd.complete.clear()
        began = time.perf_counter()
        writer.write(b"\n")
        await asyncio.wait_for(crowd.complete.wait(), 60)
        spent.append(time.perf_counter() - began)
    writer.close()
    return {"seconds": spent, "cpu": time.process_time() - cpu, **status(crowd)}


def status(crowd: Crowd) -> dict[str, object]:
    """Say how the sockets are."""
    return {
        "open": crowd.open,
        "closed": crowd.closed,
        "notices": len(crowd.notices),
        "last": sorted(set(crowd.notices[-3:])),
    }


def record(crowd: Crowd) -> None:
    """Begin to note receipts."""
    crowd.receipts = defaultdict(lambda: array("d"))


def stop(crowd: Crowd, path: str) -> dict[str, object]:
    """Write what was noted since `record`."""
    noted, crowd.receipts = crowd.receipts or {}, None
    with Path(path).open("w") as file:
        for frame, times in noted.items():
            line = {"frame": base64.b64encode(frame).decode(), "at": base64.b64encode(times.tobytes()).decode()}
            file.write(json.dumps(line) + "\n")
    return {"frames": len(noted), **status(crowd)}


async def obey(crowd: Crowd, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry out the commands of one connection."""
    while line := (await reader.readline()).decode().split():
        match line:
            case ["status"]:
                answer = status(crowd)
            case ["record"]:
                record(crowd)
                answer = status(crowd)
            case ["stop", path]:
                answer = stop(crowd, path)
            case ["broadcast", trigger, times]:
                answer = await broadcast(crowd, trigger, int(times))
            case _:
                answer = {"error": f"unknown: {' '.join(line)}"}
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Connect, then obey until killed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--control", required=True)
    chosen = parser.parse_args()
    crowd = Crowd()
    began = time.monotonic()
    await connect(crowd, chosen.host, chosen.port, chosen.path, chosen.count)
    server = await asyncio.start_unix_server(lambda reader, writer: obey(crowd, reader, writer), chosen.control)
    print(json.dumps({"ready": crowd.open, "seconds": round(time.monotonic() - began, 3)}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        from uvloop import run
    except ImportError:
        run = asyncio.run
    try:
        run(main())
    except (ConnectionError, TimeoutError) as error:
        sys.exit(f"A socket was refused: {error}")
