"""The printed ticket: one page for every live ticket of an order, laid out by `ticket.typ` (Typst)."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import segno
import typst
from django.utils import timezone
from django.utils.formats import date_format

from events.models import Event
from events.money import money
from events.templatetags.onsale import zone_name
from inventory.models import Order, OrderLine, Ticket
from inventory.tickets.codes import code_for
from inventory.tickets.entry import typed_code
from seating.plans import plan as plan_of

_HERE = Path(__file__).parent


class NoTickets(Exception):
    """The order has no live ticket: it is not paid, or all of it was refunded."""


def tickets_pdf(order: Order) -> bytes:
    """Return the PDF of the order's live tickets, one page each, in seat order; NoTickets if there are none.

    Texts are handed to Typst as data, never as markup, so that a name cannot change the page.
    """
    tickets = list(Ticket.objects.filter(line__order=order).select_related("line__order").order_by("line__index"))
    live = [(n, ticket) for n, ticket in enumerate(tickets, 1) if ticket.state != Ticket.State.VOID]
    if not live:
        raise NoTickets
    document = {
        "event": _event(order.event),
        "order": {
            "reference": order.reference,
            "name": order.name,
            "bought": date_format((order.paid_at or order.created_at).astimezone(_zone(order.event)), "j F Y"),
        },
        "tickets": [_ticket(order, ticket, n, len(tickets)) for n, ticket in live],
    }
    return typst.compile(
        _HERE / "ticket.typ",
        root=_HERE,
        font_paths=_fonts(),
        sys_inputs={"document": json.dumps(document)},
        timestamp=(order.paid_at or order.created_at).replace(microsecond=0),
    )


def qr_svg(code: str) -> str:
    """Return the code as an SVG QR symbol (ISO/IEC 18004), error correction M, without a quiet zone of its own."""
    return segno.make(code, error="m", micro=False, boost_error=False).svg_inline(border=0, scale=4, omitsize=True)


def qr_data_uri(code: str) -> str:
    """Return the same symbol as the address of an image."""
    return segno.make(code, error="m", micro=False, boost_error=False).svg_data_uri(border=0, scale=4, omitsize=True)


def _event(event: Event) -> dict[str, str]:
    zone = _zone(event)
    return {
        "name": event.name,
        "subtitle": event.subtitle,
        "organizer": event.organizer.name,
        "date": date_format(event.starts_at.astimezone(zone), "l j F Y"),
        "doors": _clock(event.doors_at, zone),
        "starts": _clock(event.starts_at, zone),
        "zone": zone_name(event.starts_at, event.venue.timezone),
        "venue": event.venue.name,
        "address": ", ".join(part for part in (event.venue.address, event.venue.city) if part),
        "printed": date_format(timezone.now().astimezone(zone), "j F Y, H:i"),
    }


def _ticket(order: Order, ticket: Ticket, position: int, count: int) -> dict[str, str]:
    line: OrderLine = ticket.line
    plan = plan_of(order.event.plan.content_hash)
    section = plan.sections[plan.section_of(line.index)]
    fee = f"incl. {money(line.fee, order.currency)} fee" if line.fee else ""
    return {
        "section": line.section,
        "row": line.row,
        "number": line.number,
        "entrance": section.entrance,
        "tier": line.tier_name,
        "price": money(line.amount + line.fee, order.currency),
        "fee": fee,
        "position": f"{position} of {count}",
        "typed": typed_code(ticket, position),
        "qr": qr_svg(code_for(event_id=order.event.pk, ticket_id=ticket.pk, serial=ticket.serial)),
    }


def _zone(event: Event) -> ZoneInfo:
    return ZoneInfo(event.venue.timezone)


def _clock(moment: datetime | None, zone: ZoneInfo) -> str:
    return date_format(moment.astimezone(zone), "H:i") if moment else ""


@cache
def _fonts() -> typst.Fonts:
    # The site's own faces; the system's are there for scripts that those do not write.
    return typst.Fonts(font_paths=[_HERE / "fonts"])
