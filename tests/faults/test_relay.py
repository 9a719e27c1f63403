"""The relay killed again and again in the middle of a sale: nothing lost, nothing told twice, the standby goes on."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import UUID

import pytest
from django.db import connection

from inventory import availability, fan, purchase
from inventory import plane as planes
from inventory.models import SeatChange, SeatPlane
from inventory.stock import create_stock
from tests.factories import make_event, make_plan
from tests.faults.viewers import watching
from tests.inventory import live_servers
from tests.inventory.live_servers import Live, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SEATS = 620
KILLS = 3


@pytest.fixture
def event_id() -> UUID:
    event = make_event(plan=make_plan(rows=60), hold_seconds=600)
    assert create_stock(event) == SEATS
    return event.id


@pytest.fixture
def live() -> Iterator[Live]:
    with live_servers.live() as server:
        yield server


class Sale:
    """Fans who take and give back seats, and remember what they were promised."""

    def __init__(self, event_id: UUID) -> None:
        self._event_id = event_id
        self._chance = random.Random(11)
        self._holds: list[tuple[str, purchase.Held]] = []
        self._free = list(range(SEATS))
        self._chance.shuffle(self._free)

    def go_on(self, seconds: float) -> None:
        """Hold and release for so long, at some forty changes a second."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._holds and (self._chance.random() < 0.4 or len(self._free) < 10):
                who, held = self._holds.pop(self._chance.randrange(len(self._holds)))
                purchase.release_hold(hold_id=held.hold_id, fan=who)
                self._free += [seat.index for seat in held.seats]
            else:
                who, wanted = fan.new_fan(), [self._free.pop() for _ in range(self._chance.randint(1, 3))]
                self._holds.append((who, purchase.hold_seats(event_id=self._event_id, fan=who, indexes=wanted)))
            time.sleep(0.02)

    @property
    def promised(self) -> set[int]:
        """The seats that fans were told are theirs."""
        return {seat.index for _, held in self._holds for seat in held.seats}


def test_relay_killed_repeatedly_in_mid_sale(event_id: UUID, live: Live):
    sale = Sale(event_id)
    names = [f"relay-{number}" for number in range(KILLS + 1)]
    with ExitStack() as stack:
        relays = {name: stack.enter_context(live_servers.relay(ONSALE_PROCESS=name)) for name in names}
        until(lambda: _sessions("state IS NOT NULL") >= set(names), seconds=120)
        until(lambda: not live.seats(event_id)[0].flags)
        viewers = stack.enter_context(
            watching(event_id, fetch=live.seats, socket_url=live.socket_url(event_id), count=3)
        )
        until(lambda: all(viewer.sockets for viewer in viewers))
        before = SeatPlane.objects.get(event_id=event_id).version
        for _ in range(KILLS):
            sale.go_on(1.0)
            (leader,) = _leaders()
            relays[leader].kill()
            relays[leader].wait()
            sale.go_on(1.0)
            until(lambda leader=leader: _leaders() - {leader}, seconds=5)
        sale.go_on(1.5)

        quiet_at = time.monotonic()
        until(lambda: all(viewer.plane == stored_plane(event_id) for viewer in viewers), seconds=3)
        until(
            lambda: live.seats(event_id)[1] == stored_plane(event_id), seconds=max(0.0, quiet_at + 3 - time.monotonic())
        )
        assert _held(stored_plane(event_id)) == sale.promised
        assert not SeatChange.objects.exists()

        # Applied once: the kept plane moved on, is what the seats say, and is what everybody has at the end.
        kept = SeatPlane.objects.get(event_id=event_id)
        assert kept.version > before + 5 * KILLS
        assert bytes(kept.plane) == stored_plane(event_id) == availability.read(event_id).plane
        until(lambda: {viewer.version for viewer in viewers} == {kept.version})

    for viewer in viewers:
        for told in viewer.told:
            assert told == sorted(told)  # I13: per socket, versions only rise.
        assert sum(map(len, viewer.told)) >= 5 * KILLS


def _sessions(condition: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity a"
            f" WHERE datname = current_database() AND application_name LIKE 'relay-%%' AND {condition}"
        )
        return {name for (name,) in cursor.fetchall()}


def _leaders() -> set[str]:
    return _sessions("EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND locktype = 'advisory' AND granted)")


def _held(plane: bytes) -> set[int]:
    return {index for index in range(SEATS) if planes.code_at(plane, index) == planes.HELD}
