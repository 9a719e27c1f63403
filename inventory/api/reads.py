"""What is on, what was bought, and who asks."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from config.replica import browse
from events import catalog
from events.models import ProgrammeRow
from inventory import fan as fans
from inventory.api.requests import never_cached
from inventory.api.schemas import EventOut, EventsIn, EventsOut, FanOut, OrderOut, ProblemOut
from inventory.links import read_order
from inventory.models import Order
from inventory.purchase import EventUnknown, OrderUnknown

router = Router(tags=["reads"])


@router.get("/events", response=EventsOut)
@browse
def events(request: HttpRequest, wanted: Query[EventsIn]) -> Any:
    """List the events to come, soonest first; with `q` the best matches first."""
    filters = catalog.Filters(q=wanted.q, city=wanted.city, category=wanted.category)
    found = catalog.listing(filters, page=wanted.page, now=datetime.now(tz=UTC))
    return {
        "events": [_event(entry) for entry in found.entries],
        "count": found.count,
        "page": found.page,
        "pages": found.pages,
    }


@router.get("/events/{event_id}", response={200: EventOut, 404: ProblemOut})
@browse
def event(request: HttpRequest, event_id: UUID) -> Any:
    """Return one event."""
    found = ProgrammeRow.objects.filter(event=event_id).first()
    if found is None:
        raise EventUnknown
    return _event(catalog.listed(found, datetime.now(tz=UTC)))


@router.get("/orders/{signed}", response={200: OrderOut, 404: ProblemOut})
@never_cached
def order(request: HttpRequest, signed: str) -> HttpResponse:
    """Return an order to whoever has its signed link."""
    order_id = read_order(signed)
    found = Order.objects.filter(id=order_id).first() if order_id else None
    if found is None:
        raise OrderUnknown
    lines = [
        {
            "index": line.index,
            "section": line.section,
            "row": line.row,
            "number": line.number,
            "tier": line.tier_name,
            "amount": line.amount,
            "fee": line.fee,
            "active": line.active,
        }
        for line in found.lines.order_by("index")
    ]
    names = ("id", "reference", "event_id", "state", "currency", "subtotal", "fees", "total", "created_at", "paid_at")
    shown = OrderOut.model_validate({name: getattr(found, name) for name in names} | {"lines": lines})
    return HttpResponse(shown.model_dump_json(), content_type="application/json")


@router.get("/fan", response=FanOut)
@never_cached
def fan(request: HttpRequest) -> HttpResponse:
    """Return this browser's token for `X-CSRF-Token`, making it a fan if it is none yet."""
    known = fans.read(request.COOKIES.get(fans.COOKIE))
    found = known or fans.new_fan()
    response = HttpResponse(FanOut(csrf=fans.csrf_token(found)).model_dump_json(), content_type="application/json")
    if known is None:
        response.set_cookie(
            fans.COOKIE,
            fans.sign(found),
            max_age=fans.MAX_AGE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=settings.HTTPS,
        )
    return response


def _event(entry: catalog.Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "id": event.id,
        "slug": event.slug,
        "name": event.name,
        "subtitle": event.subtitle,
        "category": event.category,
        "url": event.get_absolute_url(),
        "venue": event.venue.name,
        "city": event.venue.city,
        "timezone": event.venue.timezone,
        "starts_at": event.starts_at,
        "state": entry.shown_state,
        "stock": entry.stock,
        "opens_at": entry.state.opens_at,
        "closes_at": entry.state.closes_at,
        "currency": entry.currency,
        "max_per_fan": event.max_per_fan,
        "tiers": [{"number": t.number, "name": t.name, "amount": t.amount} for t in entry.tiers],
    }
