"""A circuit breaker: stop asking what does not answer, and try again soon."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Unavailable(Exception):
    """The store gave no answer in time, or is not being asked because it recently gave none."""


class Breaker:
    """Closed: calls pass. After `failures` in a row: open, calls are refused for `rest_seconds`. Then one trial.

    `tell` hears 1 when it opens and 0 when a call comes through again.
    The pattern of M. Nygard, "Release It!" (2007), chapter 5. Three time-outs of 100 ms open it, so a frozen Redis
    stops costing anybody time within half a second. Thread-safe; between trials a refused call costs no system call.
    """

    def __init__(
        self,
        *,
        errors: tuple[type[BaseException], ...],
        failures: int = 3,
        rest_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[float], object] = lambda is_open: None,
    ) -> None:
        self._errors = errors
        self._limit = failures
        self._rest = rest_seconds
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call now would be refused."""
        return self._failures >= self._limit and self._clock() < self._closed_again_at

    def call(self, work: Callable[[], T]) -> T:
        """Return `work()`; raise `Unavailable` when it fails with one of `errors`, or is not tried."""
        self._admit()
        try:
            result = work()
        except self._errors as error:
            with self._lock:
                self._failures += 1
                self._closed_again_at = self._clock() + self._rest
                if self._failures == self._limit:
                    self._tell(1.0)
            raise Unavailable(str(error)) from error
        if self._failures:
            with self._lock:
                self._failures = 0
                self._tell(0.0)
        return result

    def _admit(self) -> None:
        if self._failures < self._limit:
            return
        with self._lock:
            now = self._clock()
            if self._failures >= self._limit:
                if now < self._closed_again_at:
                    raise Unavailable("resting after repeated failures")
                # This call is the trial; the others keep being refused until it has come back.
                self._closed_again_at = now + self._rest
