"""A Chromium of our own and the DevTools protocol to it: no more than measuring a page needs.

https://chromedevtools.github.io/devtools-protocol/: commands and events are JSON over one WebSocket, and every page and
worker is a session of it. Playwright would do as well, but is installed for tests only; the bench runs everywhere.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

# Without a sandbox (root), without the screen card, and without calling home.
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_START_SECONDS = 20
_ANSWER_SECONDS = 60

Event = Callable[[str, dict[str, Any]], None]


class NoBrowser(Exception):
    """There is no Chromium here, or it does not start; says which."""


def binary() -> Path:
    """Return the Chromium that tests and measures use; `NoBrowser` if there is none."""
    path = Path(os.environ.get("ONSALE_CHROMIUM", "/usr/bin/chromium"))
    if not path.exists():
        raise NoBrowser(f"there is no Chromium at {path}")
    return path


class Chromium:
    """A running browser. Events of a method go to what `on` named for it, while `call` or `listen` waits."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._on: dict[str, Event] = {}

    def on(self, method: str, act: Event) -> None:
        """Call `act(session, params)` at every event of this method."""
        self._on[method] = act

    def send(self, method: str, session: str = "", **params: Any) -> int:
        """Send a command and return its number; what it answers is dropped unless `call` waits for it."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return self._last

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Send a command and return its result; `NoBrowser` with Chromium's words if it refuses."""
        number = self.send(method, session, **params)
        until = time.monotonic() + _ANSWER_SECONDS
        while number not in self._answers:
            if time.monotonic() > until:
                raise NoBrowser(f"Chromium did not answer {method}")
            self._hear(until)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise NoBrowser(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def listen(self, seconds: float) -> None:
        """Take events for this long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._hear(until)

    def _hear(self, until: float) -> None:
        try:
            text = self._socket.recv(timeout=max(0, until - time.monotonic()))
        except TimeoutError:
            return
        except WebSocketException as error:
            raise NoBrowser(f"Chromium went away: {error}") from error
        message = json.loads(text)
        if "id" in message:
            self._answers = {message["id"]: message}  # One command waits at a time; older answers nobody wants.
        elif act := self._on.get(message["method"]):
            act(message.get("sessionId", ""), message["params"])


@contextmanager
def running() -> Iterator[Chromium]:
    """Start a Chromium with a profile of its own, and end it and its profile afterwards. `NoBrowser`."""
    profile = Path(tempfile.mkdtemp(prefix="onsale-chromium-"))
    flags = [*FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", "about:blank"]
    process = subprocess.Popen([binary(), *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(process, profile), max_size=None, proxy=None) as socket:
            yield Chromium(socket)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)


def _address(process: "subprocess.Popen[bytes]", profile: Path) -> str:
    """Return where the browser listens: it writes port and path into its profile once it does."""
    note = profile / "DevToolsActivePort"
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        lines = note.read_text().splitlines() if note.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.05)
    raise NoBrowser("Chromium did not start")
