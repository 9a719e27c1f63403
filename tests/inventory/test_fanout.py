"""The number of copies, turned while relay and readers run: nobody sees an older picture, and nothing is rebuilt."""

import re
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.conf import settings
from redis import Redis

from config import knob_board, redis
from config.knobs import knobs
from config.tiers.fanout import HEARD_SECONDS
from inventory import availability
from tests.inventory import live_servers
from tests.inventory.live_servers import Live, set_seats, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def _as_by_default():
    redis.reset()
    yield
    knobs.turn({})
    redis.reset()


@pytest.fixture
def patient() -> Iterator[Redis]:
    """A client that waits, however busy the machine is."""
    with Redis.from_url(settings.REDIS_URL) as client:
        yield client


def _copies(patient: Redis, event_id: UUID) -> set[int]:
    """Return the numbers of the copies that exist."""
    return {copy for copy in range(20) if patient.exists(availability.copy_key(event_id, copy))}


def _rebuilds(live: Live) -> int:
    found = re.search(rb'onsale_tier_reads_total\{family="seats",tier="database"\} (\S+)', live.get("/metrics").body)
    return int(float(found[1])) if found else 0


class Readers:
    """Two live processes, asked in turn; a version must never be lower than the last of the same process."""

    def __init__(self, *lives: Live) -> None:
        self._lives = lives
        self._last = dict.fromkeys(lives, 0)
        self._rebuilt = sum(map(_rebuilds, lives))

    def watch(self, event_id: UUID, *, seconds: float, seats: list[int]) -> None:
        """Read for so long while these seats are held one after the other; each is seen within 2.5 s."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if seats:
                set_seats(event_id, [seats.pop()], "held")
            for live in self._lives:
                header, _ = live.seats(event_id)
                assert header.flags == 0
                assert header.version >= self._last[live]
                self._last[live] = header.version
            time.sleep(0.2)
        for live in self._lives:
            expected = live_servers.stored_plane(event_id)
            until(lambda live=live, expected=expected: live.seats(event_id)[1] == expected, seconds=2.5)
        assert sum(map(_rebuilds, self._lives)) == self._rebuilt


def test_copies_are_turned_up_and_down_under_readers(event_id, patient):
    with live_servers.relay(), live_servers.live() as first, live_servers.live() as second:
        for live in (first, second):
            until(lambda live=live: not live.seats(event_id)[0].flags)
        until(lambda: _copies(patient, event_id) == set(range(10)))
        readers, seats = Readers(first, second), list(range(40))
        knob_board.turn({"seats_copies": "20"})
        readers.watch(event_id, seconds=3, seats=seats)
        assert _copies(patient, event_id) == set(range(20))
        knob_board.turn({"seats_copies": "3"})
        readers.watch(event_id, seconds=HEARD_SECONDS + 4, seats=seats)
        assert _copies(patient, event_id) == {0, 1, 2}


def test_an_event_nobody_looks_at_has_one_copy_and_whoever_comes_finds_it(event_id, patient):
    with live_servers.relay():
        until(lambda: _copies(patient, event_id) == {0})
        patient.persist(availability.copy_key(event_id, 0))
        with live_servers.live() as live:
            header, _ = live.seats(event_id)
            assert (header.flags, _rebuilds(live)) == (0, 0)
            until(lambda: _copies(patient, event_id) == set(range(10)))
