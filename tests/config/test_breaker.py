"""The breaker: refuses at once while nothing answers, tries once, and closes again."""

import pytest

from config import redis
from config.breaker import Breaker, Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def _fail() -> int:
    raise OSError("no answer")


def test_breaker_opens_after_three_failures_in_a_row_and_tries_once():
    clock = Clock()
    breaker = Breaker(errors=(OSError,), failures=3, rest_seconds=1, clock=clock)
    calls = []

    def fail() -> int:
        calls.append(clock.now)
        return _fail()

    for _ in range(6):
        with pytest.raises(Unavailable):
            breaker.call(fail)
    assert len(calls) == 3
    assert breaker.is_open

    clock.now += 1.0
    for _ in range(3):
        with pytest.raises(Unavailable):
            breaker.call(fail)
    assert len(calls) == 4

    clock.now += 1.0
    assert breaker.call(lambda: 7) == 7
    assert not breaker.is_open
    assert [breaker.call(lambda: 8) for _ in range(3)] == [8, 8, 8]


def test_breaker_forgets_failures_that_were_not_in_a_row():
    breaker = Breaker(errors=(OSError,), failures=2, clock=Clock())
    for _ in range(5):
        with pytest.raises(Unavailable):
            breaker.call(_fail)
        assert breaker.call(lambda: 1) == 1


def test_breaker_lets_other_errors_pass_and_counts_them_not():
    breaker = Breaker(errors=(OSError,), failures=1, clock=Clock())
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 // 0)
    assert not breaker.is_open


def test_guarded_redis_gives_up_within_the_deadline_and_then_at_once(settings, tmp_path):
    """A server that accepts and never answers, as a stopped one does."""
    import socket
    import time

    path = str(tmp_path / "frozen.sock")
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(path)
        frozen.listen(50)
        settings.REDIS_CACHE_URL = f"unix://{path}?db=0"
        redis.reset()
        try:
            spent = []
            for _ in range(5):
                started = time.monotonic()
                with pytest.raises(Unavailable):
                    redis.guarded(lambda client: client.get("k"))
                spent.append(time.monotonic() - started)
        finally:
            redis.reset()
    # Up to two deadlines of 100 ms, and patience for a busy machine; then no waiting at all.
    assert max(spent[:3]) < 1.0
    assert min(spent[:3]) >= 0.1
    assert max(spent[3:]) < 0.09


def test_breaker_tells_when_it_opens_and_when_a_call_comes_through_again():
    clock, told = Clock(), []
    breaker = Breaker(errors=(OSError,), failures=2, clock=clock, tell=told.append)
    for _ in range(2):
        assert told == []
        with pytest.raises(Unavailable):
            breaker.call(_fail)
    assert told == [1.0]
    clock.now += 1.1
    breaker.call(lambda: 1)
    assert told == [1.0, 0.0]
    breaker.call(lambda: 1)
    assert told == [1.0, 0.0]
