"""Refresh a value before it expires, by chance: one reader does it early, instead of all at the same moment.

XFetch, of A. Vattani, F. Chierichetti and K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (VLDB 2015).
Alone it makes e^(1/beta) recomputations per expiry, and nothing on a missing key: `Shared` pairs it with a lease.
"""

import math
import random
import struct
from collections.abc import Callable

_DELTA = struct.Struct("<d")


def is_due(
    now: float, expiry: float, delta: float, beta: float = 1.0, *, rand: Callable[[], float] = random.random
) -> bool:
    """Say whether this reader shall make the value anew: always once it has expired, and sometimes before.

    `delta` is how long making it took, all in seconds; with a higher `beta` readers begin earlier. `rand` returns
    numbers from 0 up to, but without, 1.
    """
    return now - delta * beta * math.log(1.0 - rand()) >= expiry


def pack(delta: float, value: bytes) -> bytes:
    """Return what is stored: how long the value took to make, and the value. Its expiry is told by the key's."""
    return _DELTA.pack(delta) + value


def unpack(stored: bytes) -> tuple[float, bytes]:
    """Return what `pack` was given; ValueError if it is something else."""
    if len(stored) < _DELTA.size:
        raise ValueError("there is no such envelope")
    (delta,) = _DELTA.unpack_from(stored)
    if not (math.isfinite(delta) and delta >= 0):
        raise ValueError("no time is that long")
    return delta, stored[_DELTA.size :]
