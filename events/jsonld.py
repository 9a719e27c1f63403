"""Events in the words of schema.org, for search engines (https://schema.org/Event)."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from events.catalog import Entry
from events.models import Event, SaleWindow
from events.money import decimal_text

# A script element ends at the first "</script", whatever it holds: these characters are written as escapes.
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}
_TYPES = {"music": "MusicEvent", "sport": "SportsEvent", "theatre": "TheaterEvent", "comedy": "ComedyEvent"}


def event_json_ld(entry: Entry) -> SafeString:
    """Return the event as JSON-LD, escaped for a `<script type="application/ld+json">` element."""
    text = json.dumps(event_document(entry), ensure_ascii=False, separators=(",", ":"))
    return mark_safe(text.translate(_ESCAPES))  # noqa: S308 (the three characters that matter in HTML are escapes)


def event_document(entry: Entry) -> dict[str, Any]:
    """Return the event as a schema.org document; times carry the venue's offset from UTC."""
    event, venue, organizer = entry.event, entry.event.venue, entry.event.organizer
    status = "EventCancelled" if event.status == Event.Status.CANCELLED else "EventScheduled"
    address = settings.SITE_URL + event.get_absolute_url()
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": _TYPES.get(event.category, "Event"),
        "name": event.name,
        "url": address,
        "startDate": _local(event.starts_at, entry),
        "eventStatus": f"https://schema.org/{status}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "location": {
            "@type": "Place",
            "name": venue.name,
            "address": {
                "@type": "PostalAddress",
                "streetAddress": venue.address,
                "addressLocality": venue.city,
                "addressCountry": venue.country,
            },
        },
        "organizer": {
            "@type": "Organization",
            "name": organizer.name,
            "url": settings.SITE_URL + organizer.get_absolute_url(),
        },
        "offers": _offers(entry, address),
    }
    if venue.latitude is not None and venue.longitude is not None:
        document["location"]["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": float(venue.latitude),
            "longitude": float(venue.longitude),
        }
    if event.subtitle or event.description:
        document["description"] = event.description or event.subtitle
    if event.ends_at:
        document["endDate"] = _local(event.ends_at, entry)
    if event.doors_at:
        document["doorTime"] = _local(event.doors_at, entry)
    if event.image:
        document["image"] = [settings.SITE_URL + event.image.url]
    return document


def _offers(entry: Entry, address: str) -> list[dict[str, Any]]:
    """One offer a price tier; how many are left is not told, because this page is cached."""
    public = [w.opens_at for w in entry.windows if w.access == SaleWindow.Access.PUBLIC]
    opens = {"validFrom": _local(min(public), entry)} if public else {}
    return [
        {
            "@type": "Offer",
            "name": tier.name,
            "price": decimal_text(tier.amount, entry.currency),
            "priceCurrency": entry.currency,
            "url": address,
            **opens,
        }
        for tier in entry.tiers
    ]


def _local(moment: datetime, entry: Entry) -> str:
    return moment.astimezone(ZoneInfo(entry.event.venue.timezone)).isoformat(timespec="seconds")
