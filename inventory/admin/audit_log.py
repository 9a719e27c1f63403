"""The audit log: who did what to which thing. It can only be read."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from events.admin.scope import ScopedAdmin, managed_ids
from events.permissions import managed_events
from inventory.models import AuditEntry


class AreaFilter(admin.SimpleListFilter):
    """Narrows the log to one kind of thing."""

    title = "what"
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("event", "Events and sales"),
            ("seat", "Seats"),
            ("order", "Orders"),
            ("payment", "Payments"),
            ("refund", "Refunds"),
            ("ticket", "Tickets and entry"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        area = self.value()
        if area == "event":
            return queryset.filter(Q(action__startswith="event.") | Q(action__startswith="sale."))
        return queryset.filter(action__startswith=f"{area}.") if area else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """The log of the user's events and organizers."""

    allows = ("view",)
    list_display = ("when", "who", "what", "thing", "about")
    list_display_links = ("when",)
    list_filter = (AreaFilter, ("at", RangeDateTimeFilter))
    search_fields = ("=subject", "action")
    search_help_text = "The number of an order, ticket, payment or event, or an action such as seat.blocked"
    ordering = ("-id",)
    list_per_page = 50
    # The log grows without end: counting it on every page would take longer than reading the page.
    paginator = InfinitePaginator
    fields = ("at", "who", "what", "thing", "detail")
    readonly_fields = ("who", "what", "thing")

    def in_scope(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        """Return what happened in the user's events, too: what the database itself logs names only the event."""
        if request.user.is_superuser:
            return rows
        mine = managed_events(request.user).values("pk")
        return rows.filter(Q(organizer_id__in=managed_ids(request)) | Q(event_id__in=mine))

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        return self.in_scope(request, AuditEntry.objects.filter(pk=obj.pk)).exists()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in ("subject", "event_id") or super().lookup_allowed(lookup, value, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        self.names: dict[str, str] = {}
        return super().changelist_view(request, extra_context)

    @display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.at:%d %b %Y, %H:%M:%S} UTC"

    @display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        return name_actors([entry.actor])[entry.actor]

    @display(description="What")
    def what(self, entry: AuditEntry) -> str:
        return entry.action.replace(".", " ").replace("_", " ")

    @display(description="To which")
    def thing(self, entry: AuditEntry) -> str:
        kind, _, _ = entry.action.partition(".")
        page = {"order": "inventory_order", "event": "events_event", "sale": "events_event"}.get(kind)
        short = f"{entry.subject[:8]}…{entry.subject[-4:]}" if len(entry.subject) > 20 else entry.subject
        if page is None:
            return short
        return format_html(
            '<a class="bo-link" href="{}">{}</a>', reverse(f"admin:{page}_change", args=[entry.subject]), short
        )

    @display(description="Details")
    def about(self, entry: AuditEntry) -> str:
        return describe(entry.detail)


def name_actors(actors: Iterable[str]) -> dict[str, str]:
    """Return how people are told who did something, from one read: a colleague's name, "a fan", or the machine."""
    actors = set(actors)
    numbers = {a: a.removeprefix("staff:") for a in actors if a.startswith("staff:")}
    users = get_user_model().objects.filter(pk__in=[n for n in numbers.values() if n.isdigit()])
    people = {str(user.pk): user.get_full_name() or user.get_username() for user in users}
    named = {}
    for actor in actors:
        kind, _, rest = actor.partition(":")
        if kind == "staff":
            named[actor] = people.get(rest, f"former staff {rest}")
        elif kind == "fan":
            named[actor] = f"fan {rest[:6]}"
        else:
            named[actor] = f"the system ({rest})" if rest else actor
    return named


def describe(detail: dict[str, Any]) -> str:
    """Return a log line's details in one short sentence: seats counted rather than listed when there are many."""
    parts = []
    for key, value in detail.items():
        if isinstance(value, list):
            shown = ", ".join(str(v) for v in value) if len(value) <= 6 else f"{len(value):,}"
            parts.append(f"{key.replace('_', ' ')}: {shown}")
        elif value not in (None, "", {}):
            parts.append(f"{key.replace('_', ' ')}: {value}")
    return " · ".join(parts)
