"""The page of an event: what, when and where it is, its prices and sale windows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from config.ids import new_id
from events.admin.fields import LocalTimeField, MinutesField, MoneyField, money_widget
from events.admin.scope import ScopedAdmin, ScopedInline
from events.models import Event, PriceTier, SaleWindow
from events.sale_state import sale_state
from events.tiers import category_names, coverage_faults, first_tiers
from seating.models import SeatingPlan

# What tickets and links rely on; dates are moved by a verb that takes the sale windows along.
FIXED_ONCE_PUBLIC = ("organizer", "slug", "plan", "starts_at", "ends_at", "doors_at")
LARGEST_IMAGE_BYTES = 8_000_000
STATE_LABELS = {
    "draft": "Draft",
    "upcoming": "Not yet on sale",
    "presale": "Presale",
    "open": "On sale",
    "paused": "Paused",
    "closed": "Sale closed",
    "cancelled": "Cancelled",
}

BADGES = {
    "On sale": "success",
    "Presale": "success",
    "Paused": "warning",
    "Not yet on sale": "info",
    "Sold out": "primary",
    "Cancelled": "danger",
}


class PlanChoice(forms.ModelChoiceField):
    """Offers seating plans with the place they belong to."""

    def label_from_instance(self, plan: SeatingPlan) -> str:
        return f"{plan.venue} · {plan.name} ({plan.seat_count:,} places)"


class EventForm(forms.ModelForm):
    """An event in the organiser's words: the hall is one choice, times are the venue's, clocks are in minutes."""

    starts_at = LocalTimeField(label="Begins", help_text="Local time at the venue.")
    doors_at = LocalTimeField(label="Doors open", required=False, help_text="Leave empty if you do not say.")
    ends_at = LocalTimeField(label="Ends", required=False, help_text="Leave empty if you do not know.")
    hold_seconds = MinutesField(
        label="Minutes to pay",
        min_value=1,
        max_value=60,
        initial=600,
        help_text="How long seats are kept for a fan who has picked them. 10 is usual.",
    )
    extend_seconds = MinutesField(
        label="Minutes more, once",
        min_value=0,
        max_value=30,
        initial=300,
        help_text="What a fan gets on asking for more time; it can be asked once.",
    )

    class Meta:
        model = Event
        fields = "__all__"
        labels = {
            "organizer": "Organiser",
            "max_per_fan": "Tickets per fan",
            "subtitle": "Second line",
            "slug": "Web address",
        }
        help_texts = {
            "max_per_fan": "The most that one fan can buy, over all of the fan's orders.",
            "subtitle": "For example the tour, the support act or the director.",
            "slug": "The last part of the page's address. It cannot change once the event is public.",
            "description": "Plain text; an empty line begins a new paragraph.",
            "image": "Upright, about 960 by 1,200 pixels, the main thing in the middle. JPEG, PNG or WebP up to 8 MB.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding and self.instance.status != Event.Status.DRAFT:
            for name in FIXED_ONCE_PUBLIC:
                self.fields[name].disabled = True
        organizer = self.fields.get("organizer")
        if organizer and organizer.queryset.count() == 1:
            organizer.initial = organizer.queryset.get().pk
            organizer.empty_label = None

    def clean_image(self) -> Any:
        image = self.cleaned_data["image"]
        if image and getattr(image, "size", 0) > LARGEST_IMAGE_BYTES and "image" in self.changed_data:
            raise forms.ValidationError("This picture is larger than 8 MB: save it smaller, then upload it again.")
        if image and "image" in self.changed_data and hasattr(image, "image"):
            suffix = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}.get(image.image.format)
            if suffix is None:
                raise forms.ValidationError("Only JPEG, PNG and WebP pictures can be shown everywhere.")
            # A name of our own: what a person called the file is nobody's business, and could carry a path.
            image.name = f"{new_id()}.{suffix}"
        return image

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        starts, doors, ends = (cleaned.get(name) for name in ("starts_at", "doors_at", "ends_at"))
        if starts and ends and ends <= starts:
            self.add_error("ends_at", "The show must end after it begins.")
        if starts and doors and doors > starts:
            self.add_error("doors_at", "The doors must open before the show begins.")
        if (plan := cleaned.get("plan")) is not None:
            self.instance.venue = plan.venue
        return cleaned


class TierForm(forms.ModelForm):
    """One price: the categories of the plan it is for, and how it is marked in the map."""

    categories = forms.MultipleChoiceField(
        label="Parts of the hall",
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="The plan's categories sold at this price.",
    )
    amount = MoneyField(label="Price", help_text="What a ticket costs, without the service fee.")

    class Meta:
        model = PriceTier
        fields = ("name", "categories", "amount", "color", "shape")
        labels = {"color": "Colour in the map", "shape": "Shape in the map"}
        widgets = {"color": widgets.UnfoldAdminColorInputWidget}

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = category_names(event.plan)
        self.fields["categories"].choices = [(name, name) for name in names]
        self.fields["amount"].currency = event.organizer.currency
        self.fields["amount"].widget = money_widget(event.organizer.currency)
        if event.status != Event.Status.DRAFT:
            # Seats carry the number of their price: what is sold as what stands from publication on.
            self.fields["categories"].disabled = True
            self.fields["categories"].choices = [(name, name) for name in self.instance.categories]
        _name_boxes(self, "Price", self.instance.name)


class TierFormSet(forms.BaseInlineFormSet):
    """All prices of an event: together they price every part of the hall once."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "event": self.instance}

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        faults = coverage_faults(category_names(self.instance.plan), [f.cleaned_data["categories"] for f in kept])
        if faults:
            raise forms.ValidationError(faults)

    def save_new(self, form: TierForm, commit: bool = True) -> PriceTier:
        """Put a new price after the others; gaps left by deleted ones are closed when all are saved."""
        last = PriceTier.objects.filter(event=self.instance).order_by("-number").first()
        form.instance.number = last.number + 1 if last else 0
        return super().save_new(form, commit)

    def save(self, commit: bool = True) -> list[PriceTier]:
        saved = super().save(commit)
        # Ascending, every number only ever falls, into a place that is already free.
        for number, tier in enumerate(self.instance.tiers.order_by("number")):
            if tier.number != number:
                PriceTier.objects.filter(pk=tier.pk).update(number=number)
        return saved


