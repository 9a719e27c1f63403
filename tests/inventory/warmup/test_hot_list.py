"""Which events are hot: by Postgres alone, by what staff ask for and by who is looking; reckoned once for all."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import redis
from inventory.models import SeatPlane
from inventory.relay import Planes
from inventory.stock import create_stock
from inventory.warmup import hot_list
from tests.factories import make_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]


def make(slug: str, **window: timedelta) -> Any:
    """Make an event with stock and one sale window, which nobody has touched for an hour."""
    event = make_event(slug=slug, windows=[window])
    create_stock(event)
    Planes().body(event.pk)
    SeatPlane.objects.filter(event=event).update(updated_at="2020-01-01T00:00:00Z")
    return event


def test_the_list_has_sales_that_open_within_five_minutes_have_just_opened_or_move():
    make("next", opens_in=timedelta(minutes=4))
    make("later", opens_in=timedelta(minutes=6))
    make("just-opened", opens_in=timedelta(minutes=-9))
    make("quiet", opens_in=timedelta(days=-1))
    moving = make("moving", opens_in=timedelta(days=-1))
    SeatPlane.objects.filter(event=moving).update(updated_at="2999-01-01T00:00:00Z")
    paused = make("paused", opens_in=timedelta(minutes=4))
    type(paused).objects.filter(pk=paused.pk).update(sale_switch="paused")
    listed = hot_list.current()
    assert listed is not None
    assert [(hot.slug, hot.is_opening, hot.is_watched) for hot in listed] == [
        ("next", True, False),
        ("just-opened", False, False),
        ("moving", False, False),
    ]
    assert listed[0].pages[:3] == [["/e/next/", "br"], ["/e/next/", "gzip"], ["/e/next/", ""]]


def test_the_list_is_reckoned_once_for_all_processes_and_again_when_lost():
    make("next", opens_in=timedelta(minutes=4))
    with CaptureQueriesContext(connection) as first:
        listed = hot_list.current()
    with CaptureQueriesContext(connection) as second:
        assert hot_list.current() == listed
    assert (len(first), len(second)) == (2, 0)  # Events, and the latest recorded shape.
    redis.client().delete(redis.key("{warm}", "list"))
    redis.client().set(redis.key("{warm}", "lease"), b"another's")
    assert hot_list.current() is None
    redis.client().delete(redis.key("{warm}", "lease"))
    assert hot_list.current() == listed


def test_what_staff_ask_for_and_what_is_looked_at_is_on_the_list():
    asked, seen = make("asked"), make("seen")
    make("quiet")
    redis.client().zadd(redis.key("hot"), {str(seen.pk): 9e12})
    hot = hot_list.ask(asked.pk)
    assert hot.asked > 0
    listed = hot_list.current()
    assert listed is not None
    assert [(one.slug, one.is_watched) for one in listed] == [("asked", False), ("seen", True)]


def test_prewarm_refuses_an_event_that_nobody_may_see():
    make_event(slug="hidden", status="draft")
    with pytest.raises(CommandError, match="no public event 'hidden'"):
        call_command("prewarm", "hidden")
