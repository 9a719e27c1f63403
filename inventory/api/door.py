"""The door, for scanners that speak JSON."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from ninja import Router

from events.models import Event
from inventory.api.requests import staff_request
from inventory.api.schemas import ProblemOut, ScanIn, ScanOut
from inventory.purchase import EventUnknown
from inventory.tickets.entry import check_in

router = Router(auth=staff_request, tags=["door"])


@router.post("/entry/scans", response={200: ScanOut, 401: ProblemOut, 403: ProblemOut, 404: ProblemOut})
def scan(request: HttpRequest, body: ScanIn) -> Any:
    """Let a ticket in, once; for signed-in staff of the event's organizer. Needs no idempotency key: a scan is one."""
    event = Event.objects.filter(id=body.event_id).first()
    if event is None:
        raise EventUnknown
    user: Any = request.auth  # type: ignore[attr-defined]
    if not user.is_superuser and not user.memberships.filter(organizer=event.organizer_id).exists():
        raise PermissionDenied
    found = check_in(event_id=event.id, code=body.code, staff=user)
    return {
        "result": found.verdict,
        "detail": found.detail,
        "seat": found.place,
        "tier": found.tier,
        "name": found.name,
        "reference": found.reference,
    }
