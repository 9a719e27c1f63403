"""Hold thousands of watchers of one event in one process, cheaply, and tell when each frame reached them.

    python deploy/load/sockets.py ws://127.0.0.1:8000/live/events/<id>/socket --count 5000

Prints `ready` when all sockets stand, then records until standard input ends, then prints one JSON document:

    {"sockets": standing at the end, "connected_seconds": ..., "closed": {code: how many},
     "frames": [{"payload": hex, "count": sockets it reached, "at": [101 quantiles of time.monotonic()]}]}

A raw asyncio protocol parses just enough of RFC 6455 to do this: a client library would spend more on a frame than
the server that is measured. Times are those of CLOCK_MONOTONIC, so other processes of the machine can compare.
"""

import argparse
import asyncio
import base64
import json
import os
import resource
import struct
import sys
import time
from array import array
from collections import Counter, defaultdict
from urllib.parse import urlsplit

import uvloop

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
AT_ONCE = 100  # Handshakes in flight: more would only measure the listen queue.


class Crowd:
    """What all watchers of this process have seen."""

    def __init__(self) -> None:
        self.arrivals: defaultdict[bytes, array[float]] = defaultdict(lambda: array("d"))
        self.notices: Counter[str] = Counter()
        self.closed: Counter[int] = Counter()
        self.standing = 0


class Watcher(asyncio.Protocol):
    """One socket: shakes hands, answers pings, notes when each frame came."""

    def __init__(self, crowd: Crowd, request: bytes, joined: asyncio.Future[None]) -> None:
        self._crowd = crowd
        self._request = request
        self._joined = joined
        self._rest = b""
        self._code = 1006

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask for the upgrade."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take what came, whole frames or not."""
        data = self._rest + data if self._rest else data
        if not self._joined.done():
            head, ended, data = data.partition(b"\r\n\r\n")
            if not ended:
                self._rest = head
                return
            self._shake(head)
        self._rest = self._frames(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count how it ended."""
        if not self._joined.done():
            self._joined.set_exception(ConnectionError("closed in the handshake"))
        elif self._joined.exception() is None:
            self._crowd.standing -= 1
            self._crowd.closed[self._code] += 1

    def _shake(self, head: bytes) -> None:
        if head.startswith(b"HTTP/1.1 101 "):
            self._crowd.standing += 1
            self._joined.set_result(None)
        else:
            self._joined.set_exception(ConnectionError(head.split(b"\r\n", 1)[0].decode("latin-1")))
            self._transport.close()

    def _frames(self, data: bytes) -> bytes:
        """Take the whole frames of `data`; return what is left of it."""
        at = 0
        while len(data) >= at + 2:
            opcode, size, start = data[at] & 15, data[at + 1], at + 2
            if size == 126 and len(data) >= at + 4:
                size, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif size == 127 and len(data) >= at + 10:
                size, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if len(data) < start + size or (start == at + 2 and size > 125):
                break
            self._take(opcode, data[start : start + size])
            at = start + size
        return data[at:] if at else data

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            self._crowd.arrivals[payload].append(time.monotonic())
        elif opcode == TEXT:
            self._crowd.notices[payload.decode()] += 1
        elif opcode == PING:
            self._transport.write(bytes((0x80 | PONG, 0x80 | len(payload))) + bytes(4) + payload)  # Masked by zeros.
        elif opcode == CLOSE:
            self._code = struct.unpack_from("!H", payload)[0] if payload else 1005
            self._transport.close()


def request(url: str, origin: str, number: int) -> bytes:
    """Return the handshake of watcher `number`, from an address of his own as the edge would tell it."""
    parts = urlsplit(url)
    lines = [
        f"GET {parts.path or '/'} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Origin: {origin}",
        f"X-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def gather(url: str, count: int, origin: str, crowd: Crowd) -> float:
    """Connect `count` watchers, and return how many seconds it took."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(AT_ONCE)

    async def join(number: int) -> None:
        async with gate:
            joined = loop.create_future()
            asked = request(url, origin, number)
            await loop.create_connection(lambda: Watcher(crowd, asked, joined), parts.hostname, parts.port)
            await joined

    started = time.monotonic()
    await asyncio.gather(*map(join, range(count)))
    return time.monotonic() - started


def frames(crowd: Crowd) -> list[dict[str, object]]:
    """Return every frame with the quantiles of its arrivals, in order of the first."""

    def told(payload: bytes, arrivals: list[float]) -> dict[str, object]:
        last = len(arrivals) - 1
        return {"payload": payload.hex(), "count": last + 1, "at": [arrivals[last * k // 100] for k in range(101)]}

    return sorted((told(*item) for item in ((p, sorted(a)) for p, a in crowd.arrivals.items())), key=lambda f: f["at"])


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Gather the crowd, watch until standard input ends, and return the report."""
    crowd = Crowd()
    spent = await gather(arguments.url, arguments.count, arguments.origin, crowd)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    return {
        "sockets": crowd.standing,
        "connected_seconds": spent,
        "closed": dict(crowd.closed),
        "notices": dict(crowd.notices),
        "frames": frames(crowd),
    }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Hold many watchers of one event, and tell when frames reach them.")
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--origin", default="http://localhost:8000")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    json.dump(uvloop.run(run(parser.parse_args())), sys.stdout)
    print()


if __name__ == "__main__":
    main()
