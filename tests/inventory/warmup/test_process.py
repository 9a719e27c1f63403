"""A process's rounds: what is on the list is filled once, one process first, and told to whoever asked for it."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections

from config import redis
from inventory.stock import create_stock
from inventory.warmup import hot_list, process
from inventory.warmup.hot_list import Hot
from inventory.warmup.process import Warmer
from tests.factories import make_event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]


@pytest.fixture
def hot() -> Hot:
    event = make_event(windows=[{"opens_in": timedelta(minutes=3)}])
    create_stock(event)
    (found,) = hot_list.renew()
    return found


def test_an_event_is_filled_once_and_again_when_asked_for(hot: Hot):
    filled: list[str] = []
    warmer = Warmer("web", lambda one: filled.append(one.slug))
    assert warmer.round()
    assert warmer.round()
    assert filled == [hot.slug]
    asked = hot_list.ask(hot.id)
    assert process.warmed_by(asked) == {}
    assert warmer.round()
    assert filled == [hot.slug, hot.slug]
    assert list(process.warmed_by(asked)) == process.followers() == [warmer.name]


def test_what_could_not_be_filled_is_tried_again(hot: Hot):
    tries: list[str] = []

    def fill(one: Hot) -> None:
        tries.append(one.slug)
        if len(tries) == 1:
            raise OSError("away")

    warmer = Warmer("web", fill)
    assert not warmer.round()
    assert warmer.round()
    assert len(tries) == 2


def test_a_list_that_cannot_be_had_is_not_warm(hot: Hot):
    redis.client().delete(redis.key("{warm}", "list"))
    redis.client().set(redis.key("{warm}", "lease"), b"another's")
    assert not Warmer("web", lambda one: None).round()


def test_of_many_processes_one_fills_alone_before_the_others(hot: Hot):
    running, most, order = [0], [], []

    def fill(one: Hot) -> None:
        order.append("begin")
        running[0] += 1
        most.append(running[0])
        time.sleep(0.05)
        running[0] -= 1
        order.append("end")

    def follow(number: int) -> None:
        Warmer(f"web{number}", fill).round()
        connections.close_all()

    threads = [threading.Thread(target=follow, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert order[:2] == ["begin", "end"]  # The first was alone ...
    assert len(order) == 16
    assert max(most[1:]) > 1  # ... and the others, who find what it left, do not queue.
