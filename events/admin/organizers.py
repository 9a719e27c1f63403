"""The page of an organizer: who they are in public, their fees, and who may run their sales."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from events.admin.fields import MoneyField, PercentField, money_widget
from events.admin.scope import ScopedAdmin, ScopedInline
from events.models import Event, Membership, Organizer


class OrganizerForm(forms.ModelForm):
    """An organizer with fees in percent and in major units."""

    fee_basis_points = PercentField(
        label="Service fee, in percent",
        initial=0,
        help_text="Added to the price of every ticket and shown to the buyer before paying. 0 for none.",
    )
    fee_fixed = MoneyField(
        label="Service fee, fixed", initial=0, help_text="Added to every ticket as well, for example 1.50."
    )

    class Meta:
        model = Organizer
        fields = "__all__"
        labels = {"slug": "Web address", "email": "E-mail"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fee_fixed"].currency = self.instance.currency
        self.fields["fee_fixed"].widget = money_widget(self.instance.currency)

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            raise forms.ValidationError("Write the three letters of the currency, for example EUR.")
        return currency


class MembershipInline(ScopedInline):
    """Who may work for the organizer; only a superuser appoints people."""

    model = Membership
    autocomplete_fields = ("user",)
    verbose_name = "person"
    verbose_name_plural = "team"

    def _may(self, act: str, request: HttpRequest, obj: Any) -> bool:
        return super()._may(act, request, obj) and (act == "view" or request.user.is_superuser)


@admin.register(Organizer)
class OrganizerAdmin(ScopedAdmin):
    """Organizers, for their managers; only a superuser makes new ones and says where they play."""

    form = OrganizerForm
    organizer_path = "pk"
    list_display = ("name", "events_on", "currency", "email")
    search_fields = ("name", "email")
    prepopulated_fields = {"slug": ("name",)}
    filter_horizontal = ()
    autocomplete_fields = ("venues",)
    inlines = (MembershipInline,)
    fieldsets = (
        (
            "In public",
            {
                "fields": ("name", "slug", "about", ("website", "email")),
                "description": "What fans read on your page and on every event of yours.",
            },
        ),
        (
            "Money",
            {
                "fields": ("currency", ("fee_basis_points", "fee_fixed")),
                "description": "Fees apply to orders from now on; orders that exist keep theirs.",
            },
        ),
        ("Where you play", {"fields": ("venues",)}),
    )

    def _may(self, act: str, request: HttpRequest, obj: Any) -> bool:
        return super()._may(act, request, obj) and (act in ("view", "change") or request.user.is_superuser)

    def get_readonly_fields(self, request: HttpRequest, obj: Organizer | None = None) -> tuple[str, ...]:
        """Keep the currency of prices that exist, and let nobody move into another organizer's venue."""
        fixed = ("currency",) if obj and Event.objects.filter(organizer=obj).exists() else ()
        return fixed if request.user.is_superuser else (*fixed, "slug", "venues")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Organizer | None = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    @display(description="Events")
    def events_on(self, organizer: Organizer) -> int:
        return organizer.events.count()
