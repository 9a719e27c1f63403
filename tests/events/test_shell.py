"""The event shell: the same bytes for everybody, kept under the version of its data."""

import gzip
import json
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import brotli
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from config import redis
from events import shell_cache
from events.models import Event, PriceTier
from events.money import DEFAULT_LOCALE
from events.pages import Page
from events.shell import PAGES, build, shell
from events.shell_cache import Name
from tests.factories import make_event, make_organizer, make_plan, make_venue, make_window, now, small_hall

pytestmark = pytest.mark.django_db

CACHE_CONTROL = "public, max-age=0, s-maxage=60, stale-while-revalidate=30, stale-if-error=86400"


def forget():
    """Lose every page, of this process and of Redis."""
    PAGES.clear()
    for key in redis.client().scan_iter(redis.key("event", "*"), count=1000):
        redis.client().delete(key)


def version_of(event):
    return Event.objects.values_list("version", flat=True).get(pk=event.pk)


def data_of(response):
    found = re.search(rb'<script id="event-data" type="application/json">(.*?)</script>', response.content, re.DOTALL)
    return json.loads(found.group(1))


def test_shell_is_the_same_bytes_for_two_fans_and_nobody():
    event = make_event()
    fan = Client()
    fan.cookies["fan"] = "abcdefghijklmnopqrstuvwxyz.sig"
    member = Client()
    member.force_login(get_user_model().objects.create_user("ada", password="a good password", first_name="Ada"))
    answers = [client.get(event.get_absolute_url()) for client in (Client(), fan, member)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.content for answer in answers}) == 1
    for answer in answers:
        assert answer["Cache-Control"] == CACHE_CONTROL
        assert answer["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in answer
        assert answer.cookies == {}
        assert b"csrf" not in answer.content.lower()


def test_shell_rendered_without_the_cache_is_the_same_bytes():
    event = make_event()
    first = shell(event.slug, timezone.now())
    forget()
    second = shell(event.slug, timezone.now())
    assert first == second


def test_shell_carries_no_stock():
    from inventory.models import Seat
    from inventory.stock import create_stock

    event = make_event()
    before = shell(event.slug, timezone.now())
    create_stock(event)
    Seat.objects.filter(event=event, index=0).update(state=4, version=1)
    forget()
    assert shell(event.slug, timezone.now()) == before


def test_shell_costs_one_query_when_cached_and_two_when_not(client, django_assert_num_queries):
    one = make_event(plan=make_plan(hall=small_hall(balcony=False)))
    three = make_event(tiers=[("Stalls", 9000), ("Balcony", 4500), ("Floor", 3000)], windows=[{}, {}, {}])
    for event in (one, three):
        client.get(event.get_absolute_url())  # Decodes the plan, once a process.
        forget()
        with django_assert_num_queries(2):
            client.get(event.get_absolute_url())
        with django_assert_num_queries(1):
            client.get(event.get_absolute_url())
        PAGES.clear()
        with django_assert_num_queries(1):
            client.get(event.get_absolute_url())


def test_shell_is_kept_under_the_version_of_its_data(client):
    event = make_event(name="Before")
    assert b"Before" in client.get(event.get_absolute_url()).content
    Event.objects.filter(pk=event.pk).update(name="After")
    assert b"After" in client.get(event.get_absolute_url()).content


def test_shell_is_compressed_both_ways_and_answers_304(client):
    event = make_event()
    plain = client.get(event.get_absolute_url())
    zipped = client.get(event.get_absolute_url(), headers={"Accept-Encoding": "br;q=0, gzip;q=0.8"})
    smallest = client.get(event.get_absolute_url(), headers={"Accept-Encoding": "gzip, deflate, br"})
    refused = client.get(event.get_absolute_url(), headers={"Accept-Encoding": "gzip;q=0"})
    assert (zipped["Content-Encoding"], smallest["Content-Encoding"]) == ("gzip", "br")
    assert gzip.decompress(zipped.content) == brotli.decompress(smallest.content) == plain.content == refused.content
    assert len(smallest.content) < len(zipped.content) < len(plain.content) / 3
    assert len({plain["ETag"], zipped["ETag"], smallest["ETag"]}) == 3
    again = client.get(event.get_absolute_url(), headers={"If-None-Match": plain["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again["Cache-Control"] == CACHE_CONTROL


def test_shell_survives_the_loss_of_redis(client, settings):
    event = make_event()
    settings.REDIS_CACHE_URL = "unix:///nowhere/valkey.sock?db=0"
    redis.reset()
    assert client.get(event.get_absolute_url()).status_code == 200
    redis.reset()


def test_without_redis_the_gutter_keeps_the_shell_for_every_process(client, settings, django_assert_num_queries):
    event = make_event()
    settings.REDIS_GUTTER_URL = settings.REDIS_URL
    settings.REDIS_CACHE_URL = "unix:///nowhere/valkey.sock?db=0"
    redis.reset()
    first = client.get(event.get_absolute_url()).content
    PAGES.clear()  # As another process would come.
    with django_assert_num_queries(1):
        assert client.get(event.get_absolute_url()).content == first
    assert 0 < redis.client("gutter").pttl(name_of(event).key("shell")) <= 10_000
    redis.reset()


@pytest.mark.parametrize(
    "change",
    [
        lambda e: Event.objects.filter(pk=e.pk).update(name="New"),
        lambda e: Event.objects.filter(pk=e.pk).update(sale_switch="paused"),
        lambda e: e.tiers.filter(number=0).update(amount=1),
        lambda e: e.tiers.filter(number=1).delete(),
        lambda e: PriceTier.objects.create(event=e, number=2, name="Floor", amount=1),
        lambda e: e.windows.update(closes_at=now() + timedelta(days=21)),
        make_window,
        lambda e: type(e.venue).objects.filter(pk=e.venue_id).update(name="New hall"),
        lambda e: type(e.organizer).objects.filter(pk=e.organizer_id).update(about="New words"),
    ],
)
def test_version_rises_by_one_with_every_public_change(change):
    event, other = make_event(plan=make_plan(name="One hall")), make_event(plan=make_plan(name="Another hall"))
    before, before_other = version_of(event), version_of(other)
    change(event)
    assert (version_of(event), version_of(other)) == (before + 1, before_other)


def test_version_rests_when_nothing_changes_and_never_falls():
    event = make_event()
    before = version_of(event)
    stale = Event.objects.get(pk=event.pk)
    event.save()
    assert version_of(event) == before
    Event.objects.filter(pk=event.pk).update(name="New")
    stale.save()  # Writes the old name and the old version.
    assert version_of(event) == before + 2


def test_event_data_tells_the_map_everything(client):
    plan = make_plan(hall=small_hall(rows=2, standing=30))
    event = make_event(plan=plan, tiers=[("Balcony", 4500), ("Stalls", 9000), ("Floor", 3000)])
    data = data_of(client.get(event.get_absolute_url()))
    window = event.windows.get()
    live = f"/live/events/{event.id}"
    opens, closes = (int(moment.timestamp() * 1000) for moment in (window.opens_at, window.closes_at))
    assert data["id"] == str(event.id)
    assert data["planUrl"] == f"/plans/{plan.content_hash}"
    assert (data["seatsUrl"], data["meUrl"], data["socketUrl"]) == (f"{live}/seats", f"{live}/me", f"{live}/socket")
    assert data["api"] == {"holds": f"/api/v1/events/{event.id}/holds", "orders": "/api/v1/orders"}
    assert data["checkoutUrl"] == f"/checkout/{event.slug}/"
    assert (data["maxPerFan"], data["seatCount"], data["currency"]) == (8, 70, "EUR")
    assert [tier["name"] for tier in data["tiers"]] == ["Balcony", "Stalls", "Floor"]
    assert data["categoryTier"] == [1, 0, 2]
    assert data["sectionTiers"] == [[1], [0], [2]]
    assert data["sale"] == {"state": "open", "opens_at": opens, "closes_at": closes}
    assert data["windows"] == [{"name": "General sale", "access": "public", "opens_at": opens, "closes_at": closes}]


def test_event_data_cannot_break_out_of_its_element(client):
    event = make_event(name="</script><script>alert(1)</script>", description="<b>&</b>")
    content = client.get(event.get_absolute_url()).content.decode()
    assert "<script>alert" not in content
    assert data_of(client.get(event.get_absolute_url()))["name"] == "</script><script>alert(1)</script>"


def test_json_ld_describes_the_event(client):
    organizer = make_organizer(name="Nordwind", slug="nordwind")
    venue = make_venue(name="Hall", city="Berlin", address="Am Ufer 1", latitude="52.5", longitude="13.4")
    start = now().replace(year=2030, month=7, day=1, hour=18, minute=0, second=0)
    event = make_event(
        name="Aurora & <Skies>",
        organizer=organizer,
        plan=make_plan(venue, name="Json hall"),
        starts_at=start,
        slug="aurora",
    )
    content = client.get("/e/aurora/").content.decode()
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', content, re.DOTALL)
    assert "<" not in found.group(1)
    document = json.loads(found.group(1))
    assert document["@type"] == "MusicEvent"
    assert document["name"] == "Aurora & <Skies>"
    assert document["startDate"] == "2030-07-01T20:00:00+02:00"
    assert document["eventStatus"] == "https://schema.org/EventScheduled"
    assert document["url"] == "http://localhost:8000/e/aurora/"
    assert document["location"]["address"]["addressLocality"] == "Berlin"
    assert document["location"]["geo"] == {"@type": "GeoCoordinates", "latitude": 52.5, "longitude": 13.4}
    assert [(o["price"], o["priceCurrency"]) for o in document["offers"]] == [("90.00", "EUR"), ("45.00", "EUR")]
    assert event.get_absolute_url() == "/e/aurora/"


def test_times_are_shown_on_the_venue_clock_and_named(client):
    venue = make_venue(timezone="America/New_York", city="New York", country="US")
    start = now().replace(year=2030, month=7, day=1, hour=0, minute=30, second=0)
    event = make_event(plan=make_plan(venue, name="New York hall"), starts_at=start)
    content = client.get(event.get_absolute_url()).content.decode()
    assert "Sunday 30 June 2030, 20:30" in content
    assert "New York time (EDT)" in content
    assert 'datetime="2030-06-30T20:30:00-04:00"' in content


@pytest.mark.parametrize(
    ("fields", "windows", "state", "has_map"),
    [
        ({}, [{}], "open", True),
        ({}, [{"opens_in": timedelta(hours=1)}], "upcoming", True),
        ({}, [{"access": "presale"}], "presale", True),
        ({"sale_switch": "paused"}, [{}], "paused", True),
        ({"sale_switch": "closed"}, [{}], "closed", True),
        ({"status": "cancelled"}, [{}], "cancelled", False),
        ({"starts_in": timedelta(days=-2)}, [{}], "past", False),
    ],
)
def test_shell_shows_exactly_the_state_of_the_sale(client, fields, windows, state, has_map):
    event = make_event(windows=windows, **fields)
    content = client.get(event.get_absolute_url()).content.decode()
    assert f'data-event-state="{state}"' in content
    assert ("<seat-map" in content) is has_map
    if has_map:
        shown = re.findall(r'<div class="sale__state" data-when="(\w+)" data-said="[^"]*">', content)
        assert shown == [state]
        assert f'href="/e/{event.slug}/choose/"' in content


def test_shell_is_not_kept_past_the_moment_the_sale_opens():
    event = make_event(windows=[{"opens_in": timedelta(seconds=30)}])
    page = shell(event.slug, timezone.now())
    opens_at = event.windows.get().opens_at
    assert page.until == opens_at.timestamp()
    name = name_of(event)
    assert 0 < redis.client().pttl(name.key("shell")) <= 30_000
    assert shell(event.slug, opens_at - timedelta(milliseconds=1)) is page
    assert b'data-event-state="open"' in shell(event.slug, opens_at).body


def test_draft_and_unknown_events_are_not_found(client):
    draft = make_event(status="draft")
    for path in (draft.get_absolute_url(), "/e/nothing/", f"{draft.get_absolute_url()}calendar.ics"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert b"Nothing at this address" in answer.content
        assert answer["Cache-Control"] == "public, max-age=0, s-maxage=5"
        assert "Set-Cookie" not in answer


def test_shell_refuses_to_be_posted_to(client):
    assert client.post(make_event().get_absolute_url()).status_code == 405


# --- the page cache, across processes ---


def name_of(event):
    return Name(event.id, event.version, DEFAULT_LOCALE, build())


def test_a_page_in_redis_is_what_was_put_there():
    page = Page.of("<p>Ü</p>").packed(until=1.5)
    assert shell_cache.unpacked(shell_cache.packed(page)) == page
    unending = Page.of("x").packed(until=math.inf)
    assert shell_cache.unpacked(shell_cache.packed(unending)) == unending


def test_whoever_comes_second_waits_for_the_first_and_renders_nothing():
    event = make_event()
    page, rendered = Page.of("a page").packed(until=math.inf), []

    def render():
        rendered.append(threading.get_ident())
        time.sleep(0.2)
        return event.version, page

    with ThreadPoolExecutor(8) as processes:
        ask = partial(shell_cache.page, name_of(event), render, now=time.time())
        assert list(processes.map(lambda _: ask(), range(8))) == [page] * 8
    assert len(rendered) == 1


def test_a_loader_that_died_is_followed_by_another_after_its_lease(monkeypatch):
    event = make_event()
    monkeypatch.setattr(shell_cache, "LEASE_MS", 1000)
    assert redis.client().set(name_of(event).key("lease"), "of a dead process", px=200)
    began = time.monotonic()
    shell(event.slug, timezone.now())
    assert 0.15 < time.monotonic() - began < 2
    assert redis.client().exists(name_of(event).key("shell")) == 1


def test_a_page_rendered_too_late_is_not_kept():
    event = make_event()
    name = name_of(event)
    old, new = Page.of("old").packed(until=math.inf), Page.of("new").packed(until=math.inf)

    def slowly():
        redis.client().delete(name.key("lease"))  # It ran out meanwhile, and another has taken over.
        assert shell_cache.page(name, lambda: (event.version, new), now=0) == new
        return event.version, old

    assert shell_cache.page(name, slowly, now=0) == old
    assert shell_cache.page(name, lambda: (event.version, old), now=0) == new


def test_a_page_of_a_newer_version_is_shown_and_not_kept_under_the_older():
    event = make_event(name="Before")
    name = name_of(event)
    newer = Page.of("newer").packed(until=math.inf)
    assert shell_cache.page(name, lambda: (event.version + 1, newer), now=0) == newer
    assert redis.client().exists(name.key("shell")) == 0


def test_a_render_that_fails_lets_the_next_one_try_at_once():
    event = make_event()
    with pytest.raises(ZeroDivisionError):
        shell_cache.page(name_of(event), lambda: 1 / 0, now=0)
    began = time.monotonic()
    page = Page.of("a page").packed(until=math.inf)
    assert shell_cache.page(name_of(event), lambda: (event.version, page), now=0) == page
    assert time.monotonic() - began < 0.5
