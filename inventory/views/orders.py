"""What has been bought: the order's page by its signed link, its tickets, and "my tickets"."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.db.models.functions import Now
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from config.replica import browse
from inventory import boxoffice, links, purchase
from inventory.models import AuditEntry, Order
from inventory.orders import order_page, own_orders
from inventory.payments import process
from inventory.tickets.pdf import NoTickets, tickets_pdf
from inventory.views.fans import FanRequest, with_fan

RESEND_AFTER = timedelta(minutes=1)  # A button pressed in impatience fills no mailbox.


@with_fan
@require_safe
def order(request: FanRequest, signed: str) -> HttpResponse:
    """Show an order to whoever has its link."""
    order_id = _order_id(signed)
    process.settle_order(order_id)
    try:
        page = order_page(order_id)
    except Order.DoesNotExist as error:
        raise Http404 from error
    context = {
        "page": page,
        "order": page.order,
        "event": page.order.event,
        "signed": signed,
        "is_new": "new" in request.GET and page.order.state == Order.State.PAID,
    }
    return render(request, "inventory/order.html", context)


@with_fan
@require_safe
def order_tickets(request: FanRequest, signed: str) -> HttpResponse:
    """Serve the tickets as a PDF."""
    found = get_object_or_404(
        Order.objects.select_related("event__venue", "event__organizer", "event__plan"), id=_order_id(signed)
    )
    try:
        pdf = tickets_pdf(found)
    except NoTickets:
        return redirect("order", signed)
    disposition = f'inline; filename="tickets-{found.reference}.pdf"'
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": disposition})


@with_fan
@require_POST
def order_resend(request: FanRequest, signed: str) -> HttpResponse:
    """Send the tickets to the buyer's address once more, at most once a minute."""
    order_id = _order_id(signed)
    recent = AuditEntry.objects.filter(subject=str(order_id), action="order.resent", at__gt=Now() - RESEND_AFTER)
    if recent.exists():
        messages.info(request, "The tickets were sent a moment ago. Give the mail a minute, and look into spam too.")
        return redirect("order", signed)
    try:
        found = boxoffice.resend_tickets(order_id=order_id, actor=f"fan:{request.fan}")
    except purchase.Refusal as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, f"The tickets are on their way to {found.email}.")
    return redirect("order", signed)


@with_fan
@require_safe
@browse
def my_tickets(request: FanRequest) -> HttpResponse:
    """List the orders of this browser and of the account."""
    orders = own_orders(fan=request.fan, user=request.user)
    context = {
        "coming": [entry for entry in orders if not entry.is_past],
        "past": [entry for entry in reversed(orders) if entry.is_past],
    }
    return render(request, "inventory/my_tickets.html", context)


def _order_id(signed: str) -> UUID:
    order_id = links.read_order(signed)
    if order_id is None:
        raise Http404
    return order_id
