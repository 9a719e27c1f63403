"""The live page: who may see it, and what it says with figures, without processes and without Redis."""

import time
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from config import metrics, pulse, pulses, redis
from inventory.admin import live_page
from tests.factories import make_event, make_member, make_organizer

pytestmark = pytest.mark.django_db

PAGE, NOW = "/admin/live/", "/admin/live/now.json"


@pytest.fixture
def root(client):
    client.force_login(get_user_model().objects.create_superuser("root"))
    return client


@pytest.fixture
def beats(monkeypatch):
    """Beat as a process of this kind would have, in the latest slot that is shown."""
    monkeypatch.setattr(metrics, "HOT_EVENTS", metrics.Heat())
    moment = (pulses.last_slot() + 1) * pulse.BEAT_SECONDS + 0.5

    def beat(kind="web", *, ago=0.0, count=lambda: None):
        process = pulse.Pulse(kind)
        count()
        assert process.beat(moment - ago)

    return beat


def process(kind, *, at, leads=False, **gauges):
    gauges = {name.replace("__", "|"): value for name, value in gauges.items()}
    return pulses.Process(kind, "web1", 7, at - 60, at, 1, 0.1, gauges | {"relay_leads": float(leads)})


def fact(found, title):
    return next(((one["text"], one["verdict"]) for one in found if one["title"] == title), None)


def test_the_live_page_is_for_superusers_only(client, root):
    assert root.get(PAGE).status_code == 200
    assert root.get(NOW).status_code == 200
    assert 'href="/admin/live/"' in root.get("/admin/").content.decode()

    client.force_login(make_member(make_organizer()))
    assert client.get(PAGE).status_code == 403
    assert client.get(NOW).status_code == 403
    assert 'href="/admin/live/"' not in client.get("/admin/").content.decode()

    client.logout()
    assert client.get(PAGE).status_code == 302
    assert client.get(NOW).status_code == 302


def test_the_page_needs_no_inline_script_and_its_figures_are_not_kept(root):
    page = root.get(PAGE).content.decode()

    assert "inventory/admin/live/live.js" in page
    assert " onload=" not in page
    assert "no-store" in root.get(NOW).headers["Cache-Control"]


def test_without_processes_it_says_so(root):
    assert root.get(NOW).json()["alive"] == "nobody"


def test_without_redis_it_says_so(root, settings):
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock"
    redis.reset()
    try:
        assert live_page.present()["alive"] == "redis"
    finally:
        redis.reset()


def test_figures_come_from_what_processes_told(root, beats):
    event = make_event(name="The Long Night")
    unknown = uuid4()

    def count():
        for _ in range(60):
            metrics.TIER_READS.labels("seats", "lru").inc()
            metrics.HOT_EVENTS.add(event.pk)
        metrics.HOT_EVENTS.add(unknown)

    beats(count=count)

    now = root.get(NOW).json()

    assert now["alive"] == "yes"
    assert now["tiers"]["seats"] == {"lru": 60}
    [slots] = [figure for figure in now["headline"] if figure["name"] == "slots"]
    assert (slots["value"], slots["verdict"]) == (1.0, "watched")
    assert [(one["name"], one["per_second"]) for one in now["hot"]] == [("The Long Night", 1.0), (str(unknown), 1 / 60)]
    assert now["hot"][0]["url"] == f"/admin/events/event/{event.pk}/change/"
    assert now["hot"][1]["url"] == ""
    assert [(one["kind"], one["silent"]) for one in now["processes"]] == [("web", False)]
    assert len(now["points"]["slots"]) == 150


def test_only_what_came_since_is_drawn_again(root, beats):
    beats()
    last = root.get(NOW).json()["last"]

    assert len(root.get(f"{NOW}?since={last - 3}").json()["points"]["slots"]) in (3, 4)
    assert len(root.get(f"{NOW}?since={last - 9999}").json()["points"]["slots"]) == 150
    assert len(root.get(f"{NOW}?since=nonsense").json()["points"]["slots"]) == 150
    assert root.get(f"{NOW}?since={last + 9999}").json()["points"] == {}


def test_a_process_that_was_killed_is_shown_as_silent(root, beats):
    beats(ago=20)

    [found] = root.get(NOW).json()["processes"]

    assert found["silent"]
    assert 20 <= found["beat"] < 30


def test_facts_tell_who_leads():
    now = time.time()

    assert fact(live_page.facts([process("relay", at=now, leads=True)], now), "Relay") == ("web1:7 leads", "met")
    assert fact(live_page.facts([process("relay", at=now)], now), "Relay") == ("nobody leads", "missed")
    killed = [process("relay", at=now - 30, leads=True)]
    assert fact(live_page.facts(killed, now), "Relay") == ("nobody leads", "missed")


def test_facts_take_sums_of_sockets_and_the_worst_of_breakers():
    now = time.time()
    found = live_page.facts(
        [
            process("live", at=now, sockets=1_200.0, breaker_open__cache=0.0, breaker_open__layer=1.0),
            process("live", at=now, sockets=34.0, breaker_open__cache=0.0),
        ],
        now,
    )

    assert fact(found, "Sockets open") == ("1,234", "watched")
    assert fact(found, "Redis") == ("layer not asked", "missed")
    assert fact(found, "Replica") is None
    assert fact(found, "Oldest message waits") == ("0.0 s", "met")
    assert fact(found, "Dead letters") == ("0", "met")


def test_facts_tell_of_the_replica_where_there_is_one(settings):
    now = time.time()
    settings.REPLICA_URL = "postgres://replica/onsale"

    def told(**gauges):
        everybody = [process("worker", at=now, replica_usable=0.0), process("web", at=now, **gauges)]
        return fact(live_page.facts(everybody, now), "Replica")

    assert told(replica_usable=1.0, replica_lag_seconds=0.24) == ("0.2 s behind", "met")
    assert told(replica_usable=1.0, replica_lag_seconds=31.0) == ("31.0 s behind", "missed")
    assert told(replica_usable=0.0, replica_lag_seconds=31.0) == ("not browsed from", "missed")
