"""The audit log: who did what to which thing. It can only be read."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.views import ChangeList

from events.admin.filters import DaysFilter
from events.admin.scope import ScopedAdmin
from events.permissions import managed_events, managed_ids
from inventory.admin.telling import Teller
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


class ToldList(ChangeList):
    """A page of the log, told with one question for all its people and one for all its halls."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        teller = Teller(self.result_list)
        for entry in self.result_list:
            entry.teller = teller


@admin.register(AuditEntry)
class AuditEntryAdmin(ScopedAdmin):
    """The log of the user's events and organizers."""

    when_empty = "Whatever is done from now on is written down here."
    allows = ("view",)
    list_display = ("when", "who", "what", "thing", "about")
    list_display_links = ("when",)
    list_filter = (AreaFilter, ("at", DaysFilter))
    search_fields = ("=subject", "action")
    search_help_text = "The number of an order, ticket, payment or event, or an action such as seat.blocked"
    ordering = ("-id",)
    list_per_page = 50
    # The log grows without end: counting it on every page would take longer than reading the page.
    paginator = InfinitePaginator
    fields = ("at", "who", "what", "about", "thing", "subject", "action", "actor", "detail")
    readonly_fields = ("who", "what", "thing", "about")

    def in_scope(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        """Return what happened in the user's events, too: what the database itself logs names only the event."""
        if request.user.is_superuser:
            return rows
        mine = managed_events(request.user).values("pk")
        return rows.filter(Q(organizer_id__in=managed_ids(request)) | Q(event_id__in=mine))

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        return self.in_scope(request, AuditEntry.objects.filter(pk=obj.pk)).exists()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("subject", "event_id") or super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ToldList

    @display(description="When", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.at:%d %b %Y, %H:%M:%S} UTC"

    @display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        return _teller(entry).who(entry)

    @display(description="What")
    def what(self, entry: AuditEntry) -> str:
        return _teller(entry).what(entry)

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
        return _teller(entry).about(entry)


def _teller(entry: AuditEntry) -> Teller:
    """Return who tells the page the entry stands on; on its own page it stands alone."""
    return getattr(entry, "teller", None) or Teller([entry])
