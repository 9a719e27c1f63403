"""The reads behind the programme: what is listed, in which order, and by which filters."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from events import catalog
from events.catalog import Filters
from events.models import Event
from inventory import read_models
from tests.factories import make_event, make_organizer, make_plan, make_venue, now, small_hall

pytestmark = pytest.mark.django_db


def names(filters=Filters(), page=1):  # noqa: B008 (frozen)
    return [entry.event.name for entry in catalog.listing(filters, page=page, now=timezone.now()).entries]


def plan_in(city, zone="Europe/Berlin"):
    return make_plan(make_venue(city=city, timezone=zone), name=f"Hall in {city}")


def test_listing_shows_events_to_come_soonest_first():
    make_event(name="Later", starts_in=timedelta(days=40))
    make_event(name="Sooner", starts_in=timedelta(days=2))
    make_event(name="Running", starts_in=timedelta(hours=-1))
    make_event(name="Long running", starts_in=timedelta(hours=-9), ends_at=now() + timedelta(hours=1))
    make_event(name="Over", starts_in=timedelta(hours=-5))
    make_event(name="Draft", status=Event.Status.DRAFT)
    make_event(name="Cancelled", status=Event.Status.CANCELLED, starts_in=timedelta(days=3))
    assert names() == ["Long running", "Running", "Sooner", "Cancelled", "Later"]


def test_listing_filters_by_city_and_category():
    make_event(name="Berlin music", plan=plan_in("Berlin"))
    make_event(name="Hamburg music", plan=plan_in("Hamburg"))
    make_event(name="Hamburg sport", plan=plan_in("Hamburg"), category="sport")
    assert names(Filters(city="hamburg")) == ["Hamburg music", "Hamburg sport"]
    assert names(Filters(city="Hamburg", category="sport")) == ["Hamburg sport"]
    assert names(Filters(city="Atlantis")) == []


def test_listing_filters_by_the_day_on_the_venue_clock():
    midnight = now().replace(year=2030, month=7, day=1, hour=2, minute=0, second=0)
    make_event(name="New York", plan=plan_in("New York", "America/New_York"), starts_at=midnight)
    make_event(name="Berlin", plan=plan_in("Berlin"), starts_at=midnight)
    assert names(Filters(starts_from=date(2030, 7, 1))) == ["Berlin"]
    assert names(Filters(starts_to=date(2030, 6, 30))) == ["New York"]
    assert names(Filters(starts_from=date(2030, 6, 30), starts_to=date(2030, 7, 1))) == ["New York", "Berlin"]


def test_listing_filters_by_price_in_whole_units_of_the_currency():
    hall = make_plan(hall=small_hall(balcony=False))
    make_event(name="Cheap", plan=hall, tiers=[("Stalls", 2000)])
    make_event(name="Dear", plan=hall, tiers=[("Stalls", 12000)])
    make_event(name="Both ends", plan=hall, tiers=[("Stalls", 1000), ("Balcony", 20000)])
    yen = make_organizer(currency="JPY")
    make_event(name="Yen", plan=hall, organizer=yen, tiers=[("Stalls", 25)])
    assert names(Filters(min_price=Decimal(15), max_price=Decimal("20.00"))) == ["Cheap"]
    assert names(Filters(min_price=Decimal("20.01"))) == ["Dear", "Both ends", "Yen"]
    assert names(Filters(max_price=Decimal(10))) == ["Both ends"]


def test_listing_pages_without_losing_or_repeating_an_event(monkeypatch):
    monkeypatch.setattr(catalog, "PER_PAGE", 2)
    for i in range(5):
        make_event(name=f"Event {i}", starts_in=timedelta(days=3))
    pages = [catalog.listing(Filters(), page=page, now=timezone.now()) for page in (1, 2, 3, 4)]
    assert [len(page.entries) for page in pages] == [2, 2, 1, 1]
    assert [(page.page, page.pages, page.count) for page in pages] == [(1, 3, 5), (2, 3, 5), (3, 3, 5), (3, 3, 5)]
    shown = [entry.event.name for page in pages[:3] for entry in page.entries]
    assert sorted(shown) == [f"Event {i}" for i in range(5)]


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_two_queries_however_many_events(django_assert_num_queries, count):
    for _ in range(count):
        make_event(windows=[{}, {}])
    read_models.feed()
    with django_assert_num_queries(2):  # Count, rows.
        found = catalog.listing(Filters(), page=1, now=timezone.now())
        assert [(e.from_amount, e.currency, e.event.venue.city, len(e.windows)) for e in found.entries] == [
            (4500, "EUR", "Berlin", 2)
        ] * count


@pytest.mark.parametrize("count", [1, 3])
def test_coming_on_sale_costs_two_queries_however_many_events(django_assert_num_queries, count):
    for _ in range(count):
        make_event(windows=[{"opens_in": timedelta(hours=1)}])
    with django_assert_num_queries(2):
        assert len(catalog.coming_on_sale(timezone.now())) == count


def test_coming_on_sale_begins_with_what_opens_next():
    hour = timedelta(hours=1)
    make_event(name="On sale, soon to begin", starts_in=timedelta(days=1))
    make_event(name="Opens later", windows=[{"opens_in": 5 * hour}])
    make_event(name="Opens next", windows=[{"opens_in": hour}])
    make_event(name="Presale now", windows=[{"access": "presale"}, {"opens_in": 3 * hour}])
    make_event(name="Paused", sale_switch="paused", windows=[{"opens_in": hour}])
    make_event(name="Cancelled", status="cancelled", windows=[{"opens_in": hour}])
    found = [entry.event.name for entry in catalog.coming_on_sale(timezone.now())]
    assert found == ["Opens next", "Presale now", "Opens later", "On sale, soon to begin"]


def test_entry_tells_prices_and_state():
    event = make_event(tiers=[("Stalls", 9000), ("Balcony", 4500)], windows=[{"access": "presale"}])
    entry = catalog.entry(event.slug, timezone.now())
    assert (entry.from_amount, entry.to_amount, entry.currency) == (4500, 9000, "EUR")
    assert entry.shown_state == "presale"
    assert [tier.categories for tier in entry.tiers] == [["Stalls"], ["Balcony"]]
    assert entry.windows[0].opens_at == event.windows.get().opens_at


def test_cities_are_those_of_events_to_come_once_each():
    make_event(plan=plan_in("Hamburg"))
    make_event(plan=plan_in("Hamburg"))
    make_event(plan=plan_in("Aarhus"))
    make_event(plan=plan_in("Rome"), starts_in=timedelta(days=-9))
    make_event(plan=plan_in("Oslo"), status="draft")
    assert catalog.cities(timezone.now()) == ["Aarhus", "Hamburg"]
