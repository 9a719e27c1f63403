"""Sockets refused by a proxy, full, or all gone at once: maps poll, see the same, and return without a rush."""

import asyncio
import random
import time
from pathlib import Path
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from inventory import fan, purchase
from inventory import plane as planes
from inventory.stock import create_stock
from tests.factories import make_event, make_plan
from tests.faults.proxies import without_sockets
from tests.faults.viewers import ORIGIN, POLL_SECONDS, Viewer, watching
from tests.inventory import live_servers
from tests.inventory.live_servers import Live, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SOCKETS = 2_000


@pytest.fixture
def event_id() -> UUID:
    event = make_event(plan=make_plan(rows=40), hold_seconds=600)
    assert create_stock(event) == 420
    return event.id


def _sell(event_id: UUID, *, first: int) -> None:
    for index in range(first, first + 20, 2):
        purchase.hold_seats(event_id=event_id, fan=fan.new_fan(), indexes=[index, index + 1])
        time.sleep(0.05)


def _all_see_what_is(event_id: UUID, viewers: list[Viewer], *, within: float) -> None:
    until(lambda: all(viewer.plane == stored_plane(event_id) for viewer in viewers), seconds=within)


def test_maps_poll_behind_a_proxy_that_refuses_the_upgrade(event_id: UUID, tmp_path: Path):
    with live_servers.live() as live, live_servers.relay(), without_sockets(live.port, tmp_path) as port:
        front = Live(port, live.running)
        until(lambda: not front.seats(event_id)[0].flags)
        with (
            watching(event_id, fetch=front.seats, socket_url=front.socket_url(event_id), count=3) as viewers,
            watching(event_id, fetch=live.seats, socket_url=live.socket_url(event_id)) as others,
        ):
            until(lambda: all(viewer.refused for viewer in viewers) and others[0].sockets)
            for first in (0, 100):
                _sell(event_id, first=first)
                _all_see_what_is(event_id, viewers + others, within=POLL_SECONDS + 1.5)
            assert [viewer.sockets for viewer in viewers] == [0, 0, 0]
            assert {viewer.version for viewer in viewers} == {others[0].version}


def test_maps_poll_where_the_live_pool_is_full(event_id: UUID):
    with live_servers.live(SOCKETS_PER_PROCESS="1") as live, live_servers.relay():
        until(lambda: not live.seats(event_id)[0].flags)
        seats = {"fetch": live.seats, "socket_url": live.socket_url(event_id)}
        with watching(event_id, **seats) as inside:
            until(lambda: inside[0].told and inside[0].told[0])
            with watching(event_id, **seats, count=3) as outside:
                until(lambda: all(viewer.sockets for viewer in outside))
                _sell(event_id, first=0)
                _all_see_what_is(event_id, inside + outside, within=POLL_SECONDS + 1.5)
                assert [
                    told for viewer in outside for told in viewer.told if told
                ] == []  # They were let in for a word.
        assert 'onsale_socket_refusals_total{reason="process full"}' in live.get("/metrics").body.decode()


class Crowd:
    """Two thousand maps on one event loop, which do what live.js does when their socket goes."""

    def __init__(self, live: Live, event_id: UUID) -> None:
        self._live = live
        self._event_id = event_id
        self.standing = 0
        self.greeted = 0

    async def stay(self, number: int) -> None:
        """Hold a socket, and come back when it goes, later each time it cannot."""
        failures = 0
        while True:
            try:
                async with self._socket(number) as socket:
                    await self._fetch()
                    failures = 0
                    self.standing += 1
                    try:
                        await self._listen(socket)
                    finally:
                        self.standing -= 1
            except (OSError, WebSocketException, asyncio.IncompleteReadError):
                most = min(30.0, 2.0 * 2**failures)
                failures += 1
                await asyncio.sleep(most * random.uniform(0.1, 1))

    def _socket(self, number: int) -> connect:
        return connect(
            self._live.socket_url(self._event_id),
            origin=ORIGIN,
            compression=None,
            ping_interval=None,
            proxy=None,
            additional_headers={"X-Forwarded-For": f"10.0.{number >> 8}.{number & 255}"},
        )

    async def _fetch(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._live.port)
        path = f"/live/events/{self._event_id}/seats"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 200 "), head
        assert planes.decode_body(body)[0].seat_count == 420

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            self.greeted += isinstance(message, bytes)


def test_two_thousand_sockets_lost_at_once_return_in_bounded_time_and_spare_the_database(event_id: UUID):
    """The worker is killed -9: no farewell, no word about when to come back; gunicorn starts another at once."""
    with live_servers.live(SOCKETS_PER_ADDRESS="5000") as live, live_servers.relay():
        until(lambda: not live.seats(event_id)[0].flags)
        back, slowest = asyncio.run(_lose_all(Crowd(live, event_id), live, event_id))
        assert back < 30
        assert slowest < 3
        # The new worker rebuilt once at most while its copies came: a read or two, whatever the crowd.
        assert _database_reads(live) <= 10


async def _lose_all(crowd: Crowd, live: Live, event_id: UUID) -> tuple[float, float]:
    """Return how long it took until all were back, and the slowest slot from the moment the new worker answered."""
    maps = [asyncio.create_task(crowd.stay(number)) for number in range(SOCKETS)]
    await _until(lambda: crowd.standing == SOCKETS and crowd.greeted >= SOCKETS)
    (worker,) = Path(f"/proc/{live.running.pid}/task/{live.running.pid}/children").read_text().split()
    killed_at = time.monotonic()
    await (await asyncio.create_subprocess_exec("kill", "-9", worker)).wait()
    await _until(lambda: crowd.standing == 0)
    await _until(lambda: crowd.standing > 0)
    slowest = 0.0
    while crowd.standing < SOCKETS:
        asked_at = time.monotonic()
        await asyncio.to_thread(live.seats, event_id)
        slowest = max(slowest, time.monotonic() - asked_at)
        assert asked_at - killed_at < 60
    back = time.monotonic() - killed_at
    for one in maps:
        one.cancel()
    await asyncio.gather(*maps, return_exceptions=True)
    return back, slowest


async def _until(holds) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        await asyncio.sleep(0.02)


def _database_reads(live: Live) -> int:
    lines = live.get("/metrics").body.decode().splitlines()
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("onsale_database_reads_total{")))
