"""One event as an iCalendar file (RFC 5545), for the fan's own calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import Calendar
from icalendar import Event as CalendarEvent

from events.catalog import USUAL_LENGTH, Entry
from events.models import Event


def event_calendar(entry: Entry) -> bytes:
    """Return the event as an iCalendar file in the venue's time zone, which the file defines.

    The same version of an event gives the same bytes; `SEQUENCE` is that version, so that a calendar which subscribes
    takes a moved or cancelled show as news of the same one.
    """
    event, venue = entry.event, entry.event.venue
    zone = ZoneInfo(venue.timezone)
    address = settings.SITE_URL + event.get_absolute_url()

    item = CalendarEvent()
    item.add("uid", f"{event.id}@onsale")
    item.add("dtstamp", event.created_at)
    item.add("sequence", event.version)
    item.add("summary", event.name)
    item.add("dtstart", _whole_seconds(event.starts_at, zone))
    item.add("dtend", _whole_seconds(event.ends_at or event.starts_at + USUAL_LENGTH, zone))
    item.add("location", ", ".join(part for part in (venue.name, venue.address, venue.city) if part))
    item.add("description", "\n\n".join(part for part in (event.subtitle, _doors(entry, zone), address) if part))
    item.add("url", address)
    item.add("status", "CANCELLED" if event.status == Event.Status.CANCELLED else "CONFIRMED")
    if venue.latitude is not None and venue.longitude is not None:
        item.add("geo", (float(venue.latitude), float(venue.longitude)))

    calendar = Calendar()
    calendar.add("prodid", "-//Onsale//Box office//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(item)
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _doors(entry: Entry, zone: ZoneInfo) -> str:
    doors = entry.event.doors_at
    return f"Doors open at {doors.astimezone(zone):%H:%M}." if doors else ""


def _whole_seconds(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(microsecond=0)
