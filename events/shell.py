"""The event shell (read R1): the page of an event, the same bytes for everybody, kept under its version.

A request costs one index lookup for (id, version). The page itself comes from this process, else from the page cache
in Redis (events/shell_cache.py), else it is rendered, once for all who wait. A change bumps the version in its own
transaction, so a page of the old data cannot be found under the new number.
"""

import hashlib
import math
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.urls import reverse

from config import metrics
from config.tiers import Lru, SingleFlight
from events import catalog, shell_cache
from events.catalog import Entry
from events.jsonld import event_json_ld
from events.models import Event
from events.money import DEFAULT_LOCALE
from events.pages import Page, render
from events.shell_cache import Name
from seating.plans import plan as decoded_plan

PAGES: Final[Lru[Name, Page]] = Lru(256)  # 60 KB a page, in three encodings.
ANSWER_SECONDS: Final = 10.0

_flights: SingleFlight[Name, Page] = SingleFlight()
_from_lru = metrics.TIER_READS.labels("shell", "lru")


def shell(slug: str, now: datetime) -> Page:
    """Return the page of a public event; `Event.DoesNotExist` if there is none or it is a draft.

    Threads that miss the same page wait for one of them, and processes for one process (TimeoutError if it takes
    longer than ANSWER_SECONDS).
    """
    found = Event.objects.exclude(status=Event.Status.DRAFT).values_list("id", "version").get(slug=slug)
    name = Name(*found, DEFAULT_LOCALE, build())
    kept = PAGES.get(name)
    if kept is not None and now.timestamp() < kept.value.until:
        _from_lru.inc()
        return kept.value
    page = _flights.run(name, lambda: _loaded(name, slug, now), deadline_seconds=ANSWER_SECONDS)
    PAGES.put(name, page)
    return page


def _loaded(name: Name, slug: str, now: datetime) -> Page:
    return shell_cache.page(name, lambda: _rendered(slug, now), now=now.timestamp())


def _rendered(slug: str, now: datetime) -> tuple[int, Page]:
    """Render the event as it is; its version was read in the same statement as what the page shows."""
    entry = catalog.entry(slug, now)
    page = render("onsale/event.html", shell_context(entry))
    return entry.event.version, page.packed(until=_changes_at(entry, now))


def _changes_at(entry: Entry, now: datetime) -> float:
    """Return the moment at which the clock alone changes what a browser without scripts must read."""
    ends = entry.event.ends_at or entry.event.starts_at + catalog.USUAL_LENGTH
    moments = [moment for moment in (entry.state.changes_at, ends) if moment and moment > now]
    return min(moments).timestamp() if moments else math.inf


@lru_cache(maxsize=1)
def build() -> str:
    """Name what the pages are made with: after a deployment the old pages would name old files and hold old data."""
    here = Path(__file__).parent
    made_of = [*sorted((here / "templates" / "onsale").rglob("*.*")), *sorted(here.glob("*.py"))]
    sources = b"".join(path.read_bytes() for path in made_of)
    files: str = getattr(staticfiles_storage, "manifest_hash", "")
    return hashlib.sha256(sources + files.encode()).hexdigest()[:8]


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
