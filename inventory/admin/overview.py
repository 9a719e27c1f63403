"""The first page of the back office: how the sales stand that the user runs."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from events.admin.events import STATE_LABELS
from events.models import Event
from events.permissions import managed_events, managed_ids
from events.sale_state import SaleState, sale_state
from inventory.models import DeadLetter, Order, Refund
from inventory.reports import Places, revenue_by_currency, sold_shares

EVENTS_SHOWN = 12
ORDERS_SHOWN = 8


def overview(request: HttpRequest) -> dict[str, Any]:
    """Return what the overview shows: coming events with their sale, the last orders, and what needs a hand."""
    now = timezone.now()
    mine = managed_events(request.user)
    coming = [
        (event, sale_state(event, now))
        for event in mine.filter(Q(starts_at__gte=now - timedelta(hours=6)) | Q(status=Event.Status.DRAFT))
        .select_related("venue", "organizer")
        .prefetch_related("windows")
        .order_by("starts_at")
    ]
    shown = coming[:EVENTS_SHOWN]
    places = sold_shares(event for event, _ in shown)
    orders = Order.objects.all()
    if not request.user.is_superuser:
        orders = orders.filter(organizer__in=managed_ids(request))
    today = orders.filter(paid_at__gte=now - timedelta(hours=24))
    return {
        "events": [
            {"event": event, "places": of, **shown_state(state, of)}
            for event, state in shown
            for of in [places.get(event.pk, Places())]
        ],
        "more_events": len(coming) - len(shown),
        "orders": orders.select_related("event").order_by("-created_at")[:ORDERS_SHOWN],
        "day_orders": today.filter(state=Order.State.PAID).count(),
        "day_revenue": revenue_by_currency(today),
        "on_sale": sum(1 for _, state in coming if state.is_buyable),
        "drafts": mine.filter(status=Event.Status.DRAFT).count(),
        "failed_refunds": Refund.objects.filter(state=Refund.State.FAILED, payment__order__in=orders).count(),
        "dead_letters": DeadLetter.objects.count() if request.user.is_superuser else 0,
    }


def shown_state(sale: SaleState, places: Places) -> dict[str, str]:
    """Return the word for what a sale is doing and the badge it is shown in; stock decides what is sold out."""
    if sale.is_buyable and places.is_sold_out:
        return {"state": "sold_out", "label": "Sold out"}
    return {"state": sale.state, "label": STATE_LABELS[sale.state]}
