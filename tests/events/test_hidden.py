"""Lists leave out what an event was before it was cancelled or moved, however old the list is."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from config import redis
from events import catalog, hidden, sales
from events.catalog import Filters
from events.models import Event, ProgrammeRow
from inventory import read_models
from tests.factories import make_event, now

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_connections():
    redis.reset()
    yield
    redis.reset()


@pytest.fixture
def show():
    return make_event(name="Hamlet")


def _record(**entry):
    pass


def _names():
    return [entry.event.name for entry in catalog.listing(Filters(), page=1, now=timezone.now()).entries]


def test_a_cancelled_event_leaves_every_list_at_once_and_returns_as_cancelled(client, show):
    pages = (
        reverse("listing"),
        reverse("organizer", args=[show.organizer.slug]),
        reverse("venue", args=[show.venue.slug]),
        "/api/v1/events",
    )
    assert all(b"Hamlet" in client.get(page).content for page in pages)
    sales.cancel(event_id=show.id, actor="staff:1", reason="", record=_record)
    assert ProgrammeRow.objects.get(event=show).status == "published", "the list is old"
    assert not any(b"Hamlet" in client.get(page).content for page in pages)
    read_models.feed()
    (entry,) = catalog.listing(Filters(), page=1, now=timezone.now()).entries
    assert (entry.event.name, entry.shown_state) == ("Hamlet", "cancelled")


def test_a_moved_event_is_not_listed_at_its_old_time(show):
    later = now() + timedelta(days=90)
    sales.reschedule(event_id=show.id, starts_at=later, actor="staff:1", record=_record)
    assert _names() == []
    read_models.feed()
    (entry,) = catalog.listing(Filters(), page=1, now=timezone.now()).entries
    assert entry.event.starts_at == later


def test_only_what_is_older_than_the_change_is_left_out(show):
    other = make_event(name="Macbeth")
    hidden.hide_older(show.id)
    assert sorted(_names()) == ["Hamlet", "Macbeth"], "both rows are of the version that must be shown"
    Event.objects.filter(pk=show.pk).update(name="Hamlet II")
    hidden.hide_older(show.id)
    assert _names() == [other.name]


def test_a_change_that_is_rolled_back_hides_nothing(show):
    with transaction.atomic():
        sales.cancel(event_id=show.id, actor="staff:1", reason="", record=_record)
        transaction.set_rollback(True)
    assert redis.client().zcard(redis.key("hidden")) == 0
    assert _names() == ["Hamlet"]


def test_without_redis_lists_are_as_right_as_the_programme(show, settings):
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    sales.cancel(event_id=show.id, actor="staff:1", reason="", record=_record)
    assert _names() == ["Hamlet"]
    read_models.feed()
    (entry,) = catalog.listing(Filters(), page=1, now=timezone.now()).entries
    assert entry.shown_state == "cancelled"


def test_the_set_forgets(show, monkeypatch):
    monkeypatch.setattr(hidden.time, "time", lambda: 1000.0)
    hidden.hide_older(show.id)
    monkeypatch.setattr(hidden.time, "time", lambda: 1000.0 + hidden.KEPT_SECONDS)
    other = make_event(name="Macbeth")
    hidden.hide_older(other.id)
    members = redis.client().zrange(redis.key("hidden"), 0, -1)
    assert [member.decode().partition(":")[0] for member in members] == [str(other.id)]
    assert 0 < redis.client().ttl(redis.key("hidden")) <= hidden.KEPT_SECONDS
