"""Crowds of open sockets, held by `deploy/load/sockets.py`."""

import json
import socket
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded import Trouble
from config.embedded.processes import FRONT, Program
from inventory.bench.load import SCRIPTS
from inventory.bench.pools import HOST, Server
from inventory.bench.stage import Stage


@dataclass(frozen=True)
class Crowd:
    """A client with its open sockets."""

    pid: int
    control: Path
    connect_seconds: float

    def ask(self, *words: object) -> dict[str, Any]:
        """Give the client a command and return its answer. Raises Trouble when it fails at it."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(120)
            asked.connect(str(self.control))
            asked.sendall(" ".join(map(str, words)).encode() + b"\n")
            with asked.makefile() as lines:
                line = lines.readline()
        if not line:
            raise Trouble(f"The sockets' client failed at: {' '.join(map(str, words))}")
        return dict(json.loads(line))


@contextmanager
def watching(stage: Stage, server: Server, path: str, count: int, name: str = "sockets") -> Iterator[Crowd]:
    """Hold `count` sockets open for the length of a block. Raises Trouble when the server refuses one."""
    control = stage.socket(f"{name}.sock")
    control.unlink(missing_ok=True)
    program = Program(
        name=name,
        argv=[
            sys.executable, SCRIPTS / "sockets.py", "--host", HOST, "--port", str(server.port), "--path", path,
            "--count", str(count), "--control", control,
        ],
        stage=FRONT,
    )  # fmt: skip
    with stage.running(program) as process:
        stage.say(f"opening {count:,} sockets")
        stage.until(lambda: bool(process.tail), f"{count} sockets were not open", {name: process})
        ready = json.loads(process.tail[-1]) if process.tail[-1].startswith("{") else {}
        stage.check(ready.get("ready") == count, f"the sockets did not open: {process.tail[-1]}")
        yield Crowd(process.popen.pid, control, ready["seconds"])


def receipts(path: Path) -> Iterator[tuple[bytes, Sequence[float]]]:
    """Yield each noted frame with the moments at which the sockets had it, in seconds since 1970."""
    with path.open() as lines:
        for line in lines:
            told = json.loads(line)
            yield b64decode(told["frame"]), memoryview(b64decode(told["at"])).cast("d")
