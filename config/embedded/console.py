"""What the demo shows: progress, one tidy block of addresses, and every program's log behind its name."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

_COLOURS = {"web": 36, "live": 35, "relay": 34, "worker": 33, "beat": 33, "nginx": 32, "postgres": 90, "redis": 90}
_WIDTH = max(len(name) for name in _COLOURS)


class Console:
    """One writer for many threads; colours only on a terminal whose user has not refused them (no-color.org)."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._is_colourful = out.isatty() and not os.environ.get("NO_COLOR")
        self.on_closed: Callable[[], None] = lambda: None

    def say(self, text: str) -> None:
        """Show a line of the demo itself."""
        self._write(self._paint(text, 1))

    def log(self, name: str, text: str) -> None:
        """Show a line that a program wrote."""
        self._write(f"{self._paint(f'{name:<{_WIDTH}} |', _COLOURS.get(name, 37))} {text}")

    def block(self, lines: list[str]) -> None:
        """Show lines that no log may come between."""
        self._write("\n".join(["", *lines, ""]))

    def _paint(self, text: str, code: int) -> str:
        return f"\033[{code}m{text}\033[0m" if self._is_colourful else text

    def _write(self, text: str) -> None:
        with self._lock:
            try:
                print(text, file=self._out, flush=True)
            except (BrokenPipeError, ValueError):
                # Whoever read us has left (`demo | head`). Python would complain again when it flushes at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
                self.on_closed()
