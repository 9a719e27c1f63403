"""Presale codes: made many at a time, downloaded as CSV, withdrawn while nobody has used them."""

import csv
import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from unfold import widgets

from events.models import Event, PresaleCode, SaleWindow
from inventory import audit
from inventory.admin.desk import context, of_row
from inventory.back_office import actor
from inventory.models import FanLimit

# Without letters and digits that are taken for one another when read out or typed from paper.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8  # 31^8 codes: guessing one of 5,000 takes 10^8 tries.
MOST_AT_ONCE = 5000
SHOWN = 200


class CodesForm(forms.Form):
    """How many codes to make, and for which presale."""

    window = forms.ModelChoiceField(
        label="Presale", queryset=SaleWindow.objects.none(), empty_label=None, widget=widgets.UnfoldAdminSelectWidget
    )
    quantity = forms.IntegerField(
        label="How many codes", min_value=1, max_value=MOST_AT_ONCE, initial=50,
        widget=widgets.UnfoldAdminIntegerFieldWidget,
    )  # fmt: skip
    max_fans = forms.IntegerField(
        label="Fans per code",
        min_value=1,
        max_value=1_000_000,
        initial=1,
        widget=widgets.UnfoldAdminIntegerFieldWidget,
        help_text="1 for personal codes. More for one code shared by, for example, a fan club.",
    )
    code = forms.RegexField(
        r"^[A-Za-z0-9-]{4,40}$",
        label="Or one code of your own",
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="For example FANCLUB27. Leave empty to have codes made.",
        error_messages={"invalid": "4 to 40 letters, digits and hyphens."},
    )

    def __init__(self, *args: Any, windows: QuerySet[SaleWindow], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["window"].queryset = windows

    def clean_code(self) -> str:
        return self.cleaned_data["code"].upper()


@of_row
def codes(page: Any, request: HttpRequest, event: Event) -> HttpResponse:
    """Show an event's presale codes, make more, or withdraw those that nobody has used."""
    from inventory.admin.events import panel  # The event's page lists this one among its own.

    windows = event.windows.filter(access=SaleWindow.Access.PRESALE).order_by("opens_at")
    here = reverse("admin:events_event_codes", args=[event.pk])
    form = CodesForm(windows=windows)
    if request.method == "POST" and request.POST.get("do") == "withdraw":
        count = _withdraw(event, actor(request))
        messages.success(request, f"{count:,} unused codes are withdrawn.")
        return HttpResponseRedirect(here)
    if request.method == "POST":
        form = CodesForm(request.POST, windows=windows)
        if form.is_valid():
            made = _make(event, actor(request), **form.cleaned_data)
            if made:
                messages.success(request, f"{made:,} {'code is' if made == 1 else 'codes are'} ready.")
            else:
                messages.warning(request, "This presale has that code already.")
            return HttpResponseRedirect(here)
    shown = context(
        page,
        request,
        event,
        f"Presale codes of {event}",
        form=form,
        windows=windows,
        total=PresaleCode.objects.filter(window__event=event).count(),
        codes=_with_use(event)[:SHOWN],
        **panel(event, "codes"),
    )
    return render(request, "inventory/admin/event/codes.html", shown, status=422 if form.errors else 200)


@of_row
def codes_csv(page: Any, request: HttpRequest, event: Event) -> HttpResponse:
    """Download every presale code of the event with its use."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="codes-{event.slug}.csv"'
    writer = csv.writer(response)
    writer.writerow(["code", "presale", "fans", "used"])
    for code in _with_use(event):
        writer.writerow([code.code, code.window.name, code.max_fans, code.used])
    return response


def _with_use(event: Event) -> list[PresaleCode]:
    """Return the event's codes, the newest first, each with `used`: how many fans have come in by it."""
    used = dict(
        FanLimit.objects.filter(event=event, presale_code__isnull=False)
        .order_by()
        .values_list("presale_code")
        .annotate(Count("id"))
    )
    found = list(PresaleCode.objects.filter(window__event=event).select_related("window").order_by("-id"))
    for code in found:
        code.used = used.get(code.pk, 0)
    return found


def _make(event: Event, by: str, *, window: SaleWindow, quantity: int, max_fans: int, code: str) -> int:
    wanted = [code] if code else [_new_code() for _ in range(quantity)]
    with transaction.atomic():
        before = window.codes.count()
        PresaleCode.objects.bulk_create(
            (PresaleCode(window=window, code=text, max_fans=max_fans) for text in wanted), ignore_conflicts=True
        )
        made = window.codes.count() - before
        _record(event, by, "codes.made", {"presale": window.name, "codes": made, "fans_each": max_fans})
    return made


def _new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def _withdraw(event: Event, by: str) -> int:
    used = FanLimit.objects.filter(event=event, presale_code__isnull=False).values("presale_code")
    with transaction.atomic():
        count, _ = PresaleCode.objects.filter(window__event=event).exclude(pk__in=used).delete()
        _record(event, by, "codes.withdrawn", {"codes": count})
    return count


def _record(event: Event, by: str, action: str, detail: dict[str, Any]) -> None:
    audit.record(
        actor=by,
        action=action,
        subject=event.pk,
        event_id=event.pk,
        organizer_id=event.organizer_id,
        detail=detail,
    )
