"""The small steps of starting things: did it succeed, does it listen, does it answer."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable

from config.embedded import Trouble
from config.embedded.processes import Process, Supervisor

ANSWER_SECONDS = 90.0


def expect_success(process: Process, otherwise: str) -> None:
    """Make sure that a step which has ended went well. Raises Trouble with its last words."""
    if process.popen.returncode:
        last = process.tail[-1].rstrip(".") if process.tail else f"it ended with code {process.popen.returncode}"
        raise Trouble(f"{otherwise}: {last}.")


def wait(supervisor: Supervisor, is_so: Callable[[], bool], otherwise: str) -> None:
    """Return once something is so; what crashes meanwhile is started again. Raises Trouble."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise Trouble(f"{otherwise} within {ANSWER_SECONDS:.0f} s; the log above says why.")
        supervisor.watch_once()
        supervisor.pause(0.1)


def is_answered(url: str) -> bool:
    """Say whether somebody answers at an address; "not found" is an answer."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # This machine is behind no proxy.
    try:
        with opener.open(url, timeout=60):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
