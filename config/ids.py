"""Public identifiers."""

from uuid import UUID

import uuid6


def new_id() -> UUID:
    """Return a new UUIDv7 (RFC 9562): sortable by time of creation, so that new rows land at the end of an index."""
    return UUID(int=uuid6.uuid7().int)
