"""The last bound before the database."""

import threading
import time
from collections.abc import Callable


class Busy(Exception):
    """No value anywhere, and it may not be made now; worth trying again in a second."""


class Rate:
    """At most `per_second` in the long run and `burst` at once: the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self, per_second: float, *, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1 / per_second
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0

    def allows(self) -> bool:
        """Count one and return True, or return False and count nothing."""
        with self._lock:
            now = self._clock()
            due = max(self._due, now)
            # A billionth of tolerance, so that a sum of intervals is not refused for its rounding.
            if due - now > self._slack + 1e-9:
                return False
            self._due = due + self._interval
            return True
