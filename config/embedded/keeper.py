"""Stops a supervisor's children in order once the supervisor is gone, however it went.

A separate process, started as a script with nothing but the standard library. The supervisor tells it on standard input
what it has started; end of file means "stop now", and comes by itself when the supervisor is killed with SIGKILL. An
ordinary stop closes the pipe too, so there is one way to stop and it is used every day.

Lines: `child PID SIGNAL STAGE`, `gone PID`, `path PATH` (a socket or file to remove at the end).
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# For each stage: gunicorn finishes its requests; Postgres writes its checkpoint, a long one after a first seeding.
GRACE_SECONDS = {0: 2.0, 1: 3.0, 2: 15.0}


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie does not (nobody may be there to reap it)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return True


def _signal(send: Callable[[int, int], None], pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        send(pid, number)


def stop(children: dict[int, tuple[int, int]]) -> None:
    """Ask each stage's leaders to end, wait, then end whatever is left of their process groups."""
    for stage in sorted({stage for _, stage in children.values()}):
        members = {pid: number for pid, (number, of) in children.items() if of == stage}
        for pid, number in members.items():
            _signal(os.kill, pid, number)
        deadline = time.monotonic() + GRACE_SECONDS[stage]
        while time.monotonic() < deadline and any(is_alive(pid) for pid in members):
            time.sleep(0.02)
        for pid in members:
            _signal(os.killpg, pid, signal.SIGKILL)


def main() -> None:
    """Keep the book of children until the pipe closes, then stop them and tidy up."""
    # A signal meant for the whole terminal or service must not end the one that cleans up after it.
    for meant_for_all in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(meant_for_all, signal.SIG_IGN)
    children: dict[int, tuple[int, int]] = {}
    paths: list[Path] = []
    for line in sys.stdin:
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "child":
            pid, number, stage = (int(part) for part in rest.split())
            children[pid] = (number, stage)
        elif kind == "gone":
            children.pop(int(rest), None)
        elif kind == "path":
            paths.append(Path(rest))
    stop(children)
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


if __name__ == "__main__":
    main()
