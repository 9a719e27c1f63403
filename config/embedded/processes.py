"""Starts the stack's programs, shows their logs, restarts those that crash and leaves none behind.

Each program leads a process group and session of its own, so a Ctrl-C in the terminal reaches only the supervisor.
Stopping is the keeper's work (keeper.py), so an ordinary end and a `kill -9` of the supervisor take the same path.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

from config.embedded import Trouble, explain
from config.embedded.paths import Account

FRONT, SITE, SERVERS = 0, 1, 2  # The stages of a stop: nobody new, then the site, then what it stands on.
_STOP_SECONDS = 25.0  # The keeper's three stages of grace, and some: after that the supervisor kills by itself.
_CALM_SECONDS = 20.0  # A program that ran this long has recovered; its next crash starts at a short delay again.
_LONGEST_DELAY = 15.0


class Stopped(Exception):
    """Somebody asked the supervisor to end."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run; `account` is the other account it runs as (Postgres refuses root)."""

    name: str
    argv: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    stage: int = SITE
    stop_signal: int = signal.SIGTERM
    account: Account | None = None
    hides: re.Pattern[str] | None = None


class Process:
    """A running program, and the last lines it wrote."""

    def __init__(self, program: Program, echo: Callable[[str, str], None] | None) -> None:
        self.program = program
        self.began = time.monotonic()
        self.tail: deque[str] = deque(maxlen=30)
        account = program.account
        try:
            self.popen = subprocess.Popen(
                [str(part) for part in program.argv],
                env=dict(program.env),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            if isinstance(error, OSError):
                raise explain(error, f"starting {program.name}") from error
            raise Trouble(f"{program.name} could not be started: {error}.") from error
        self._reader = threading.Thread(target=self._read, args=(echo,), name=f"log-{program.name}", daemon=True)
        self._reader.start()

    def _read(self, echo: Callable[[str, str], None] | None) -> None:
        with suppress(ValueError, OSError), self.popen.stdout or nullcontext(()) as lines:
            for line in lines:
                text = line.rstrip()
                if not text:
                    continue
                self.tail.append(text)
                if echo and not (self.program.hides and self.program.hides.search(text)):
                    echo(self.program.name, text)

    def drain(self) -> None:
        """Wait until everything a finished program wrote was shown."""
        self._reader.join(timeout=1.0)


class Supervisor:
    """Runs programs until told to stop; a context manager, whose end stops them all within about five seconds."""

    def __init__(self, echo: Callable[[str, str], None] | None = None) -> None:
        self._echo = echo
        self._running: dict[str, Process] = {}
        self._paths: list[Path] = []
        self._crashes: dict[str, int] = {}
        self._due: dict[str, tuple[float, Program]] = {}
        self._asked = threading.Event()
        self._keeper = self._start_keeper()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- the keeper ---

    def _start_keeper(self) -> subprocess.Popen[str]:
        script = Path(__file__).with_name("keeper.py")
        # -I: nothing of this folder or of the caller's environment shadows the standard library.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)], stdin=subprocess.PIPE, text=True, start_new_session=True, cwd="/"
        )

    def _tell(self, line: str) -> None:
        try:
            print(line, file=self._keeper.stdin, flush=True)
        except (BrokenPipeError, ValueError):
            self._replace_keeper()

    def _replace_keeper(self) -> None:
        """Start another keeper when the first was killed, and tell it everything again."""
        self._close_keeper()
        self._keeper.wait()
        self._keeper = self._start_keeper()
        for process in self._running.values():
            self._tell(_child_line(process))
        for path in self._paths:
            self._tell(f"path {path}")

    def _close_keeper(self) -> None:
        if self._keeper.stdin:
            with suppress(BrokenPipeError):
                self._keeper.stdin.close()

    # --- starting and watching ---

    def stop_on_signals(self) -> None:
        """Let Ctrl-C, SIGTERM and a closed terminal end the supervisor in order; asked twice, at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._asked.is_set():
            self._kill_all()
        self._asked.set()

    def ask_to_stop(self) -> None:
        """Make the next `pause` raise Stopped; may be called from any thread."""
        self._asked.set()

    def pause(self, seconds: float) -> None:
        """Wait, and raise Stopped as soon as somebody asks for the end."""
        if self._asked.wait(seconds):
            raise Stopped

    def remove_at_end(self, path: Path) -> None:
        """Have a socket, file or folder removed when everything has stopped, even after a `kill -9`."""
        self._paths.append(path)
        self._tell(f"path {path}")

    def start(self, program: Program) -> Process:
        """Start a program that `watch` keeps running. Raises Trouble when the system refuses."""
        process = Process(program, self._echo)
        self._running[program.name] = process
        self._tell(_child_line(process))
        return process

    def pid(self, name: str) -> int:
        """Return the process of a program that runs; KeyError for one that does not."""
        return self._running[name].popen.pid

    def run(self, program: Program) -> Process:
        """Run a step to its end and return it; its exit code is `popen.returncode`. Raises Stopped."""
        return self.join(self.start(program))

    def join(self, process: Process) -> Process:
        """Wait for a step that was started before. Raises Stopped."""
        while process.popen.poll() is None:
            self.pause(0.05)
        process.drain()
        self._forget(process)
        return process

    def end(self, process: Process, seconds: float = 5.0) -> None:
        """Stop one program and wait for it."""
        with suppress(ProcessLookupError):
            process.popen.send_signal(process.program.stop_signal)
        try:
            process.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait()
        self._forget(process)

    def _forget(self, process: Process) -> None:
        self._running.pop(process.program.name, None)
        self._tell(f"gone {process.popen.pid}")

    def watch_once(self) -> None:
        """Notice programs that ended, and start them again after a delay that doubles with each crash in a row."""
        if self._keeper.poll() is not None:
            self._replace_keeper()
        for process in list(self._running.values()):
            code = process.popen.poll()
            if code is None:
                continue
            process.drain()
            self._forget(process)
            # Workers of a leader that was killed would keep its socket.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.popen.pid, signal.SIGKILL)
            name = process.program.name
            calm = time.monotonic() - process.began > _CALM_SECONDS
            crashes = 0 if calm else self._crashes.get(name, 0)
            self._crashes[name] = crashes + 1
            delay = min(0.5 * 2**crashes, _LONGEST_DELAY)
            self._due[name] = (time.monotonic() + delay, process.program)
            if self._echo:
                self._echo(name, f"ended {_how(code)}; starting it again in {delay:g} s")
        for name, (when, program) in list(self._due.items()):
            if time.monotonic() >= when:
                del self._due[name]
                self.start(program)

    def watch(self) -> None:
        """Keep everything running until somebody asks for the end. Raises Stopped."""
        while True:
            self.watch_once()
            self.pause(0.2)

    # --- stopping ---

    def stop(self) -> None:
        """Stop everything in order and return when nothing is left."""
        self._asked.set()
        if self._keeper.poll() is not None:
            self._replace_keeper()
        self._close_keeper()
        deadline = time.monotonic() + _STOP_SECONDS
        while self._keeper.poll() is None and time.monotonic() < deadline:
            for process in self._running.values():
                process.popen.poll()  # Reaped here, or the keeper would wait for a zombie.
            time.sleep(0.02)
        self._kill_all()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.popen.wait(2.0)
            process.drain()
        self._running.clear()

    def _kill_all(self) -> None:
        for process in list(self._running.values()):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.popen.pid, signal.SIGKILL)


def _child_line(process: Process) -> str:
    program = process.program
    return f"child {process.popen.pid} {int(program.stop_signal)} {program.stage}"


def _how(code: int) -> str:
    """Say how a process ended: "with code 1", "by SIGKILL"."""
    return f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
