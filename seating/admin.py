"""The back office's pages about halls: what they show; `events.admin` registers them in the scope of each organizer."""

import re
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold import widgets
from unfold.admin import ModelAdmin
from unfold.decorators import display

from seating.exporting import FORMATS, export
from seating.geometry import NotAPlan, Plan
from seating.importing import LARGEST_FILE, read_plan, store_plan
from seating.models import SeatingPlan, Venue
from seating.plans import plan as decoded
from seating.pretix_format import Reading

WARNINGS_SHOWN = 5


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
        labels = {"slug": "Web address"}
        help_texts = {
            "slug": "The last part of the venue page's address.",
            "country": "Two letters, for example DE.",
            "latitude": "For maps; you may leave both empty.",
        }

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise forms.ValidationError("Write the two letters of the country, for example DE.")
        return country


class VenueAdmin(ModelAdmin):
    """Venues: where they are and which time they keep."""

    form = VenueForm
    when_empty = "A venue is where events happen. Add it, then upload its seating plan."
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


class PlanUpload(forms.ModelForm):
    """A plan as a file: read whole and checked whole, so that a file with a fault leaves nothing behind."""

    name = forms.CharField(
        label="Name",
        required=False,
        max_length=120,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="For example “Concert, seated, 2027”. Leave empty to take the name in the file.",
    )
    file = forms.FileField(
        label="File",
        widget=widgets.UnfoldAdminFileFieldWidget,
        help_text="A pretix seating plan (JSON), a plan saved from here, or a CSV with the columns section, row, seat, "
        "x, y, category and flags.",
    )

    class Meta:
        model = SeatingPlan
        fields = ("venue", "name")

    reading: Reading

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        file, venue = cleaned.get("file"), cleaned.get("venue")
        if file is None or venue is None:
            return cleaned
        try:
            if file.size > LARGEST_FILE:
                raise NotAPlan(f"the file has {file.size:,} bytes; a plan has at most {LARGEST_FILE:,}")
            self.reading = read_plan(file.read(), file_name=file.name, name=cleaned.get("name", ""))
        except NotAPlan as fault:
            self.add_error("file", f"Nothing was stored. {str(fault)[:1].upper()}{str(fault)[1:]}.")
            return cleaned
        there = SeatingPlan.objects.filter(content_hash=self.reading.plan.content_hash).first()
        if there is not None:
            same = there.venue_id == venue.pk
            where = "This hall has this very plan already" if same else "Another hall has this very plan"
            self.add_error("file", f"{where}. Give it a name of its own to store it once more.")
        return cleaned


class SeatingPlanAdmin(ModelAdmin):
    """Seating plans: a picture of each, and the upload of new ones. A plan never changes: upload a new version."""

    when_empty = "A seating plan says which places a hall has. Upload one as a file."
    list_display = ("name", "venue", "places", "created_at")
    list_select_related = ("venue",)
    search_fields = ("name", "venue__name", "venue__city")
    fields = ("name", "venue", "created_at")
    change_form_outer_before_template = "seating/admin/plan.html"

    def get_form(
        self, request: HttpRequest, obj: SeatingPlan | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs.update(form=PlanUpload, fields=("venue", "name"))
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: SeatingPlan | None = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else ((None, {"fields": ("venue", "name", "file")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: SeatingPlan | None = None) -> tuple[str, ...]:
        return ("created_at",) if obj else ()

    def get_urls(self) -> list[URLPattern]:
        save = path(
            "<uuid:object_id>/save/<str:file_format>/",
            self.admin_site.admin_view(self.save_as_file),
            name="seating_seatingplan_save",
        )
        return [save, *super().get_urls()]

    def save_as_file(self, request: HttpRequest, object_id: UUID, file_format: str) -> HttpResponse:
        """Hand the plan out as a file that can be read in again."""
        plan = self.get_object(request, str(object_id))
        if plan is None or file_format not in FORMATS or not self.has_view_permission(request, plan):
            raise Http404
        suffix = "csv" if file_format == "csv" else "json"
        response = HttpResponse(export(plan, file_format), content_type=f"text/{suffix}; charset=utf-8")
        if suffix == "json":
            response["Content-Type"] = "application/json"
        response["Content-Disposition"] = f'attachment; filename="plan-{plan.content_hash[:12]}.{suffix}"'
        return response

    def save_model(self, request: HttpRequest, obj: SeatingPlan, form: PlanUpload, change: bool) -> None:
        """Store the plan that the file holds; `obj` becomes its row."""
        reading = form.reading
        stored = store_plan(venue=obj.venue, plan=reading.plan, guids=reading.guids)
        obj.__dict__.update(stored.__dict__)
        if reading.warnings:
            shown = " ".join(reading.warnings[:WARNINGS_SHOWN])
            more = f" And {len(reading.warnings) - WARNINGS_SHOWN:,} more." * (len(reading.warnings) > WARNINGS_SHOWN)
            self.message_user(request, f"Please look at the picture: {shown}{more}", messages.WARNING)

    def response_add(self, request: HttpRequest, obj: SeatingPlan, post_url_continue: Any = None) -> HttpResponse:
        self.message_user(request, f"“{obj.name}” is stored: {obj.seat_count:,} places.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:seating_seatingplan_change", args=[obj.pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], add: bool = False, change: bool = False, **kwargs: Any
    ) -> Any:
        plan = kwargs.get("obj")
        if plan is not None:
            context.update(plan=plan, hall=summary(decoded(plan.content_hash)))
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
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
