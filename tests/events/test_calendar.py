"""The event as an iCalendar file."""

import pytest
from icalendar import Calendar

from events.models import Event
from tests.factories import make_event, make_plan, make_venue, now

pytestmark = pytest.mark.django_db


def read(client, event):
    answer = client.get(f"{event.get_absolute_url()}calendar.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content)


@pytest.fixture
def event():
    venue = make_venue(name="Hall, the great", city="New York", address="1 Main St", timezone="America/New_York")
    start = now().replace(year=2030, month=7, day=2, hour=0, minute=30, second=0)
    return make_event(
        name="Aurora; Skies",
        slug="aurora",
        plan=make_plan(venue, name="N"),
        starts_at=start,
        doors_at=start.replace(minute=0),
    )


def test_calendar_is_in_the_venue_time_zone_and_defines_it(client, event):
    calendar = read(client, event)
    (item,) = calendar.walk("VEVENT")
    assert item["SUMMARY"] == "Aurora; Skies"
    assert item["LOCATION"] == "Hall, the great, 1 Main St, New York"
    assert item["DTSTART"].params["TZID"] == "America/New_York"
    assert item["DTSTART"].dt.isoformat() == "2030-07-01T20:30:00-04:00"
    assert item["DTEND"].dt.isoformat() == "2030-07-02T00:30:00-04:00"
    assert "Doors open at 20:00." in item["DESCRIPTION"]
    assert item["URL"] == "http://localhost:8000/e/aurora/"
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["America/New_York"]


def test_calendar_gives_the_same_bytes_for_the_same_version(client, event):
    path = f"{event.get_absolute_url()}calendar.ics"
    assert client.get(path).content == client.get(path).content


def test_calendar_tells_of_a_cancelled_show_as_the_same_one(client, event):
    (before,) = read(client, event).walk("VEVENT")
    Event.objects.filter(pk=event.pk).update(status="cancelled")
    (after,) = read(client, event).walk("VEVENT")
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
