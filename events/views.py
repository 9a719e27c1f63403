"""The pages fans browse. Each is the same for everybody: no cookie, no session, one minute at the edge."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.sitemaps.views import sitemap as django_sitemap
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from config import metrics
from config.replica import browse
from events import catalog
from events.calendar import event_calendar
from events.errors import error_page
from events.forms import ListingForm
from events.front import UNTIL
from events.models import Event, Organizer
from events.pages import FOR_EVERYBODY, answer, render
from events.shell import shell
from events.sitemaps import SITEMAPS, robots
from seating.models import Venue

_rendered = metrics.TIER_READS.labels("listing", "render")  # Lists are kept by the edge alone.


@require_safe
@browse
def listing(request: HttpRequest) -> HttpResponse:
    """Show what is on, filtered; what is wrong with a filter stands beside it, and the rest still counts."""
    _rendered.inc()
    now = timezone.now()
    form = ListingForm(request.GET)
    is_valid = form.is_valid()
    filters, page = form.filters, form.cleaned_data.get("page") or 1
    found = catalog.listing(filters, page=page, now=now)
    pairs = list(form.query_pairs())
    is_front = is_valid and filters.is_empty and found.page == 1
    context = {
        "form": form,
        "filters": filters,
        "found": found,
        "months": _by_month(found.entries) if not filters.q else [],
        "cities": catalog.cities(now),
        "coming": catalog.coming_on_sale(now) if is_front else (),
        "categories": _category_links(pairs, filters.category),
        "is_front": is_front,
        "has_details": any(name in request.GET for name in ("from", "to", "city", "min", "max")),
        "page_past_end": page > found.pages,
        "pages": _pages(pairs, found),
        "canonical_path": _address([*pairs, *([("page", str(found.page))] if found.page > 1 else [])]),
    }
    return answer(request, render("onsale/listing.html", context), status=200 if is_valid else 400)


@require_safe
def event(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the event shell (read R1)."""
    try:
        page = shell(slug, timezone.now())
    except Event.DoesNotExist as error:
        raise Http404 from error
    except TimeoutError:
        return error_page(request, 503)
    request.META[UNTIL] = page.until
    return answer(request, page)


@require_safe
@browse
def calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the event as an iCalendar file."""
    try:
        entry = catalog.entry(slug, timezone.now())
    except Event.DoesNotExist as error:
        raise Http404 from error
    response = HttpResponse(event_calendar(entry), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.ics"'
    response["Cache-Control"] = FOR_EVERYBODY
    return response


@require_safe
@browse
def organizer(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an organizer and what they put on."""
    found = get_object_or_404(Organizer, slug=slug)
    entries = catalog.of_organizer(found, timezone.now())
    context = {"organizer": found, "months": _by_month(entries), "count": len(entries)}
    return answer(request, render("onsale/organizer.html", context))


@require_safe
@browse
def venue(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a venue and what is on there."""
    found = get_object_or_404(Venue, slug=slug)
    entries = catalog.at_venue(found, timezone.now())
    context = {"venue": found, "months": _by_month(entries), "count": len(entries)}
    return answer(request, render("onsale/venue.html", context))


@require_safe
@browse
def sitemap(request: HttpRequest) -> HttpResponse:
    """Serve the sitemap."""
    response = django_sitemap(request, SITEMAPS)
    response.render()
    response["Cache-Control"] = FOR_EVERYBODY
    return response


@require_safe
def robots_txt(request: HttpRequest) -> HttpResponse:
    """Serve robots.txt."""
    response = HttpResponse(robots(), content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = FOR_EVERYBODY
    return response


def _by_month(entries: tuple[catalog.Entry, ...]) -> list[dict[str, Any]]:
    months: list[dict[str, Any]] = []
    for entry in entries:
        start = entry.starts_local
        if not months or (months[-1]["first"].year, months[-1]["first"].month) != (start.year, start.month):
            months.append({"first": start.date(), "entries": []})
        months[-1]["entries"].append(entry)
    return months


def _address(pairs: list[tuple[str, str]]) -> str:
    return reverse("listing") + (f"?{urlencode(pairs)}" if pairs else "")


def _category_links(pairs: list[tuple[str, str]], current: str) -> list[dict[str, Any]]:
    others = [pair for pair in pairs if pair[0] != "category"]
    return [
        {
            "label": label,
            "url": _address([*others, *([("category", value)] if value else [])]),
            "is_current": value == current,
        }
        for value, label in [("", "Everything"), *Event.Category.choices]
    ]


def _pages(pairs: list[tuple[str, str]], found: catalog.Listing) -> list[dict[str, Any]]:
    """Return the links of the pager: first, last and those around the page shown; None where some are left out."""
    wanted = sorted({1, found.pages, *range(max(1, found.page - 1), min(found.pages, found.page + 1) + 1)})
    links: list[dict[str, Any]] = []
    for number in wanted:
        gap = bool(links) and number > links[-1]["number"] + 1
        url = _address([*pairs, *([("page", str(number))] if number > 1 else [])])
        links.append({"number": number, "url": url, "is_current": number == found.page, "after_gap": gap})
    return links
