"""The door: staff of an event's organizer scan or type codes, and are told at once whether somebody may go in."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from events.models import Event, Membership
from inventory.models import Ticket
from inventory.tickets.entry import Scan, check_in

LAST_SHOWN = 8
LOOK_BACK = timedelta(days=2)


@login_required
@never_cache
@require_safe
def entry(request: HttpRequest) -> HttpResponse:
    """List the events whose door the user may stand at, those of now and soon first."""
    events = door_events(request.user).filter(starts_at__gt=timezone.now() - LOOK_BACK).select_related("venue")
    return render(request, "inventory/entry.html", {"events": list(events.order_by("starts_at")[:100])})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def entry_event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show one event's door. A posted code is checked in; asked for JSON, only the answer is sent."""
    event = Event.objects.select_related("venue").filter(pk=event_id).exclude(status=Event.Status.DRAFT).first()
    if event is None:
        raise Http404
    if not door_events(request.user).filter(pk=event_id).exists():
        raise PermissionDenied
    scan = None
    if request.method == "POST":
        code = request.POST.get("code", "").strip()
        if code:
            scan = check_in(event_id=event_id, code=code, staff=request.user)
    if scan and "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(told(scan, event) | counts(event))
    context = {"event": event, "scan": told(scan, event) if scan else None, "counts": counts(event)}
    return render(request, "inventory/entry_event.html", context)


def door_events(user: Any) -> QuerySet[Event]:
    """Return the events whose tickets the user may check: those of every organizer he is a member of."""
    events = Event.objects.exclude(status=Event.Status.DRAFT)
    if user.is_superuser and user.is_active:
        return events
    mine = Membership.objects.filter(user=user.pk, user__is_active=True)
    return events.filter(organizer__in=mine.values("organizer"))


def told(scan: Scan, event: Event) -> dict[str, Any]:
    """Return a scan as the page and its script show it."""
    used_at = timezone.localtime(scan.used_at, _zone(event)).strftime("%H:%M:%S") if scan.used_at else ""
    return {
        "result": scan.verdict,
        "title": _TITLES[scan.verdict],
        "detail": scan.detail,
        "place": scan.place,
        "tier": scan.tier,
        "name": scan.name,
        "reference": scan.reference,
        "used_at": f"At {used_at}." if scan.verdict == "already_used" else "",
    }


def counts(event: Event) -> dict[str, Any]:
    """Return how many are in, of how many, and who came last."""
    tickets = Ticket.objects.filter(event=event)
    used = tickets.filter(state=Ticket.State.USED)
    last = used.select_related("line", "line__order").order_by("-used_at")[:LAST_SHOWN]
    zone = _zone(event)
    return {
        "admitted": used.count(),
        "tickets": tickets.exclude(state=Ticket.State.VOID).count(),
        "last": [
            {
                "at": timezone.localtime(ticket.used_at, zone).strftime("%H:%M:%S") if ticket.used_at else "",
                "place": str(ticket.line),
                "name": ticket.line.order.name,
            }
            for ticket in last
        ],
    }


def _zone(event: Event) -> ZoneInfo:
    return ZoneInfo(event.venue.timezone)


_TITLES = {
    "admitted": "Let in",
    "already_used": "Already used",
    "wrong_event": "Wrong event",
    "refunded": "Refunded",
    "reissued": "Old code",
    "forged": "Not a valid code",
    "unknown": "Unknown",
}
