"""The frames that both sides of the broadcast measure send: deltas of a busy tick, some 200 bytes each."""

from inventory import plane

CHANGES = 36


def frame(version: int) -> bytes:
    """Return a delta from `version` to the next."""
    return plane.encode_delta(version, version + 1, {CHANGES * 7 + k * 11: plane.HELD for k in range(CHANGES)})
