"""The back office's menu."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from inventory.models import DeadLetter


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu for this user: the sale first, the machinery for superusers at the end."""
    groups: list[dict[str, Any]] = [
        {
            "items": [
                _item("Overview", "space_dashboard", "index"),
                _item("Events", "confirmation_number", "events_event_changelist"),
                _item("Orders", "receipt_long", "inventory_order_changelist"),
            ]
        },
        {
            "title": "Set-up",
            "separator": True,
            "items": [
                _item("Organisers", "storefront", "events_organizer_changelist"),
                _item("Venues", "location_on", "seating_venue_changelist"),
                _item("Seating plans", "event_seat", "seating_seatingplan_changelist"),
            ],
        },
        {
            "title": "Books",
            "separator": True,
            "items": [
                _item("Payments", "payments", "inventory_payment_changelist"),
                _item("Refunds", "undo", "inventory_refund_changelist"),
                _item("Audit log", "history", "inventory_auditentry_changelist"),
            ],
        },
    ]
    if request.user.is_superuser:
        letters = _item("Dead letters", "mail_off", "inventory_deadletter_changelist")
        if count := DeadLetter.objects.count():
            letters["badge"] = str(count)
        groups.append(
            {
                "title": "Machinery",
                "separator": True,
                "items": [
                    _item("Live", "monitoring", "live"),
                    _item("Knobs", "tune", "knobs"),
                    _item("Outbox", "outbox", "inventory_outbox_changelist"),
                    letters,
                    _item("People", "group", "auth_user_changelist"),
                ],
            }
        )
    return groups


def _item(title: str, icon: str, name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{name}")}
