"""One value for all processes: who loads, who waits, what is served when loading fails, and without Redis."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from config import metrics, redis
from config.knobs import knobs
from config.tiers import Busy, Lease, Rate, Shared
from config.tiers.pool import Pool
from config.tiers.xfetch import pack
from tests.config import crowd
from tests.inventory.live_servers import ROOT, environment, until

KEY = "{x}"


def _shared(**more) -> Shared[str]:
    terms = {"seconds": 10.0, "grace_seconds": 20.0, "lease_ms": 300, "rate": Rate(100, burst=100)}
    terms |= {"stored": "copy", "loaded": "database", "encode": str.encode, "decode": bytes.decode}
    return Shared("test", **(terms | more))


class Loads:
    """A load that counts itself; `answer` may be an error."""

    def __init__(self, answer="value") -> None:
        self.answer = answer
        self.count = 0

    def __call__(self):
        self.count += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def shared() -> Iterator[Shared[str]]:
    redis.reset()
    yield _shared()
    redis.reset()


def _get(shared, load, *, key=KEY):
    return shared.get(redis.key(key), load, deadline_seconds=5)


def _keep(value: str, *, delta: float, fresh_for: float, grace: float = 20.0) -> None:
    redis.client().set(redis.key(KEY), pack(delta, value.encode()), px=int((fresh_for + grace) * 1000))


def _reads(tier: str) -> int:
    return metrics.TIER_READS.labels("test", tier).value


def test_value_is_loaded_once_and_then_read_by_every_process(shared):
    load = Loads()
    before = _reads("database"), _reads("copy")
    assert _get(shared, load) == "value"
    assert _get(_shared(), load) == "value"
    assert load.count == 1
    assert (_reads("database"), _reads("copy")) == (before[0] + 1, before[1] + 1)
    assert 29_000 < redis.client().pttl(redis.key(KEY)) <= 30_000


def test_threads_of_a_process_share_one_load(shared):
    landed, load = threading.Event(), Loads()

    def slow():
        landed.wait(5)
        return load()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(_get, shared, slow) for _ in range(8)]
        time.sleep(0.1)
        landed.set()
        assert [answer.result() for answer in asked] == ["value"] * 8
    assert load.count == 1


def test_nothing_is_not_kept_and_keeps_nobody_waiting(shared):
    load = Loads(None)
    assert _get(shared, load) is None
    assert _get(shared, load) is None
    assert load.count == 2
    assert redis.client().exists(redis.key(KEY), redis.key(KEY, "lease")) == 0


def test_error_of_a_load_is_told_and_keeps_nobody_waiting(shared):
    with pytest.raises(LookupError, match="away"):
        _get(shared, Loads(LookupError("away")))
    began = time.monotonic()
    assert _get(shared, Loads()) == "value"
    assert time.monotonic() - began < 0.2


def test_value_near_its_expiry_is_made_anew_by_one_while_the_others_go_on(shared, monkeypatch):
    monkeypatch.setattr(knobs, "xfetch_beta", 10.0)
    _keep("old", delta=100_000.0, fresh_for=5)  # Not due once in 200,000 times.
    began, landed, load = threading.Event(), threading.Event(), Loads("new")

    def slow():
        began.set()
        landed.wait(5)
        return load()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(_get, shared, slow)
        began.wait(5)
        assert [_get(_shared(), load) for _ in range(5)] == ["old"] * 5
        landed.set()
        assert first.result() == "new"
    assert load.count == 1


def test_fresh_value_is_not_made_anew(shared):
    _keep("old", delta=0.001, fresh_for=5)
    load = Loads()
    assert _get(shared, load) == "old"
    assert load.count == 0


def test_expired_value_is_served_while_its_refresh_fails_and_the_next_try_is_a_lease_away(shared):
    _keep("old", delta=0.001, fresh_for=-1)
    before, load = _reads("stale"), Loads(LookupError("away"))
    assert [_get(shared, load) for _ in range(5)] == ["old"] * 5
    assert load.count == 1
    assert _reads("stale") == before + 1
    time.sleep(0.35)
    assert _get(shared, Loads("new")) == "new"


def test_expired_value_whose_refresh_succeeds_is_fresh_again(shared):
    _keep("old", delta=0.001, fresh_for=-1)
    assert _get(shared, Loads("new")) == "new"
    assert _get(_shared(), Loads()) == "new"


@pytest.mark.parametrize("stored", [b"", b"no envelope", pack(0.1, b"\xff\xfe")])
def test_damaged_value_is_made_anew(shared, stored):
    redis.client().set(redis.key(KEY), stored, px=25_000)
    assert _get(shared, Loads()) == "value"
    assert _get(_shared(), Loads("other")) == "value"


def test_value_stored_between_the_look_and_the_lease_is_taken(shared, monkeypatch):
    acquire, load = Pool.acquire, Loads("second")

    def late(self: Pool, *args: Any, **more: Any) -> str | None:
        monkeypatch.setattr(Pool, "acquire", acquire)
        assert _get(_shared(), Loads("first")) == "first"
        return acquire(self, *args, **more)

    monkeypatch.setattr(Pool, "acquire", late)
    assert _get(shared, load) == "first"
    assert load.count == 0
    assert redis.client().exists(redis.key(f"{KEY}:lease")) == 0


def test_loads_are_bounded_by_the_rate(shared):
    shared.rate = Rate(0.001, burst=2)
    load = Loads(None)
    _get(shared, load)
    _get(shared, load, key="{y}")
    with pytest.raises(Busy):
        _get(shared, load, key="{z}")
    assert load.count == 2
    _keep("old", delta=0.001, fresh_for=-1)
    assert _get(shared, load) == "old"


# --- without Redis -------------------------------------------------------------------------------------------------


@pytest.fixture
def no_redis(settings, shared) -> None:
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()


@pytest.mark.usefixtures("no_redis")
def test_without_redis_and_gutter_each_process_loads_within_its_rate(shared):
    shared.rate = Rate(0.001, burst=3)
    load = Loads()
    assert [_get(shared, load) for _ in range(3)] == ["value"] * 3
    with pytest.raises(Busy):
        _get(shared, load)
    assert load.count == 3


@pytest.mark.usefixtures("no_redis")
def test_without_redis_the_gutter_keeps_a_value_for_five_to_ten_seconds(settings, shared):
    settings.REDIS_GUTTER_URL = settings.REDIS_URL
    load, lives = Loads(), []
    for key in ("{a}", "{b}", "{c}", "{d}"):
        assert _get(shared, load, key=key) == "value"
        assert _get(_shared(), load, key=key) == "value"
        lives.append(redis.client("gutter").pttl(redis.key(key)))
    assert load.count == 4
    assert all(4900 < life <= 10_000 for life in lives)
    assert len({round(life, -1) for life in lives}) > 1, "what was filled together must not end together"


@pytest.mark.usefixtures("no_redis")
def test_gutter_that_is_away_too_is_let_be(settings, shared):
    settings.REDIS_GUTTER_URL = "unix:///nowhere/either.sock?db=0"
    load = Loads()
    assert [_get(shared, load) for _ in range(3)] == ["value"] * 3
    assert load.count == 3


def test_gutter_is_not_asked_while_redis_answers(settings, shared):
    settings.REDIS_GUTTER_URL = "unix:///nowhere/either.sock?db=0"
    assert _get(shared, Loads()) == "value"
    assert redis.breaker("gutter")._failures == 0


# --- sixteen processes ---------------------------------------------------------------------------------------------


def _crowd(how: str, processes: int = crowd.PROCESSES) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.config.crowd", how, str(processes)]
    return subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)


def _answers(running: subprocess.Popen[str]) -> list[list]:
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    return json.loads(out.splitlines()[-1])


def _loads() -> int:
    return int(redis.client().get(crowd.key("loads")) or 0)


def test_one_of_sixteen_processes_loads(shared):
    redis.client().set(crowd.key("truth"), "value")
    answers = _answers(_crowd("load"))
    assert [value for value, _ in answers] == ["value"] * 16
    assert _loads() == 1


def test_loader_that_dies_is_followed_by_one_other_after_its_lease(shared):
    redis.client().set(crowd.key("truth"), "value")
    answers = _answers(_crowd("die"))
    assert [value for value, _ in answers] == ["value"] * 15
    assert _loads() == 2
    lease = crowd.LEASE_MS / 1000
    assert all(lease - 0.1 <= seconds < 2 * lease for _, seconds in answers)


def test_answer_of_a_loader_paused_while_a_writer_commits_is_not_stored(shared):
    client, key = redis.client(), crowd.key("value")
    client.set(crowd.key("truth"), "old")
    running = _crowd("pause", 1)
    assert running.stdout is not None
    paused = int(running.stdout.readline())
    until(lambda: _state(paused) == "T")
    client.set(crowd.key("truth"), "new")
    lease = Lease(client, key, lease=f"{key}:lease")
    writer = lease.renew(for_ms=5000)
    assert lease.store(writer, pack(0.1, b"new"), ttl_ms=60_000)
    os.kill(paused, signal.SIGCONT)
    assert [value for value, _ in _answers(running)] == ["old"]
    assert crowd.value().get(key, Loads(b"unasked"), deadline_seconds=5) == b"new"


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
