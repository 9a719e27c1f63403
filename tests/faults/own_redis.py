"""A Redis of a test's own, to be ill-treated; and a slow road to it."""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis

from config.embedded.redis import binary
from tests.inventory.live_servers import until


class OwnRedis:
    """A server on a socket in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.start()

    def start(self) -> None:
        """Start it with what its folder holds: nothing, or what `keep` kept."""
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--loglevel", "warning"]
        command = [str(binary()), *options, "--dir", str(self.folder)]
        self.running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.socket.exists)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; after SIGKILL wait until it is gone."""
        self.running.send_signal(number)
        if number == signal.SIGKILL:
            self.running.wait()
            self.socket.unlink()

    def client(self) -> Redis:
        """Return a client without deadlines or breakers."""
        return Redis(unix_socket_path=str(self.socket))

    def take_snapshot(self) -> Path:
        """Write everything it holds to a file, and return it."""
        with self.client() as client:
            client.save()
        return Path(shutil.copy(self.folder / "dump.rdb", self.folder / "old.rdb"))

    def restart_from(self, snapshot: Path) -> None:
        """Kill it, and start it with what a snapshot holds."""
        self.send(signal.SIGKILL)
        shutil.copy(snapshot, self.folder / "dump.rdb")
        self.start()
        (self.folder / "dump.rdb").unlink()


@contextmanager
def own_redis() -> Iterator[OwnRedis]:
    """Run a Redis for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="onsale-redis-") as folder:
        server = OwnRedis(Path(folder))
        try:
            yield server
        finally:
            with suppress(OSError):
                server.send(signal.SIGCONT)
                server.running.kill()
            server.running.wait()


class SlowRoad:
    """A socket that leads to another, on which every answer takes `seconds` longer.

    With `holds_back`, only the first command that has all of these words in it does.
    """

    def __init__(self, to: Path) -> None:
        self.seconds = 0.0
        self.holds_back: tuple[bytes, ...] = ()
        self.has_held_back = False
        self.socket = to.with_name("slow.sock")
        self.url = f"unix://{self.socket}?db=0"
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()], daemon=True)
        self._thread.start()
        until(self.socket.exists)

    def close(self) -> None:
        """Let nobody through any more."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(self._loop)])
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_unix_server(self._lead, self.socket)
        with suppress(asyncio.CancelledError):
            async with server:
                await server.serve_forever()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._to)
        with suppress(asyncio.CancelledError, OSError):
            await asyncio.gather(self._copy(reader, back, is_answer=False), self._copy(there, writer, is_answer=True))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool) -> None:
        try:
            while data := await source.read(65536):
                if self._is_slow(data, is_answer=is_answer):
                    await asyncio.sleep(self.seconds)
                target.write(data)
        finally:
            target.close()

    def _is_slow(self, data: bytes, *, is_answer: bool) -> bool:
        if not self.holds_back:
            return is_answer
        if is_answer or self.has_held_back or not all(word in data for word in self.holds_back):
            return False
        self.has_held_back = True
        return True


@contextmanager
def slow_road(to: OwnRedis) -> Iterator[SlowRoad]:
    """Lay a road to a Redis for the length of the block."""
    road = SlowRoad(to.socket)
    try:
        yield road
    finally:
        road.close()
