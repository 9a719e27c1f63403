"""The knobs of the running site, for superusers: where they stand, what each does, and turning them."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from unfold import widgets

from config import knob_board
from config.knobs import KNOBS, Knob
from inventory import audit
from inventory.back_office import actor


class KnobsForm(forms.Form):
    """A number for each knob, with its bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for knob in KNOBS.values():
            self.fields[knob.name] = _field(knob)

    def texts(self) -> dict[str, str]:
        """Return what was typed, as knobs read it."""
        return {name: str(value) for name, value in self.cleaned_data.items()}


def _field(knob: Knob) -> forms.Field:
    unit = f" {knob.unit}" if knob.unit else ""
    about: dict[str, Any] = {
        "label": knob.label,
        "min_value": knob.low,
        "max_value": knob.high,
        "help_text": f"{knob.help} From {knob.low:g} to {knob.high:g}{unit}; by default {knob.default:g}{unit}.",
    }
    if isinstance(knob.default, int):
        return forms.IntegerField(widget=widgets.UnfoldAdminIntegerFieldWidget(), **about)
    return forms.FloatField(widget=widgets.UnfoldAdminDecimalFieldWidget(), **about)


def urls(site: AdminSite) -> list[URLPattern]:
    """Return the page's address, behind the back office's own door."""

    def page(request: HttpRequest) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        stands = knob_board.settings_of(knob_board.stored())
        form = KnobsForm(request.POST if request.method == "POST" else None, initial=stands)
        if request.method == "POST" and form.is_valid():
            messages.success(request, _told(turn(actor(request), form.texts())))
            return HttpResponseRedirect(reverse("admin:knobs"))
        shown = {**site.each_context(request), "title": "Knobs", "form": form}
        return render(request, "inventory/admin/knobs.html", shown, status=422 if form.errors else 200)

    return [path("knobs/", site.admin_view(page), name="knobs")]


def turn(who: str, texts: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Turn knobs, and write to the audit log what stood where; return what changed: from, to, by name."""
    with transaction.atomic():
        changed = knob_board.turn(texts)
        for name, (before, after) in changed.items():
            audit.record(actor=who, action="knob.turned", subject=name, detail={"from": before, "to": after})
    return changed


def _told(changed: dict[str, tuple[str, str]]) -> str:
    if not changed:
        return "Everything stands where it stood."
    turned = "; ".join(f"{KNOBS[name].label}: {after} (was {before})" for name, (before, after) in changed.items())
    return f"{turned}. Every process follows within two seconds."
