"""Choosing without a map: a list of sections, a grid of rows, plain forms. The same verbs, the same holds."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from events.errors import error_page
from events.models import Event
from events.sale_state import sale_state
from inventory import availability, baskets, choices, purchase
from inventory.views.fans import FanRequest, with_fan
from inventory.views.once import once_per_form
from seating.plans import plan as plan_of

LARGEST_GROUP = 20


class BadForm(Exception):
    """A field that cannot be read; the text says which, for the person who filled it in."""


@with_fan
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: FanRequest, slug: str) -> HttpResponse:
    """Show what is free by section, with a form for the best places; its buttons post `action`."""
    event = _event(slug)
    return _answer(request, event, lambda: redirect("choose", slug), _sections_page)


@with_fan
@require_http_methods(["GET", "HEAD", "POST"])
def choose_section(request: FanRequest, slug: str, section: int) -> HttpResponse:
    """Show one section: its rows as a grid of seats, or how many standing places are wanted."""
    event = _event(slug)
    plan = plan_of(event.plan.content_hash)
    if not 0 <= section < len(plan.sections):
        raise Http404
    return _answer(
        request,
        event,
        lambda: redirect("choose-section", slug, section),
        lambda *args: _section_page(*args, position=section),
    )


Page = Callable[[FanRequest, Event, dict[str, Any]], HttpResponse]


def _answer(request: FanRequest, event: Event, again: Callable[[], HttpResponse], page: Page) -> HttpResponse:
    """Carry out the posted action and show the page again by GET; a refusal is told on the page."""
    context: dict[str, Any] = {"status": 200, "problem": "", "chosen": frozenset(), "alternatives": []}
    if request.method == "POST":
        try:
            once_per_form(request, lambda keep: _act(request, event, keep))
            return again()
        except BadForm as error:
            context |= {"status": 422, "problem": str(error)}
        except purchase.Refusal as refusal:
            context |= {"status": refusal.status, "problem": refusal.detail}
            context["alternatives"] = _alternatives(event, refusal.extra.get("alternatives", []))
        context["chosen"] = frozenset(_numbers(request.POST, "seat", quietly=True))
    try:
        return page(request, event, context)
    except availability.Busy:
        return error_page(request, 503)
    except availability.EventUnknown as error:
        raise Http404 from error


def _act(request: FanRequest, event: Event, keep: Callable[[Any], None]) -> None:
    post, fan = request.POST, request.fan
    code = post.get("presale_code", "").replace("\0", "").strip()[:40]
    match post.get("action", ""):
        case "seats":
            indexes = _numbers(post, "seat")
            if not indexes:
                raise BadForm("Tick at least one seat first.")
            purchase.hold_seats(event_id=event.pk, fan=fan, indexes=indexes, presale_code=code, commit_with=keep)
        case "best":
            purchase.hold_best(
                event_id=event.pk,
                fan=fan,
                quantity=_quantity(post),
                max_amount=_number(post.get("max_amount", ""), "Choose a highest price from the list."),
                section=_number(post.get("section", ""), "Choose a section from the list."),
                accessible=post.get("accessible") == "1",
                presale_code=code,
                commit_with=keep,
            )
        case "release":
            one = _numbers(post, "index")
            purchase.release_hold(hold_id=_hold_id(post), fan=fan, indexes=one or None, commit_with=keep)
        case "extend":
            purchase.extend_hold(hold_id=_hold_id(post), fan=fan, commit_with=keep)
        case _:
            raise BadForm("This form is not one of ours. Reload the page and try again.")


def _sections_page(request: FanRequest, event: Event, context: dict[str, Any]) -> HttpResponse:
    found = choices.sections(event)
    amounts = sorted({tier.amount for tier in event.tiers.all()})
    context |= _frame(request, event) | {
        "sections": found,
        "free": sum(section.free for section in found),
        "amounts": amounts[:-1],
        "quantities": range(1, min(event.max_per_fan, LARGEST_GROUP) + 1),
        "asked": request.POST,
    }
    return render(request, "inventory/choose.html", context, status=context["status"])


def _section_page(request: FanRequest, event: Event, context: dict[str, Any], *, position: int) -> HttpResponse:
    plan = plan_of(event.plan.content_hash)
    section = plan.sections[position]
    found = choices.sections(event)
    context |= _frame(request, event)
    basket = context["basket"]
    mine = frozenset(item.index for item in basket.items) if basket else frozenset[int]()
    with_room = [s for s in found if s.free or s.position == position]
    here = [s.position for s in with_room].index(position)
    numbers = {plan.category_of(index) for index in range(section.first, section.stop)} if not section.rows else set()
    grid = choices.rows(event, section, mine)
    used = {seat.tier.number for row in grid for seat in row.seats}
    context |= {
        "section": found[position],
        "rows": grid,
        "tiers": [tier for tier in event.tiers.all() if tier.number in used],
        "has_standing": bool(numbers),
        "quantities": range(1, min(event.max_per_fan, LARGEST_GROUP) + 1),
        "before": with_room[here - 1] if here else None,
        "after": with_room[here + 1] if here + 1 < len(with_room) else None,
    }
    return render(request, "inventory/choose_section.html", context, status=context["status"])


def _frame(request: FanRequest, event: Event) -> dict[str, Any]:
    sale = sale_state(event, timezone.now())
    return {
        "event": event,
        "sale": sale,
        "basket": baskets.basket(event, request.fan),
        "currency": event.organizer.currency,
        "needs_code": sale.state == "presale",
        "key": uuid4(),
    }


def _event(slug: str) -> Event:
    events = Event.objects.exclude(status=Event.Status.DRAFT).select_related("venue", "organizer", "plan")
    return get_object_or_404(events.prefetch_related("tiers", "windows"), slug=slug)


def _alternatives(event: Event, groups: list[list[int]]) -> list[dict[str, Any]]:
    plan = plan_of(event.plan.content_hash)
    return [{"indexes": group, "places": [plan.place(index) for index in group]} for group in groups]


def _quantity(post: QueryDict) -> int:
    quantity = _number(post.get("quantity", ""), "Choose how many places you want.")
    if quantity is None:
        raise BadForm("Choose how many places you want.")
    return quantity


def _number(text: str, complaint: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise BadForm(complaint)
    return int(text)


def _numbers(post: QueryDict, name: str, *, quietly: bool = False) -> list[int]:
    found = []
    for text in post.getlist(name)[:200]:
        if text.isascii() and text.isdigit() and len(text) <= 9:
            found.append(int(text))
        elif not quietly:
            raise BadForm("One of the seats cannot be read. Reload the page and try again.")
    return found


def _hold_id(post: QueryDict) -> UUID:
    try:
        return UUID(post.get("hold", ""))
    except ValueError:
        raise purchase.HoldUnknown from None
