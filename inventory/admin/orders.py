"""Orders: found by anything a caller may say, shown whole, and changed only by verbs."""

import csv
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.contrib.filters.admin.dropdown_filters import DropdownFilter
from unfold.decorators import action, display

from events.admin.filters import DaysFilter
from events.admin.scope import ScopedAdmin
from events.money import decimal_text, money
from events.permissions import managed_events
from inventory import boxoffice, purchase
from inventory.admin.desk import ask, of_row
from inventory.admin.telling import Teller
from inventory.back_office import actor
from inventory.models import AuditEntry, Order, OrderLine

MOST_RESENT = 200
LOG_SHOWN = 60
EVENTS_OFFERED = 200
COLUMNS = ["reference", "state", "event", "name", "email", "section", "row", "seat", "price", "fee", "currency", "paid"]
LABELS = {
    "Paid": "success",
    "Waiting for payment": "info",
    "Expired": "warning",
    "Cancelled": "warning",
    "Refunded": "danger",
}


class EventFilter(DropdownFilter):
    """Narrows the orders to one of the user's events."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        events = managed_events(request.user).order_by("-starts_at")[:EVENTS_OFFERED]
        return [(str(event.pk), f"{event.name}, {event.starts_at:%d %b %Y}") for event in events]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        allowed = {value for value, _ in self.lookup_choices}
        return queryset.filter(event=self.value()) if self.value() in allowed else queryset


class RefundForm(forms.Form):
    """Which seats of an order are given back, and why."""

    lines = forms.MultipleChoiceField(
        label="Tickets", widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget, error_messages={
            "required": "Choose at least one ticket."
        }
    )  # fmt: skip
    reason = forms.CharField(
        label="Reason",
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="Kept with the refund, and shown to the buyer.",
    )

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        active = order.lines.filter(active=True)
        self.fields["lines"].choices = [
            (str(line.pk), f"{line} · {line.tier_name} · {money(line.amount + line.fee, order.currency)}")
            for line in active
        ]
        self.fields["lines"].initial = [str(line.pk) for line in active]

    def line_ids(self) -> list[int] | None:
        """Return the chosen lines, `None` when they are the whole order."""
        chosen = self.cleaned_data["lines"]
        return None if len(chosen) == len(self.fields["lines"].choices) else [int(pk) for pk in chosen]


@admin.register(Order)
class OrderAdmin(ScopedAdmin):
    """Orders of the user's organizers. No field can be edited: money and seats move by verbs only."""

    when_empty = "Orders appear here as soon as somebody buys."
    allows = ("view",)
    list_display = ("reference", "buyer", "event", "seats", "shown_total", "shown_state", "ordered")
    list_select_related = ("event__venue",)
    list_filter = (("state", ChoicesDropdownFilter), EventFilter, ("created_at", DaysFilter))
    search_fields = ("=reference", "name", "email", "payments__provider_id")
    search_help_text = "Reference, name, e-mail, seat (Stalls A 12) or the payment provider's number"
    ordering = ("-created_at", "id")
    list_per_page = 50
    change_form_template = "inventory/admin/order/page.html"
    fields = ("reference",)
    actions = ("resend_selected", "download")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("lines")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Find by the fields, or by a seat as people say it: section, row and number."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        seat = " ".join(search_term.split())
        if not seat:
            return found, duplicates
        named = Concat("section", Value(" "), "row", Value(" "), "number")
        lines = OrderLine.objects.filter(order=OuterRef("pk")).annotate(seat=named).filter(seat__iexact=seat)
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | Q(Exists(lines))), False

    def get_urls(self) -> list[URLPattern]:
        pages = (("resend", _resend), ("refund", _refund), ("cancel", _cancel))
        return [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(lambda request, object_id, view=view: view(self, request, object_id)),
                name=f"inventory_order_{name}",
            )
            for name, view in pages
        ] + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Order | None = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context.update(_whole(obj), title=f"Order {obj.reference}", order=obj, show_close=True)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @display(description="Buyer", ordering="name")
    def buyer(self, order: Order) -> str:
        return f"{order.name} <{order.email}>"

    @display(description="Seats")
    def seats(self, order: Order) -> str:
        lines = list(order.lines.all())
        return f"{lines[0]}{f' +{len(lines) - 1}' if len(lines) > 1 else ''}" if lines else "-"

    @display(description="Total", ordering="total")
    def shown_total(self, order: Order) -> str:
        return money(order.total, order.currency)

    @display(description="Ordered", ordering="created_at")
    def ordered(self, order: Order) -> str:
        return f"{order.created_at.astimezone(ZoneInfo(order.event.venue.timezone)):%d %b %Y, %H:%M}"

    @display(description="State", ordering="state", label=LABELS)
    def shown_state(self, order: Order) -> str:
        return order.get_state_display()

    @action(description="Send the tickets again")
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        paid = list(queryset.filter(state=Order.State.PAID).values_list("pk", flat=True)[: MOST_RESENT + 1])
        if len(paid) > MOST_RESENT:
            self.message_user(request, f"Choose at most {MOST_RESENT} orders at a time.", messages.ERROR)
            return
        for pk in paid:
            boxoffice.resend_tickets(order_id=pk, actor=actor(request))
        self.message_user(request, f"The tickets of {len(paid)} paid orders are on their way.", messages.SUCCESS)

    @action(description="Download as CSV")
    def download(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="orders-{timezone.now():%Y-%m-%d}.csv"'
        writer = csv.writer(response)
        writer.writerow(
            [
                "reference",
                "state",
                "event",
                "name",
                "email",
                "section",
                "row",
                "seat",
                "price",
                "fee",
                "currency",
                "paid",
            ]
        )
        for order in queryset.iterator(chunk_size=500):
            for line in order.lines.all():
                cells = [order.reference, order.state, order.event.name, order.name, order.email]
                cells += [line.section, line.row, line.number]
                cells += [decimal_text(line.amount, order.currency), decimal_text(line.fee, order.currency)]
                cells += [order.currency, order.paid_at.isoformat() if order.paid_at else ""]
                writer.writerow([_plain(cell) for cell in cells])
        rows = dict(queryset.order_by().values_list("organizer").annotate(Count("id", distinct=True)))
        self.admin_site.log_download(request, "orders", rows)
        return response


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _whole(order: Order) -> dict[str, Any]:
    """Return everything the page of an order shows."""
    lines = list(order.lines.select_related("ticket__used_by").order_by("index"))
    payments = list(order.payments.prefetch_related("refunds").order_by("created_at"))
    refunds = [refund for payment in payments for refund in payment.refunds.all()]
    tickets = [line.ticket for line in lines if hasattr(line, "ticket")]
    subjects = [order.pk, order.hold_id, *(row.pk for row in (*payments, *refunds, *tickets))]
    entries = list(AuditEntry.objects.filter(subject__in=[str(s) for s in subjects]).order_by("-id")[:LOG_SHOWN])
    teller = Teller(entries)
    return {
        "lines": lines,
        "payments": payments,
        "refunds": refunds,
        "refunded": sum(refund.amount for refund in refunds),
        "state_tone": LABELS[order.get_state_display()],
        "log": [{"at": e.at, "who": teller.who(e), "what": teller.what(e), "about": teller.about(e)} for e in entries],
    }


def _home(order: Order) -> str:
    return reverse("admin:inventory_order_change", args=[order.pk])


@of_row
def _resend(page: OrderAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Ask whether to send the tickets again, and do it."""

    def act(form: forms.Form) -> str:
        boxoffice.resend_tickets(order_id=order.pk, actor=actor(request))
        return f"The tickets are on their way to {order.email}."

    return ask(
        page,
        request,
        order,
        title=f"Send the tickets of order {order.reference} again?",
        consequences=[f"{order.name} gets the same tickets once more, at {order.email}."],
        button="Send again",
        act=act,
        back=_home(order),
    )


@of_row
def _refund(page: OrderAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Ask which tickets to take back and why, and refund them."""

    def act(form: forms.Form) -> str:
        refund = purchase.refund_order(
            order_id=order.pk,
            line_ids=form.line_ids(),
            reason=form.cleaned_data["reason"],
            actor=actor(request),
        )
        return f"{money(refund.amount, refund.currency)} is on its way back to {order.name}."

    return ask(
        page,
        request,
        order,
        title=f"Refund order {order.reference}?",
        consequences=[
            "The money goes back the way it was paid, with the fees of these tickets.",
            "Their codes stop being valid at the door, and the seats are for sale again.",
            "This cannot be undone.",
        ],
        button="Refund",
        danger=True,
        act=act,
        back=_home(order),
        form_class=RefundForm,
        form_arguments={"order": order},
    )


@of_row
def _cancel(page: OrderAdmin, request: HttpRequest, order: Order) -> HttpResponse:
    """Ask whether to cancel an order nobody has paid, and do it."""

    def act(form: forms.Form) -> str:
        purchase.cancel_order(order_id=order.pk, actor=actor(request))
        return f"Order {order.reference} is cancelled, and its seats are free again."

    return ask(
        page,
        request,
        order,
        title=f"Cancel order {order.reference}?",
        consequences=["Its seats are for sale again at once.", "A payment that still arrives is given back."],
        button="Cancel the order",
        danger=True,
        act=act,
        back=_home(order),
    )
