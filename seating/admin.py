"""The back office's pages about halls: what they show; `events.admin` registers them in the scope of each organizer."""

import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Count
from django.http import HttpRequest
from unfold import widgets
from unfold.admin import ModelAdmin
from unfold.decorators import display

from seating.geometry import Plan
from seating.models import SeatingPlan, Venue
from seating.plans import plan as decoded


class VenueForm(forms.ModelForm):
    """A venue, with its time zone chosen from the list rather than remembered."""

    timezone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name) for name in sorted(available_timezones()) if "/" in name or name == "UTC"],
        initial="Europe/Berlin",
        widget=widgets.UnfoldAdminSelect2Widget,
        help_text="Every date of the venue's events is read and shown in it.",
    )

    class Meta:
        model = Venue
        fields = "__all__"

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise forms.ValidationError("Write the two letters of the country, for example DE.")
        return country


class VenueAdmin(ModelAdmin):
    """Venues: where they are and which time they keep."""

    form = VenueForm
    list_display = ("name", "city", "country", "timezone", "plan_count")
    search_fields = ("name", "city")
    # Said again, because counting the plans groups the rows, and groups have no order of their own.
    ordering = ("name", "id")
    prepopulated_fields = {"slug": ("name", "city")}
    fieldsets = (
        (None, {"fields": ("name", "slug")}),
        ("Where", {"fields": ("address", ("city", "country"), "timezone", ("latitude", "longitude"))}),
    )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Venue | None = None) -> dict[str, Any]:
        # The address of a page that fans may have kept does not change with a corrected name.
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(plan_total=Count("plans"))

    @display(description="Seating plans", ordering="plan_total")
    def plan_count(self, venue: Venue) -> int:
        return venue.plan_total


class SeatingPlanAdmin(ModelAdmin):
    """Seating plans: a picture of each, and the upload of new ones. A plan never changes: upload a new version."""

    list_display = ("name", "venue", "places", "created_at")
    list_select_related = ("venue",)
    list_filter = ()
    search_fields = ("name", "venue__name", "venue__city")
    change_form_outer_before_template = "seating/admin/plan.html"

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, change: bool = False, **kwargs: Any
    ) -> Any:
        plan = kwargs.get("obj")
        if plan is not None:
            context["plan"] = plan
            context["hall"] = summary(decoded(plan.content_hash))
        return super().render_change_form(request, context, add=add, change=change, **kwargs)

    @display(description="Places", ordering="seat_count")
    def places(self, plan: SeatingPlan) -> str:
        return f"{plan.seat_count:,}"


def summary(hall: Plan) -> dict[str, Any]:
    """Return what the plan's page says beside the picture: places by category and by section."""
    by_category = [0] * len(hall.categories)
    for category in hall.seat_categories:
        by_category[category] += 1
    return {
        "seat_count": hall.seat_count,
        "categories": [
            {"name": c.name, "color": c.color, "places": by_category[k]} for k, c in enumerate(hall.categories)
        ],
        "sections": [
            {
                "name": section.name,
                "zone": section.zone,
                "kind": "Standing" if section.is_standing else "Seats",
                "rows": len(section.rows),
                "places": section.count,
                "entrance": section.entrance,
            }
            for section in hall.sections
        ],
        "wheelchair": len(hall.flags.get("wheelchair", ())),
        "companion": len(hall.flags.get("companion", ())),
        "restricted": len(hall.flags.get("restricted", ())),
    }
