"""From a hold to the payment page, and back."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from events.models import Event
from inventory import baskets, links, purchase
from inventory.models import Order, Payment
from inventory.payments import process
from inventory.payments.gateway import GatewayRefused, GatewayUnreachable
from inventory.views.fans import FanRequest, with_fan
from inventory.views.once import once_per_form

PATIENCE_SECONDS = 45  # After this the waiting page says that mail will come.


class BuyerForm(forms.Form):
    """Who buys; a guest needs no more than a name and an address for the tickets."""

    name = forms.CharField(
        label="Full name",
        max_length=120,
        error_messages={"required": "Tell us the name for the tickets."},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        error_messages={
            "required": "Tell us where to send the tickets.",
            "invalid": "This does not look like an e-mail address. It needs an @ and a domain, as in name@example.org.",
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )


@with_fan
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: FanRequest, slug: str) -> HttpResponse:
    """Show the fan's held seats with what they cost and take him to the payment page.

    The buttons of the page post `action`: pay, extend or release. The hold's id in the form makes a double click, a
    second tab and the back button the same order.
    """
    event = get_object_or_404(_public_events(), slug=slug)
    if request.method != "POST":
        return _show(request, event)
    action = request.POST.get("action", "pay")
    hold_id = _uuid(request.POST.get("hold", ""))
    try:
        if hold_id is None:
            raise purchase.HoldUnknown
        if action == "extend":
            extend = partial(purchase.extend_hold, hold_id=hold_id, fan=request.fan)
            once_per_form(request, lambda keep: extend(commit_with=keep))
            return redirect("checkout", slug)
        if action == "release":
            purchase.release_hold(hold_id=hold_id, fan=request.fan)
            return redirect(event)
        return _pay(request, event, hold_id)
    except (purchase.HoldExpired, purchase.HoldUnknown):
        return _ended(request, event)
    except purchase.Refusal as refusal:
        return _show(request, event, problem=refusal.detail, status=refusal.status, form=BuyerForm(request.POST))


@with_fan
@require_safe
def checkout_return(request: FanRequest, signed: str) -> HttpResponse:
    """Bring the buyer back from the payment page: to the order, to another try, or to a page that waits."""
    order_id = links.read_order(signed)
    if order_id is None:
        raise Http404
    process.settle_order(order_id)
    order = get_object_or_404(Order.objects.select_related("event__venue", "event__organizer"), id=order_id)
    onward = _onward(order, signed)
    if "poll" in request.GET:
        return JsonResponse({"url": onward})
    if onward:
        return HttpResponseRedirect(onward)
    context = {"order": order, "event": order.event, "patience_ms": PATIENCE_SECONDS * 1000}
    return render(request, "inventory/checkout_waiting.html", context)


def _pay(request: FanRequest, event: Event, hold_id: UUID) -> HttpResponse:
    form = BuyerForm(request.POST)
    if not form.is_valid():
        return _show(request, event, status=422, form=form)
    placed = purchase.place_order(
        hold_id=hold_id,
        fan=request.fan,
        name=form.cleaned_data["name"],
        email=form.cleaned_data["email"],
        user=request.user if request.user.is_authenticated else None,
    )
    try:
        page = process.open_payment(payment_id=placed.payment.pk, site=f"{request.scheme}://{request.get_host()}")
    except (GatewayUnreachable, GatewayRefused):
        problem = "The payment provider does not answer. Your seats are still yours; nothing was charged. Try again."
        return _show(request, event, problem=problem, status=503, form=form)
    return HttpResponseRedirect(page, status=303)


def _show(
    request: FanRequest, event: Event, *, problem: str = "", status: int = 200, form: BuyerForm | None = None
) -> HttpResponse:
    basket = baskets.basket(event, request.fan)
    if basket is None:
        return _ended(request, event)
    failed = None
    pending = Order.objects.filter(hold=basket.hold_id).first()
    if pending:
        newest = pending.payments.order_by("-created_at", "-id").first()
        failed = newest if newest and newest.state == Payment.State.FAILED else None
    context = {
        "event": event,
        "basket": basket,
        "form": form or BuyerForm(initial=_known_buyer(request, pending)),
        "problem": problem,
        "failed": failed,
        "key": uuid4(),
    }
    return render(request, "inventory/checkout.html", context, status=status)


def _ended(request: FanRequest, event: Event) -> HttpResponse:
    mine = Order.objects.filter(event=event, fan=request.fan, state=Order.State.PAID).order_by("-paid_at").first()
    context: dict[str, Any] = {"event": event, "order_url": links.order_path(mine.pk) if mine else ""}
    return render(request, "inventory/checkout_ended.html", context, status=410)


def _onward(order: Order, signed: str) -> str:
    """Return where the buyer goes now, or an empty string while the bank has not answered."""
    if order.state != Order.State.PENDING:
        return reverse("order", args=[signed]) + ("?new=1" if order.state == Order.State.PAID else "")
    newest = order.payments.order_by("-created_at", "-id").first()
    if newest is None or newest.state in (Payment.State.FAILED, Payment.State.VOIDED):
        return reverse("checkout", args=[order.event.slug])
    return ""


def _known_buyer(request: HttpRequest, pending: Order | None) -> dict[str, str]:
    if pending:
        return {"name": pending.name, "email": pending.email}
    if request.user.is_authenticated:
        return {"name": request.user.get_full_name(), "email": request.user.email}
    return {}


def _public_events() -> QuerySet[Event]:
    return Event.objects.exclude(status=Event.Status.DRAFT).select_related("venue", "organizer", "plan")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
