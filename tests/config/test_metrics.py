"""Counting on the hot path: nothing is lost between threads, and a scrape sees everything."""

import threading

import pytest
from prometheus_client import CollectorRegistry, Counter

from config import health, metrics


@pytest.fixture
def counter() -> Counter:
    return Counter("onsale_probe", "Counts in a test.", registry=CollectorRegistry())


def test_tally_hands_over_every_count_once(counter):
    tally = metrics.Tally(counter)

    for _ in range(3):
        tally.inc()
    tally.flush()
    tally.flush()
    tally.inc()

    assert counter._value.get() == 3
    assert tally.value == 4
    assert counter._value.get() == 4


def test_tally_loses_nothing_between_threads(counter):
    tally = metrics.Tally(counter)
    done = threading.Event()

    def count() -> None:
        for _ in range(20_000):
            tally.inc()

    def read() -> None:
        while not done.is_set():
            tally.flush()

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=count) for _ in range(4)]
    reader.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()

    assert tally.value == 80_000


def test_labels_returns_the_same_tally():
    assert metrics.TIER_READS.labels("seats", "lru") is metrics.TIER_READS.labels("seats", "lru")


def test_exposition_shows_what_was_just_counted():
    tally = metrics.TIER_READS.labels("probe", "lru")
    before = tally.value

    tally.inc()

    line = f'onsale_tier_reads_total{{family="probe",tier="lru"}} {before + 1}.0'
    assert line in health.exposition().decode().splitlines()


def test_heat_takes_the_hottest_and_begins_anew():
    heat = metrics.Heat()
    for key, times in {"a": 2, "b": 5, "c": 1}.items():
        for _ in range(times):
            heat.add(key)

    assert heat.take(2) == {"b": 5, "a": 2}
    assert heat.take(2) == {}


def test_heat_takes_every_so_many_for_all_of_them():
    heat = metrics.Heat(every=13)
    for _ in range(13):
        for key in ("a", "a", "b"):
            heat.add(key)

    assert heat.take(2) == {"a": 26, "b": 13}


def test_heat_is_bounded():
    heat = metrics.Heat(size=2)
    for key in ("a", "b", "c", "c", "a"):
        heat.add(key)

    assert heat.take(10) == {"a": 2, "b": 1}


@pytest.mark.django_db
def test_pages_found_are_counted_and_nothing_else(client):
    before = metrics.PAGE_VIEWS.value

    client.get("/accounts/login/")
    client.get("/healthz")
    client.get("/nowhere/")

    assert metrics.PAGE_VIEWS.value == before + 1
