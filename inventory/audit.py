"""The append-only log: who did what to which thing. What must be true of all tables together is in `invariants.py`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from inventory.invariants import broken_invariants
from inventory.models import AuditEntry

__all__ = ["broken_invariants", "clock", "entry", "record", "record_all"]


def clock() -> Now:
    """Return the database's clock as an expression: the clock of record."""
    return Now()


def entry(
    *,
    actor: str,
    action: str,
    subject: UUID | str,
    event_id: UUID | None = None,
    organizer_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Return one line of the log, not written yet. `actor` is fan:<id>, staff:<user id> or system:<process>."""
    return AuditEntry(
        at=clock(),
        actor=actor[:80],
        action=action,
        subject=str(subject)[:80],
        event_id=event_id,
        organizer_id=organizer_id,
        detail=detail or {},
    )


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Write these lines in one statement, in the caller's transaction if one is open."""
    AuditEntry.objects.bulk_create(entries)


def record(
    *,
    actor: str,
    action: str,
    subject: UUID | str,
    event_id: UUID | None = None,
    organizer_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one line of the log, in the caller's transaction if one is open.

    Seats need no calls: the trigger on their table writes seat.held, seat.paying, seat.sold, seat.freed, seat.blocked.
    """
    record_all(
        [
            entry(
                actor=actor,
                action=action,
                subject=subject,
                event_id=event_id,
                organizer_id=organizer_id,
                detail=detail,
            )
        ]
    )
