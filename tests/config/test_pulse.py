"""The pulses: what processes count is added up over all of them, bounded, and never in anybody's way."""

import os
import subprocess
import sys
import time
from collections import Counter

import prometheus_client
import pytest

from config import metrics, pulse, pulses, redis

NOW = 1_800_000_000.5
SLOT = 899_999_999  # The slot before the one that NOW falls in.

PROBE = prometheus_client.Counter("onsale_probe_pulse", "Counts in a test.", ["family", "tier"])
SECONDS = prometheus_client.Histogram("onsale_probe_pulse_seconds", "Times in a test.", buckets=(0.1, 1.0))
LEVEL = prometheus_client.Gauge("onsale_probe_pulse_level", "Stands in a test.")


@pytest.fixture
def beating(monkeypatch):
    monkeypatch.setattr(metrics, "HOT_EVENTS", metrics.Heat())
    return pulse.Pulse("web")


def seen(**options):
    return pulses.picture(**({"last": SLOT, "slots": 1, "hot_slots": 1} | options))


def only_probes(moved):
    return {key: count for key, count in moved.items() if key.startswith("probe_pulse")}


def test_beat_tells_what_moved_since_the_last_one(beating):
    PROBE.labels("seats", "lru").inc(3)
    assert beating.beat(NOW)
    PROBE.labels("seats", "lru").inc(2)
    assert beating.beat(NOW + 2)
    assert beating.beat(NOW + 4)

    picture = seen(last=SLOT + 2, slots=3)

    assert [only_probes(moved) for moved in picture.moved] == [
        {"probe_pulse_total|seats|lru": 3},
        {"probe_pulse_total|seats|lru": 2},
        {},
    ]


def test_beats_of_several_processes_add_up(beating):
    other = pulse.Pulse("live")
    PROBE.labels("seats", "copy").inc(4)
    beating.beat(NOW)
    other.beat(NOW + 0.4)

    assert only_probes(seen().moved[0]) == {"probe_pulse_total|seats|copy": 8}


def test_histograms_are_told_by_their_buckets(beating):
    for seconds in (0.05, 0.5, 5):
        SECONDS.observe(seconds)
    beating.beat(NOW)

    assert only_probes(seen().moved[0]) == {
        "probe_pulse_seconds_bucket|0.1": 1,
        "probe_pulse_seconds_bucket|1.0": 2,
        "probe_pulse_seconds_bucket|+Inf": 3,
    }


def test_hot_keys_add_up_over_processes_and_slots(beating):
    for number, keys in enumerate(("aab", "b", "c")):
        for key in keys:
            metrics.HOT_EVENTS.add(key)
        beating.beat(NOW + 2 * number)

    assert seen(last=SLOT + 2, slots=1, hot_slots=3).hot == Counter(a=2, b=2, c=1)
    assert seen(last=SLOT + 2, slots=3, hot_slots=1).hot == Counter(c=1)


def test_a_process_tells_who_it_is_until_it_ends(beating):
    LEVEL.set(7)
    beating.beat(NOW)

    [process] = seen().processes

    assert (process.kind, process.pid, process.at) == ("web", os.getpid(), NOW)
    assert process.gauges["probe_pulse_level"] == 7
    assert process.memory > 1_000_000
    assert not process.is_silent(NOW + 6)
    assert process.is_silent(NOW + 6.1)
    beating.end()
    assert seen().processes == []


def test_what_is_kept_runs_out(beating):
    metrics.HOT_EVENTS.add("a")
    PROBE.labels("seats", "lru").inc()
    beating.beat(NOW)

    keys = [pulse.moved_key(SLOT), pulse.hot_key(SLOT), pulse.process_key(beating.name)]

    assert [redis.client().ttl(key) for key in keys] == [360, 360, 60]
    pulse.Pulse("live").beat(NOW + 61)
    assert [name.split(b"@")[0] for name in redis.client().zrange(pulse.processes_key(), 0, -1)] == [b"live"]


def test_beat_without_redis_is_lost_and_hurts_nobody(beating, settings):
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock"
    redis.reset()
    try:
        PROBE.labels("seats", "lru").inc()
        assert beating.beat(NOW) is False
        beating.end()
    finally:
        redis.reset()


def test_last_slot_is_one_that_everybody_has_told_of():
    assert pulses.last_slot(2000.0) == 998
    assert pulses.last_slot(2001.1) == 998
    assert pulses.last_slot(2001.3) == 999


def test_start_beats_by_itself_and_stop_takes_the_name_off():
    code = "import django; django.setup(); from config import pulse; import time; pulse.start(); time.sleep(60)"
    environment = os.environ | {
        "ONSALE_PROCESS": "relay",
        "REDIS_PREFIX": redis.key().rstrip(":"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    code = code.replace("time.sleep(60)", "input(); pulse.stop()")
    running = subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while not (found := pulses.picture(last=pulses.last_slot(), slots=1, hot_slots=1).processes):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert [(process.kind, process.pid) for process in found] == [("relay", running.pid)]
        running.communicate("\n", timeout=10)
    finally:
        running.kill()
        running.wait()

    assert pulses.picture(last=pulses.last_slot(), slots=1, hot_slots=1).processes == []