class TierInline(ScopedInline):
    """Prices, as a tab of the event."""

    model = PriceTier
    organizer_path = "event__organizer_id"
    form = TierForm
    formset = TierFormSet
    tab = True
    verbose_name = "price"
    verbose_name_plural = "prices"

    def has_add_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return super().has_add_permission(request, obj) and obj is not None and obj.status == Event.Status.DRAFT

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and obj.status == Event.Status.DRAFT


class WindowForm(forms.ModelForm):
    """One sale window, in the venue's time."""

    opens_at = LocalTimeField(label="Opens")
    closes_at = LocalTimeField(label="Closes")

    class Meta:
        model = SaleWindow
        fields = ("name", "access", "opens_at", "closes_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_boxes(self, "Sale window", self.instance.name if self.instance.pk else "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        opens, closes = cleaned.get("opens_at"), cleaned.get("closes_at")
        if opens and closes and closes <= opens:
            self.add_error("closes_at", "A sale must close after it opens.")
        return cleaned


class WindowInline(ScopedInline):
    """Sale windows, as a tab of the event."""

    model = SaleWindow
    organizer_path = "event__organizer_id"
    form = WindowForm
    tab = True
    verbose_name = "sale window"
    verbose_name_plural = "sale windows"


class EventAdmin(ScopedAdmin):
    """Events of the manager's organizers. Plan and dates of a public event are changed by verbs, not by this form."""

    form = EventForm
    when_empty = "Choose a hall, say when, set the prices: an event is on sale in four steps."
    list_display: tuple[str, ...] = ("name", "begins", "where", "sale")
    list_select_related = ("venue", "organizer")
    list_filter = (("status", ChoicesDropdownFilter), ("category", ChoicesDropdownFilter))
    search_fields = ("name", "subtitle", "venue__name", "venue__city")
    ordering = ("-starts_at",)
    list_per_page = 50
    prepopulated_fields = {"slug": ("name",)}
    warn_unsaved_form = True
    fieldsets = (
        ("What", {"fields": ("organizer", "name", "subtitle", "category", "slug", "description", "image")}),
        ("Where", {"fields": ("plan",)}),
        ("When", {"fields": ("starts_at", "ends_at", "doors_at")}),
        (
            "Rules of the sale",
            {
                "fields": ("max_per_fan", "hold_seconds", "extend_seconds"),
                "description": "These can be changed during the sale; seats held already keep their time.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("windows")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Event | None = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "plan":
            kwargs["form_class"] = PlanChoice
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "organizer":
            field.label = "Organiser"
        if db_field.name == "plan":
            field.queryset = field.queryset.select_related("venue").order_by("venue__name", "name")
            field.label = "Seating plan"
            field.help_text = "It also says which venue. It cannot change once the event is public."
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Allow deleting drafts only: what was public is cancelled, and stays on record."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Event.Status.DRAFT)

    def get_inlines(self, request: HttpRequest, obj: Event | None) -> tuple[type[ScopedInline], ...]:
        """Show prices and windows once the event exists, and no prices while its plan is being exchanged."""
        if obj is None or obj._state.adding:
            return ()
        chosen = request.POST.get("plan", str(obj.plan_id))
        if obj.status == Event.Status.DRAFT and chosen != str(obj.plan_id):
            return (WindowInline,)
        return (TierInline, WindowInline)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        with _venue_time(self._venue_zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            # Rendered here, while the venue's time is active: it would be rendered after this method otherwise.
            return response.render() if hasattr(response, "render") else response

    def _venue_zone(self, request: HttpRequest, object_id: str | None) -> str | None:
        """Return the time zone of the plan being posted, or else of the event's venue."""
        plans = self.admin_site._registry[SeatingPlan].get_queryset(request)
        try:
            if posted := request.POST.get("plan"):
                return plans.values_list("venue__timezone", flat=True).filter(pk=posted).first()
            if object_id:
                return self.get_queryset(request).values_list("venue__timezone", flat=True).filter(pk=object_id).first()
        except (ValueError, forms.ValidationError):
            pass  # Not an id; the form says so.
        return None

    def get_form(self, request: HttpRequest, obj: Event | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj and "starts_at" in form.base_fields:
            zone = obj.venue.timezone.replace("_", " ")
            form.base_fields["starts_at"].help_text = f"Local time at the venue ({zone})."
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context.update(show_save_and_add_another=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Begin prices anew for a new event, or for another plan."""
        super().save_related(request, form, formsets, change)
        if not change or "plan" in form.changed_data:
            event = form.instance
            event.tiers.all().delete()
            PriceTier.objects.bulk_create(first_tiers(event))
            if change:
                self.message_user(request, "The prices were begun anew for the new seating plan: please set them.")

    def response_add(self, request: HttpRequest, obj: Event, post_url_continue: Any = None) -> HttpResponse:
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"“{obj}” is saved as a draft. Now set its prices and say when it is sold.")
        return HttpResponseRedirect(reverse("admin:events_event_change", args=[obj.pk]) + "#tiers")

    @display(description="Begins", ordering="starts_at")
    def begins(self, event: Event) -> str:
        """Show the date in the venue's time."""
        return f"{event.starts_at.astimezone(ZoneInfo(event.venue.timezone)):%a %d %b %Y, %H:%M}"

    @display(description="Venue", ordering="venue__name")
    def where(self, event: Event) -> str:
        return str(event.venue)

    @display(description="Sale", label=BADGES)
    def sale(self, event: Event) -> str:
        """Show what the sale is doing now."""
        return STATE_LABELS[sale_state(event, timezone.now()).state]


def _name_boxes(form: forms.ModelForm, what: str, name: str) -> None:
    """Tell screen readers which row and column a box stands in: the table shows it by place only."""
    for field in form.fields.values():
        field.widget.attrs["aria-label"] = f"{what} {name or '(new)'}: {field.label}"


@contextmanager
def _venue_time(zone: str | None) -> Iterator[None]:
    with timezone.override(ZoneInfo(zone) if zone else timezone.get_default_timezone()):
        yield
