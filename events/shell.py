"""The event shell (read R1): the page of an event, the same bytes for everybody, kept under its version.

A request costs one index lookup for (id, version). The page itself comes from the cache under
`event:{id}:v{n}:shell`, where `n` was read in the same statement as the data it was rendered from: a change bumps the
version in its own transaction, so a page of the old data cannot be found under the new number.
"""

import hashlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.templatetags.static import static
from django.urls import reverse

from events import catalog
from events.catalog import Entry
from events.jsonld import event_json_ld
from events.models import Event
from events.money import DEFAULT_LOCALE
from events.pages import Page, render
from seating.plans import plan as decoded_plan

_LONGEST_SECONDS = 3600


def shell(slug: str, now: datetime) -> Page:
    """Return the page of a public event; `Event.DoesNotExist` if there is none or it is a draft."""
    found = Event.objects.exclude(status=Event.Status.DRAFT).values_list("id", "version").get(slug=slug)
    page: Page | None = cache.get(_key(*found), version=_build())
    if page is None:
        entry = catalog.entry(slug, now)
        page = render("onsale/event.html", shell_context(entry))
        key = _key(entry.event.id, entry.event.version)
        cache.set(key, page, timeout=_seconds_until_it_changes(entry, now), version=_build())
    return page


def _key(event_id: object, version: int) -> str:
    return f"event:{event_id}:v{version}:shell"


@lru_cache(maxsize=1)
def _build() -> int:
    """What the pages are made with: after a deployment the old pages would name old files and hold old data."""
    here = Path(__file__).parent
    made_of = [*sorted((here / "templates" / "onsale").rglob("*.*")), *sorted(here.glob("*.py"))]
    sources = b"".join(path.read_bytes() for path in made_of)
    return int.from_bytes(hashlib.sha256(sources + static("events/onsale.css").encode()).digest()[:4])


def _seconds_until_it_changes(entry: Entry, now: datetime) -> int:
    """Never past the moment at which the clock alone changes what a browser without scripts must read."""
    ends = entry.event.ends_at or entry.event.starts_at + catalog.USUAL_LENGTH
    moments = [moment for moment in (entry.state.changes_at, ends) if moment and moment > now]
    soonest = min((moment - now).total_seconds() for moment in moments) if moments else _LONGEST_SECONDS
    return max(1, min(_LONGEST_SECONDS, int(soonest)))


def shell_context(entry: Entry) -> dict[str, Any]:
    """Return everything `onsale/event.html` shows; also what the tests compare."""
    event = entry.event
    plan = decoded_plan(event.plan.content_hash)
    basis_points = event.organizer.fee_basis_points
    return {
        "entry": entry,
        "event": event,
        "venue": event.venue,
        "organizer": event.organizer,
        "canonical": settings.SITE_URL + event.get_absolute_url(),
        "image_url": settings.SITE_URL + event.image.url if event.image else "",
        "event_data": event_data(entry),
        "json_ld": event_json_ld(entry),
        "has_accessible": bool(plan.accessible),
        "has_map": entry.shown_state not in ("cancelled", "past"),
        "is_seated": any(not section.is_standing for section in plan.sections),
        "fee_percent": f"{basis_points / 100:g}",
        "choose_url": f"{event.get_absolute_url()}choose/",
    }


def event_data(entry: Entry) -> dict[str, Any]:
    """Return what the seat map and the countdown start from: addresses, prices, and when the sale is open.

    Times are milliseconds since 1970. The page is cached, so the browser works the state out from `windows` itself;
    `sale` is the state when the page was made.
    """
    event, state = entry.event, entry.state
    plan = decoded_plan(event.plan.content_hash)
    tier_of = {name: tier.number for tier in entry.tiers for name in tier.categories}
    category_tier = [tier_of.get(category.name, 0) for category in plan.categories]
    live = f"/live/events/{event.id}"
    return {
        "id": str(event.id),
        "slug": event.slug,
        "name": event.name,
        "currency": entry.currency,
        "locale": DEFAULT_LOCALE,
        "planUrl": reverse("plan", args=[event.plan.content_hash]),
        "seatsUrl": f"{live}/seats",
        "meUrl": f"{live}/me",
        "socketUrl": f"{live}/socket",
        "api": {"holds": f"/api/v1/events/{event.id}/holds", "orders": "/api/v1/orders"},
        "checkoutUrl": f"/checkout/{event.slug}/",
        "chooseUrl": f"{event.get_absolute_url()}choose/",
        "maxPerFan": event.max_per_fan,
        "seatCount": event.plan.seat_count,
        "venue": event.venue.name,
        "startsAt": _ms(event.starts_at),
        "endsAt": _ms(event.ends_at or event.starts_at + catalog.USUAL_LENGTH),
        "timeZone": event.venue.timezone,
        "tiers": [
            {"number": t.number, "name": t.name, "amount": t.amount, "color": t.color, "shape": t.shape}
            for t in entry.tiers
        ],
        "categoryTier": category_tier,
        "sectionTiers": [
            sorted({category_tier[k] for k in plan.section_categories(position)})
            for position in range(len(plan.sections))
        ],
        "sale": {"state": state.state, "opens_at": _ms(state.opens_at), "closes_at": _ms(state.closes_at)},
        "saleSwitch": event.sale_switch,
        "windows": [
            {"name": w.name, "access": w.access, "opens_at": _ms(w.opens_at), "closes_at": _ms(w.closes_at)}
            for w in entry.windows
        ],
    }


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
