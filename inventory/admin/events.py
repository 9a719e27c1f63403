"""The page of an event with its sale: publish, open, pause, close, cancel, the sales board and the seats."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold import widgets
from unfold.decorators import display
from unfold.views import ChangeList

from events.admin.events import BADGES, STATE_LABELS, EventAdmin
from events.admin.fields import LocalTimeField
from events.catalog import Entry
from events.models import Event
from events.sale_state import sale_state
from events.sales import publishing_faults
from events.shell import shell_context
from inventory import boxoffice
from inventory.admin import codes, seats
from inventory.admin.desk import ask, context, of_row
from inventory.admin.overview import shown_state
from inventory.back_office import actor
from inventory.models import Order
from inventory.reports import Places, sales_board, sold_shares


class CancelForm(forms.Form):
    """Why a show is called off, and the proof that it is meant."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="Kept in the log. Buyers are told that the event was cancelled.",
    )
    sure = forms.BooleanField(
        label="Yes, cancel this event for good",
        widget=widgets.UnfoldBooleanWidget,
        error_messages={"required": "Tick the box if you mean it."},
    )


class RescheduleForm(forms.Form):
    """The new times of a show, in the venue's time zone, which the page has activated."""

    starts_at = LocalTimeField(label="Begins")
    ends_at = LocalTimeField(label="Ends", required=False)
    doors_at = LocalTimeField(label="Doors open", required=False)


# What each button is called, what it will do, and the verb behind it.
Verb = tuple[str, str, str, tuple[str, ...], Callable[..., Any], str]
VERBS: dict[str, Verb] = {
    "publish": (
        "Publish",
        "rocket_launch",
        "Publish this event?",
        (
            "Its page becomes public, and it is sold as its sale windows say.",
            "Its seating plan, address and parts of the hall are fixed then; prices, texts and windows are not.",
        ),
        boxoffice.publish_event,
        "“{event}” is public.",
    ),
    "open": (
        "Open now",
        "play_arrow",
        "Open the sale to everybody now?",
        ("The next sale window for everybody begins this moment instead of at its own time.",),
        boxoffice.open_sale,
        "The sale of “{event}” is open.",
    ),
    "pause": (
        "Pause",
        "pause",
        "Pause the sale?",
        (
            "Nobody can pick seats until you resume.",
            "Fans who hold seats already may still pay, as long as their time lasts.",
        ),
        boxoffice.pause_sale,
        "The sale of “{event}” is paused.",
    ),
    "resume": (
        "Resume",
        "play_arrow",
        "Resume the sale?",
        ("The sale goes on as its sale windows say.",),
        boxoffice.resume_sale,
        "The sale of “{event}” goes on.",
    ),
    "close": (
        "Close",
        "stop",
        "Close the sale?",
        (
            "Nobody can pick seats any more, whatever the sale windows say. You can reopen it.",
            "Fans who hold seats already may still pay, as long as their time lasts.",
        ),
        boxoffice.close_sale,
        "The sale of “{event}” is closed.",
    ),
    "reopen": (
        "Reopen",
        "lock_open",
        "Reopen the sale?",
        ("The sale goes on as its sale windows say.",),
        boxoffice.reopen_sale,
        "The sale of “{event}” is reopened.",
    ),
}


