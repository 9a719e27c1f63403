"""Venues and seating plans in the scope of the organizers that play there."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from events.admin.scope import ScopedAdmin
from events.models import Event, Organizer
from events.permissions import managed_ids, owns_venue, usable_plans, usable_venues
from seating.admin import SeatingPlanAdmin, VenueAdmin
from seating.models import SeatingPlan, Venue


@admin.register(Venue)
class ScopedVenueAdmin(ScopedAdmin, VenueAdmin):
    """Venues where the manager's organizers play; one shared with other organizers is to look at, not to change."""

    def in_scope(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.filter(pk__in=usable_venues(request.user).values("pk"))

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        return usable_venues(request.user).filter(pk=obj.pk).exists()

    def _may(self, act: str, request: HttpRequest, obj: Model | None) -> bool:
        if act in ("change", "delete") and obj is not None and not owns_venue(request.user, obj.pk):
            return False
        return super()._may(act, request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Let the manager's organizers play in the venue just made, or nobody could see it again."""
        super().save_related(request, form, formsets, change)
        if not change and not request.user.is_superuser:
            for organizer in Organizer.objects.filter(pk__in=managed_ids(request)):
                organizer.venues.add(form.instance)


@admin.register(SeatingPlan)
class ScopedSeatingPlanAdmin(ScopedAdmin, SeatingPlanAdmin):
    """Seating plans of those venues; one that an event uses cannot be deleted."""

    allows = ("view", "add", "delete")

    def in_scope(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.filter(pk__in=usable_plans(request.user).values("pk"))

    def is_in_scope(self, request: HttpRequest, obj: Model) -> bool:
        return usable_plans(request.user).filter(pk=obj.pk).exists()

    def _may(self, act: str, request: HttpRequest, obj: Model | None) -> bool:
        if not super()._may(act, request, obj):
            return False
        if act != "delete" or not isinstance(obj, SeatingPlan):
            return True
        return owns_venue(request.user, obj.venue_id) and not Event.objects.filter(plan=obj).exists()
