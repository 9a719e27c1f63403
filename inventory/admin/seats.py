"""Blocking and releasing seats, on a picture of the hall or by typing what they are called."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from unfold import widgets

from events.catalog import entry
from events.models import Event
from events.shell import event_data
from inventory import audit, purchase
from inventory.admin.desk import context, of_row
from inventory.back_office import actor
from inventory.models import Seat
from seating.places import PlaceUnknown, named_places
from seating.plans import plan as decoded


class SeatsForm(forms.Form):
    """Which seats, chosen in the map (`indexes`, a JSON list) or typed (`named`), and why."""

    indexes = forms.CharField(required=False, widget=forms.HiddenInput)
    named = forms.CharField(
        label="Or type the seats",
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Section, row, seats; one group a line. A section or a row alone means all of it; in a standing "
        "area, the number of places.",
    )
    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="For the log: sound desk, sponsor, house seats …",
    )

    def __init__(self, *args: Any, event: Event, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hall = decoded(event.plan.content_hash)
        seated = next((s for s in self.hall.sections if not s.is_standing), None)
        example = f"{seated.name} {seated.rows[0].label} 1-4" if seated else f"{self.hall.sections[0].name} 20"
        self.fields["named"].widget.attrs["placeholder"] = example

    def clean_indexes(self) -> list[int]:
        try:
            indexes = json.loads(self.cleaned_data["indexes"] or "[]")
        except ValueError as error:
            raise forms.ValidationError("The seats chosen in the map could not be read.") from error
        if not isinstance(indexes, list) or not all(type(i) is int for i in indexes):
            raise forms.ValidationError("The seats chosen in the map could not be read.")
        if any(not 0 <= i < self.hall.seat_count for i in indexes):
            raise forms.ValidationError("A chosen seat is not in this hall.")
        return indexes

    def clean_named(self) -> list[int]:
        try:
            return named_places(self.hall, self.cleaned_data["named"])
        except PlaceUnknown as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        cleaned["seats"] = sorted({*cleaned.get("indexes", ()), *cleaned.get("named", ())})
        if not self.errors and not cleaned["seats"]:
            raise forms.ValidationError("Choose seats in the map, or type which ones.")
        return cleaned


@of_row
def seats(page: Any, request: HttpRequest, event: Event) -> HttpResponse:
    """Show the picture of the hall with what is sold, held and blocked."""
    return _show(page, request, event, SeatsForm(event=event))


@of_row
def mark(page: Any, request: HttpRequest, event: Event) -> HttpResponse:
    """Block or release the chosen seats; answers JSON to the page's script, and a page to a browser without it."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = SeatsForm(request.POST, event=event)
    wants_json = "application/json" in request.headers.get("Accept", "")
    if form.is_valid():
        try:
            told = _mark(request, event, form.cleaned_data)
        except purchase.Refusal as refusal:
            form.add_error(None, refusal.detail)
        else:
            if wants_json:
                return JsonResponse({"told": told})
            messages.success(request, told)
            return HttpResponseRedirect(reverse("admin:events_event_seats", args=[event.pk]))
    if wants_json:
        faults = [fault for several in form.errors.values() for fault in several]
        return JsonResponse({"faults": faults}, status=422)
    return _show(page, request, event, form, status=422)


def _mark(request: HttpRequest, event: Event, chosen: dict[str, Any]) -> str:
    blocking = request.POST.get("do") == "block"
    verb = purchase.block_seats if blocking else purchase.unblock_seats
    count = verb(event_id=event.pk, indexes=chosen["seats"], actor=actor(request))
    if chosen["reason"] and count:
        audit.record(
            actor=actor(request),
            action="block.explained" if blocking else "release.explained",
            subject=event.pk,
            event_id=event.pk,
            organizer_id=event.organizer_id,
            detail={"reason": chosen["reason"], "seats": count},
        )
    noun = "seat is" if count == 1 else "seats are"
    told = f"{count:,} {noun} {'blocked' if blocking else 'for sale again'}."
    left = len(chosen["seats"]) - count
    if left:
        why = "held, sold or blocked already" if blocking else "not blocked"
        told += f" {left:,} {'was' if left == 1 else 'were'} left alone: {why}."
    return told


def _show(page: Any, request: HttpRequest, event: Event, form: SeatsForm, status: int = 200) -> HttpResponse:
    from inventory.admin.events import panel  # The event's page lists this one among its own.

    has_stock = Seat.objects.filter(event=event).exists()
    shown = context(
        page,
        request,
        event,
        f"Seats of {event}",
        form=form,
        has_stock=has_stock,
        map_data=event_data(entry(event.slug, timezone.now())) if has_stock else None,
        **panel(event, "seats"),
    )
    return render(request, "inventory/admin/event/seats.html", shown, status=status)