class ShareList(ChangeList):
    """The list of events with the places of those on the page, counted in one read."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        shares = sold_shares(self.result_list)
        for event in self.result_list:
            event.places = shares.get(event.pk, Places())


@admin.register(Event)
class EventDesk(EventAdmin):
    """Events with what they sell."""

    list_display = ("name", "begins", "where", "sale", "sold")
    list_per_page = 25
    change_form_outer_before_template = "inventory/admin/event/panel.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ShareList

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("sales", "sales", _sales),
            ("preview", "preview", _preview),
            ("sale/reschedule", "reschedule", _reschedule),
            ("sale/cancel", "cancel", _cancel),
            ("sale/refunds", "refunds", _continue_refunds),
            ("sale/<str:verb>", "verb", _verb),
            ("seats", "seats", seats.seats),
            ("seats/mark", "mark", seats.mark),
            ("codes", "codes", codes.codes),
            ("codes.csv", "codes-csv", codes.codes_csv),
        ]
        return [
            path(
                f"<uuid:object_id>/{address}{'' if '.' in address else '/'}",
                self.admin_site.admin_view(_bound(self, view)),
                name=f"events_event_{name}",
            )
            for address, name, view in pages
        ] + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Event | None = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context.update(panel(obj, "details"))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @display(description="Sale", label=BADGES)
    def sale(self, event: Event) -> str:
        return shown_state(sale_state(event, timezone.now()), event.places)["label"]

    @display(description="Sold")
    def sold(self, event: Event) -> str:
        places = event.places
        if not places.total:
            return "-"
        return format_html(
            '<span class="bo-share"><progress class="bo-meter" max="100" value="{}">{} %</progress>'
            '<span class="bo-num">{}</span></span>',
            places.sold_percent,
            places.sold_percent,
            f"{places.sold:,} of {places.total - places.blocked:,}",
        )


def _bound(page: EventDesk, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def inner(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        kwargs["object_id"] = str(kwargs["object_id"])
        return view(page, request, **kwargs)

    return inner


def panel(event: Event, tab: str) -> dict[str, Any]:
    """Return what stands above every page of an event: what its sale is doing, its buttons, its other pages."""
    now = timezone.now()
    sale = sale_state(event, now)
    return {
        "event": event,
        "sale": sale,
        "sale_label": STATE_LABELS[sale.state],
        "zone": event.venue.timezone,
        "verbs": [(verb, VERBS[verb][0], VERBS[verb][1]) for verb in _offered(event, sale.state)],
        "faults": publishing_faults(event, now) if event.status == Event.Status.DRAFT else [],
        "unrefunded": _unrefunded(event),
        "tab": tab,
    }


def _offered(event: Event, state: str) -> tuple[str, ...]:
    """Return the verbs that lead anywhere from this state, the likeliest first."""
    if state == "closed":
        return ("reopen",) if event.sale_switch == Event.SaleSwitch.CLOSED else ("open",)
    return {
        "draft": ("publish",),
        "upcoming": ("open", "pause", "close"),
        "presale": ("open", "pause", "close"),
        "open": ("pause", "close"),
        "paused": ("resume", "close"),
    }.get(state, ())


def _unrefunded(event: Event) -> int:
    if event.status != Event.Status.CANCELLED:
        return 0
    return Order.objects.filter(event=event, state=Order.State.PAID).count()


def _home(event: Event) -> str:
    return reverse("admin:events_event_change", args=[event.pk])


@of_row
def _sales(page: EventDesk, request: HttpRequest, event: Event) -> HttpResponse:
    """Show the sales board."""
    shown = context(page, request, event, f"Sales of {event}", board=sales_board(event), **panel(event, "sales"))
    return render(request, "inventory/admin/event/sales.html", shown)


@of_row
def _preview(page: EventDesk, request: HttpRequest, event: Event) -> HttpResponse:
    """Show the public page as it will be once the event is published; without the map, which needs stock."""
    now = timezone.now()
    event.status = Event.Status.PUBLISHED  # On this copy only: the page has no other way of saying what will be.
    windows, tiers = tuple(event.windows.order_by("opens_at")), tuple(event.tiers.order_by("number"))
    entry = Entry(event, tiers, windows, sale_state(event, now, windows), False)
    return render(request, "onsale/event.html", {**shell_context(entry), "has_map": False})


@of_row
def _verb(page: EventDesk, request: HttpRequest, event: Event, verb: str) -> HttpResponse:
    """Ask whether the sale should be moved on, and do it."""
    if verb not in VERBS:
        raise Http404
    label, _, question, consequences, run, told = VERBS[verb]

    def act(form: forms.Form) -> str:
        run(event_id=event.pk, actor=actor(request))
        return told.format(event=event)

    more = [f"Still to do: {fault}" for fault in panel(event, "")["faults"]] if verb == "publish" else []
    return ask(
        page,
        request,
        event,
        title=question,
        consequences=[*consequences, *more],
        button=label,
        act=act,
        back=_home(event),
        **panel(event, "details"),
    )


@of_row
def _reschedule(page: EventDesk, request: HttpRequest, event: Event) -> HttpResponse:
    """Ask for the new times of the show, and move it."""

    def act(form: forms.Form) -> str:
        boxoffice.reschedule_event(event_id=event.pk, actor=actor(request), **form.cleaned_data)
        return f"“{event}” is moved."

    with timezone.override(ZoneInfo(event.venue.timezone)):
        return ask(
            page,
            request,
            event,
            title="Move this event to another time?",
            consequences=[
                f"Times are local to the venue ({event.venue.timezone}).",
                "A sale window that closes when the show begins will close at the new beginning.",
                "Tickets stay valid. Tell your buyers why: this does not send them a message.",
            ],
            button="Move the event",
            act=act,
            back=_home(event),
            form_class=RescheduleForm,
            form_arguments={
                "initial": {"starts_at": event.starts_at, "ends_at": event.ends_at, "doors_at": event.doors_at}
            },
            **panel(event, "details"),
        )


@of_row
def _cancel(page: EventDesk, request: HttpRequest, event: Event) -> HttpResponse:
    """Ask for the reason, and call the show off."""
    paid = Order.objects.filter(event=event, state=Order.State.PAID).count()

    def act(form: forms.Form) -> str:
        boxoffice.cancel_event(event_id=event.pk, reason=form.cleaned_data["reason"], actor=actor(request))
        return f"“{event}” is cancelled. {paid:,} paid orders are being refunded."

    return ask(
        page,
        request,
        event,
        title="Cancel this event?",
        consequences=[
            "The sale ends at once, and the page says that the event is cancelled.",
            f"All {paid:,} paid orders are refunded in full, and their tickets stop being valid.",
            "This cannot be undone.",
        ],
        button="Cancel the event",
        danger=True,
        act=act,
        back=_home(event),
        form_class=CancelForm,
        **panel(event, "details"),
    )


@of_row
def _continue_refunds(page: EventDesk, request: HttpRequest, event: Event) -> HttpResponse:
    """Ask whether the refunds of a cancelled event should be gone through again."""

    def act(form: forms.Form) -> str:
        left = boxoffice.continue_refunds(event_id=event.pk, actor=actor(request))
        return f"{left:,} orders are gone through again." if left else "Every order is refunded already."

    return ask(
        page,
        request,
        event,
        title="Go through the refunds again?",
        consequences=["Orders that are refunded already are left alone; nobody is paid twice."],
        button="Continue the refunds",
        act=act,
        back=_home(event),
        **panel(event, "details"),
    )
