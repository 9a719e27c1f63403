"""One hot key as many, on many shards: writers write every copy, a process reads its own."""

import os
import socket
import time
import zlib
from collections.abc import Callable
from functools import cache

# Readers hear of a new number within a second, and a copy lives two: nobody reads a number older than this.
HEARD_SECONDS = 4.0


def own_copy(copies: int) -> int:
    """Return which of `copies` this process reads: the same one always, spread evenly over processes and machines.

    Copy 0 is written under every number of copies: whoever finds his own missing reads that one.
    """
    return _identity(os.getpid()) % copies


@cache
def _identity(process: int) -> int:
    return zlib.crc32(f"{socket.gethostname()}:{process}".encode())


class Fanout:
    """How many copies a writer writes: what the knob says, and after it fell what it said, until every reader knows.

    Otherwise a reader that has not heard yet would go on with a copy that nobody writes any more.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[int, float] = {}

    def width(self, copies: int) -> int:
        """Return how many copies to write now that the knob says `copies`."""
        now = self._clock()
        self._said[copies] = now
        self._said = {number: at for number, at in self._said.items() if now - at < HEARD_SECONDS}
        return max(self._said)
