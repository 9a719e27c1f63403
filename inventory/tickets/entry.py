"""The door: a code is read, and one person is let in once."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hmac import compare_digest
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from events.models import Event
from inventory import audit
from inventory.models import Order, Ticket
from inventory.tickets.codes import Forged, letters_for, read_code

_TYPED = re.compile(r"(?P<reference>[A-Z0-9]{1,10})-(?P<position>[0-9]{1,3})-(?P<letters>[A-Z0-9]{8})")


class Verdict(StrEnum):
    """What the door says to a code."""

    ADMITTED = "admitted"
    ALREADY_USED = "already_used"
    WRONG_EVENT = "wrong_event"
    REFUNDED = "refunded"
    REISSUED = "reissued"  # A newer code of this ticket exists, and only that one counts.
    FORGED = "forged"
    UNKNOWN = "unknown"  # Well formed to type, but of no ticket here.


@dataclass(frozen=True)
class Scan:
    """The door's answer: `detail` is a sentence for the person there; `place` and `name` where a ticket is known."""

    verdict: Verdict
    detail: str
    place: str = ""
    tier: str = ""
    name: str = ""
    reference: str = ""
    used_at: datetime | None = None

    @property
    def is_admitted(self) -> bool:
        """Whether the person may go in."""
        return self.verdict == Verdict.ADMITTED


def check_in(*, event_id: UUID, code: str, staff: Any) -> Scan:
    """Admit the ticket with this code to this event, once, however many doors scan it at the same moment.

    `code` is the ticket's QR text or its typed form; `staff` is the user at the door, who must have been found to work
    for the event's organizer. Every answer about a ticket of this event goes into the audit log.
    """
    try:
        ticket_id, serial = _ticket_of(code, event_id)
    except _Refused as refused:
        return refused.scan
    with transaction.atomic(durable=True):
        ticket = (
            Ticket.objects.select_for_update(of=("self",))
            .select_related("line__order", "event__organizer", "used_by")
            .filter(id=ticket_id)
            .first()
        )
        if ticket is None:
            return Scan(Verdict.UNKNOWN, "This ticket is not in the books.")
        verdict, detail = _judge(ticket, event_id, serial)
        if verdict == Verdict.ADMITTED:
            Ticket.objects.filter(pk=ticket.pk).update(state=Ticket.State.USED, used_at=Now(), used_by=staff)
        if ticket.event.pk == event_id:
            audit.record(
                actor=f"staff:{staff.pk}",
                action="ticket.admitted" if verdict == Verdict.ADMITTED else "ticket.refused",
                subject=str(ticket.pk),
                event_id=event_id,
                organizer_id=ticket.event.organizer.pk,
                detail={"verdict": verdict, "place": str(ticket.line)},
            )
    return _told(ticket, verdict, detail, is_own=ticket.event.pk == event_id)


class _Refused(Exception):
    def __init__(self, scan: Scan) -> None:
        self.scan = scan


def _ticket_of(code: str, event_id: UUID) -> tuple[UUID, int]:
    """Return (ticket id, serial) of a code as scanned, pasted or typed."""
    typed = _typed(code)
    if typed:
        return typed
    try:
        claim = read_code(code)
    except Forged as forged:
        raise _Refused(Scan(Verdict.FORGED, str(forged))) from forged
    if claim.event_id != event_id and not Ticket.objects.filter(id=claim.ticket_id).exists():
        raise _Refused(Scan(Verdict.WRONG_EVENT, "This ticket is for another event."))
    return claim.ticket_id, claim.serial


def _typed(code: str) -> tuple[UUID, int] | None:
    """Return (ticket id, serial) of a typed code, `<order reference>-<number>-<letters>`, or None if it is not one."""
    found = _TYPED.fullmatch("".join(code[:100].upper().split()))
    if found is None:
        return None
    order = Order.objects.filter(reference=found["reference"]).first()
    tickets = list(Ticket.objects.filter(line__order=order).order_by("line__index")) if order else []
    position = int(found["position"])
    if not 1 <= position <= len(tickets):
        raise _Refused(Scan(Verdict.UNKNOWN, "There is no ticket with this code. Check it against the paper."))
    ticket = tickets[position - 1]
    letters = (
        found["letters"].replace("0", "O").replace("1", "I")
    )  # The alphabet has no 0 and no 1; people read them anyway.
    # An old serial's letters are known too, so that a reissued ticket is told from a mistyped one.
    for serial in range(ticket.serial, 0, -1):
        if compare_digest(letters_for(ticket_id=ticket.pk, serial=serial).encode(), letters.encode()):
            return ticket.pk, serial
    raise _Refused(Scan(Verdict.UNKNOWN, "The last eight letters do not fit. Check them against the paper."))


def _judge(ticket: Ticket, event_id: UUID, serial: int) -> tuple[Verdict, str]:
    if ticket.event.pk != event_id:
        return Verdict.WRONG_EVENT, "This ticket is for another event."
    if ticket.state == Ticket.State.VOID:
        return Verdict.REFUNDED, "This ticket was refunded or cancelled."
    if ticket.event.status == Event.Status.CANCELLED:
        return Verdict.REFUNDED, "This event has been cancelled."
    if serial != ticket.serial:
        return Verdict.REISSUED, "A newer code was issued for this ticket. Ask for the latest one."
    if ticket.state == Ticket.State.USED:
        return Verdict.ALREADY_USED, "This ticket has been used already."
    return Verdict.ADMITTED, "Welcome."


def _told(ticket: Ticket, verdict: Verdict, detail: str, *, is_own: bool) -> Scan:
    if not is_own:
        return Scan(verdict, detail)  # Another event's buyer is none of this door's business.
    if verdict == Verdict.ALREADY_USED and ticket.used_by:
        detail = f"{detail} It was let in by {ticket.used_by.get_full_name() or ticket.used_by.get_username()}."
    line = ticket.line
    place = f"{line.section}{f', row {line.row}' if line.row else ''}{f', seat {line.number}' if line.number else ''}"
    return Scan(verdict, detail, place, line.tier_name, line.order.name, line.order.reference, ticket.used_at)


def typed_code(ticket: Ticket, position: int) -> str:
    """Return the code to type of the order's `position`-th ticket, counted from 1 in seat order."""
    letters = letters_for(ticket_id=ticket.pk, serial=ticket.serial)
    return f"{ticket.line.order.reference}-{position}-{letters}"
