"""The admin site of organisers: who enters, what its first page shows, and the log of what is done in it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from unfold.sites import UnfoldAdminSite

from events.models import Event, Organizer
from events.permissions import may_enter
from inventory import audit


def actor(request: HttpRequest) -> str:
    """Return how the audit log names whoever sent the request."""
    return f"staff:{request.user.pk}"


class BackOffice(UnfoldAdminSite):
    """Django admin for managers of organizers and superusers; door staff have /entry/ instead."""

    index_title = "Overview"
    index_template = "inventory/admin/overview.html"
    login_template = "inventory/admin/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in superusers, and staff who manage at least one organizer."""
        return may_enter(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show how the sales stand that the user runs."""
        from inventory.admin.overview import overview  # The pages are found after the site is.

        return super().index(request, {**overview(request), **(extra_context or {})})

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the pages that show the read path at this moment, and that turn its knobs."""
        from inventory.admin import knobs_page, live_page  # The pages are found after the site is.

        return [*live_page.urls(self), *knobs_page.urls(self), *super().get_urls()]

    def log(self, request: HttpRequest, verb: str, obj: Model, detail: dict[str, Any] | None = None) -> None:
        """Write what was done on a page to the audit log, in the transaction in which it was done."""
        event_id, organizer_id = _whereabouts(obj)
        audit.record(
            actor=actor(request),
            action=f"{obj._meta.model_name}.{verb}"[:40],
            subject=str(obj.pk),
            event_id=event_id,
            organizer_id=organizer_id,
            detail=detail,
        )

    def log_download(self, request: HttpRequest, what: str, rows: Mapping[UUID, int]) -> None:
        """Write to the audit log of each organizer how many rows of personal data left as a file."""
        by = actor(request)
        audit.record_all(
            audit.entry(
                actor=by, action=f"{what}.downloaded", subject=organizer, organizer_id=organizer, detail={"rows": count}
            )
            for organizer, count in rows.items()
        )

    def history_url(self, subject: Any) -> str:
        """Return the address of the audit log of one thing."""
        return f"{reverse('admin:inventory_auditentry_changelist')}?subject={subject}"


def _whereabouts(obj: Model) -> tuple[UUID | None, UUID | None]:
    """Return the ids of the event and the organizer a row belongs to, as far as it has any."""
    if isinstance(obj, Organizer):
        return None, obj.pk
    event = obj if isinstance(obj, Event) else getattr(obj, "event", None)
    if isinstance(event, Event):
        return event.pk, event.organizer_id
    return None, getattr(obj, "organizer_id", None)
