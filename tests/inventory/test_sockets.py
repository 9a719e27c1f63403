"""The sockets: another's hold arrives, gaps are mended, the slow and the many are kept within bounds."""

import asyncio
import json
import signal
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from config.frames import encoded
from inventory import copies, fan, purchase, relay
from inventory import plane as planes
from inventory.availability import Snapshot
from inventory.models import SeatPlane
from inventory.rooms import DEGRADED, RESYNC, Room, Watcher
from inventory.sockets import Hub
from tests.inventory import live_servers
from tests.inventory.live_servers import Live, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]

ORIGIN = "http://localhost:8000"


PREFIX = f"{settings.REDIS_PREFIX}:sockets-{token_hex(4)}"


@pytest.fixture(autouse=True)
def redis_prefix(settings: Any) -> str:
    """Give the tests of this module one prefix instead of one each, because they share a server."""
    settings.REDIS_PREFIX = PREFIX
    layer = settings.CHANNEL_LAYERS["default"]
    config = layer["CONFIG"] | {"prefix": f"{PREFIX}:layer"}
    settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": config}}
    return PREFIX


@pytest.fixture(scope="module")
def live(django_db_setup: None) -> Iterator[Live]:
    with live_servers.live(REDIS_PREFIX=PREFIX) as server:
        yield server


@contextmanager
def _watching(server: Live, event_id: UUID) -> Iterator[ClientConnection]:
    with connect(server.socket_url(event_id), origin=ORIGIN, compression=None) as socket:
        yield socket


class Viewer:
    """What a browser does: a snapshot by GET, then frames; fetches again when a frame does not fit."""

    def __init__(self, server: Live, event_id: UUID) -> None:
        self.server = server
        self.event_id = event_id
        self.fetches = 0
        self.fetch()

    def fetch(self) -> None:
        self.fetches += 1
        header, self.plane = self.server.seats(self.event_id)
        self.version = header.version

    def take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            if json.loads(frame)["kind"] == "resync":
                self.fetch()
            return
        from_version, to_version, changes = planes.decode_delta(frame)
        if from_version <= self.version < to_version:
            self.plane, self.version = planes.with_changes(self.plane, changes), to_version
        elif self.version < from_version:
            self.fetch()


def test_another_fan_s_hold_arrives_within_a_second(event_id: UUID, live: Live):
    with live_servers.relay():
        until(lambda: not live.seats(event_id)[0].flags)
        with _watching(live, event_id) as socket:
            viewer = Viewer(live, event_id)
            viewer.take(socket.recv(5))
            started = time.monotonic()
            purchase.hold_seats(event_id=event_id, fan=fan.new_fan(), indexes=[11, 12])
            frame = socket.recv(5)
            spent = time.monotonic() - started
            from_version, to_version, changes = planes.decode_delta(frame)
            assert changes == {11: planes.HELD, 12: planes.HELD}
            assert (from_version, to_version) == (viewer.version, viewer.version + 1)
            assert frame == struct.pack("<QQ", viewer.version, viewer.version + 1) + b"\x0b\0\0\0\1\x0c\0\0\0\1"
            viewer.take(frame)
            assert viewer.plane == stored_plane(event_id)
            assert viewer.fetches == 1
            assert spent < 1.0


def test_viewers_agree_with_the_database_whatever_happens_to_the_relay(event_id: UUID, live: Live):
    """Snapshot and frames, with the relay killed in mid-sale and followed by another."""
    with live_servers.relay() as first:
        until(lambda: not live.seats(event_id)[0].flags)
        with _watching(live, event_id) as socket:
            viewer = Viewer(live, event_id)
            who = [fan.new_fan() for _ in range(6)]
            for k in range(3):
                purchase.hold_seats(event_id=event_id, fan=who[k], indexes=[k, k + 10])
                time.sleep(0.05)
            first.send_signal(signal.SIGKILL)
            first.wait()
            purchase.hold_seats(event_id=event_id, fan=who[3], indexes=[3, 13])
            with live_servers.relay():
                purchase.hold_seats(event_id=event_id, fan=who[4], indexes=[4, 14])
                deadline = time.monotonic() + 30
                while viewer.plane != stored_plane(event_id) and time.monotonic() < deadline:
                    try:
                        viewer.take(socket.recv(0.5))
                    except TimeoutError:
                        continue
            assert viewer.plane == stored_plane(event_id)


def test_who_joins_with_an_old_snapshot_is_brought_up_to_date_by_one_frame(event_id: UUID, live: Live):
    with live_servers.relay():
        until(lambda: not live.seats(event_id)[0].flags)
        with _watching(live, event_id) as early:
            viewer = Viewer(live, event_id)
            early.recv(5)
            for k in range(3):
                purchase.hold_seats(event_id=event_id, fan=fan.new_fan(), indexes=[k])
                early.recv(5)
            with _watching(live, event_id) as late:
                greeting = late.recv(5)
                from_version, to_version, changes = planes.decode_delta(greeting)
                assert (from_version, to_version) == (viewer.version, viewer.version + 3)
                assert changes == dict.fromkeys(range(3), planes.HELD)
                viewer.take(greeting)
                assert viewer.plane == stored_plane(event_id)
                assert viewer.fetches == 1


def test_lost_frame_is_noticed_and_told(event_id: UUID, live: Live):
    """A plane moved on without its frame, as when the relay dies between its commit and its publication."""
    (movement,) = relay.Planes().take()
    copies.write({event_id: movement.body}, hot=[event_id])
    with _watching(live, event_id) as socket:
        assert planes.decode_delta(socket.recv(5)) == (movement.to_version, movement.to_version, {})
        SeatPlane.objects.filter(event_id=event_id).update(version=movement.to_version + 1)
        kept = planes.decode_body(movement.body)
        body = planes.encode_body(kept[0]._replace(version=movement.to_version + 1), kept[1])

        def frame() -> bytes | str | None:
            copies.write({event_id: body}, hot=[event_id])
            try:
                return socket.recv(0.2)
            except TimeoutError:
                return None

        assert planes.decode_delta(until(frame)) == (movement.to_version + 1,) * 2 + ({},)


def test_announcement_reaches_every_watcher(event_id: UUID, live: Live):
    with _watching(live, event_id) as one, _watching(live, event_id) as other:
        for socket in (one, other):
            assert isinstance(socket.recv(5), bytes)
        relay.announce(event_id, {"kind": "event", "version": 7})
        assert [json.loads(socket.recv(5)) for socket in (one, other)] == [{"kind": "event", "version": 7}] * 2


def test_announcement_without_redis_is_given_up(event_id: UUID, settings):
    layer = settings.CHANNEL_LAYERS["default"]
    config = layer["CONFIG"] | {"hosts": ["unix:///nowhere/redis.sock?db=0"]}
    settings.CHANNEL_LAYERS = {"default": layer | {"CONFIG": config}}
    started = time.monotonic()
    relay.announce(event_id, {"kind": "event", "version": 7})
    assert time.monotonic() - started < 1.0


@pytest.mark.slow
def test_watchers_are_told_to_poll_while_the_relay_is_away(event_id: UUID, live: Live):
    with live_servers.relay():
        until(lambda: not live.seats(event_id)[0].flags)
    with _watching(live, event_id) as socket:
        assert isinstance(socket.recv(5), bytes)
        notice = until(lambda: _text(socket))
        assert notice == {"kind": "degraded", "poll_ms": 2000}
        with live_servers.relay():
            assert until(lambda: _text(socket)) == {"kind": "resync"}


def _text(socket: ClientConnection) -> dict | None:
    try:
        message = socket.recv(0.2)
    except TimeoutError:
        return None
    return json.loads(message) if isinstance(message, str) else None


def _until_closed(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            socket.recv(5)


def test_foreign_origin_and_unknown_events_are_refused(event_id: UUID, live: Live):
    for url, origin in [
        (live.socket_url(event_id), "https://evil.example"),
        (live.socket_url(event_id), None),
        (live.socket_url(uuid4()), ORIGIN),
        (live.socket_url(event_id) + "x", ORIGIN),
        (live.socket_url(event_id).replace("-", "~"), ORIGIN),
    ]:
        with pytest.raises(InvalidStatus) as refused, connect(url, origin=origin):
            pass
        assert refused.value.response.status_code == 403


def test_address_has_only_so_many_sockets(event_id: UUID):
    with live_servers.live(SOCKETS_PER_ADDRESS="2") as server, _watching(server, event_id), _watching(server, event_id):
        with _watching(server, event_id) as third:
            assert json.loads(third.recv(5)) == {"kind": "degraded", "poll_ms": 2000}
            with pytest.raises(ConnectionClosed):
                third.recv(5)
            assert third.close_code == 1013
        metrics = server.get("/metrics").body.decode()
        assert "onsale_sockets 2.0" in metrics
        assert 'onsale_socket_refusals_total{reason="address full"} 1.0' in metrics


def test_sockets_are_counted_out_when_they_close(event_id: UUID, live: Live):
    for _ in range(3):
        with _watching(live, event_id) as socket:
            socket.recv(5)
    until(lambda: "onsale_sockets 0.0" in live.get("/metrics").body.decode())
    assert "onsale_socket_events 0.0" in live.get("/metrics").body.decode()


def test_chatterer_is_shown_out(event_id: UUID, live: Live):
    with _watching(live, event_id) as socket:
        for _ in range(21):
            socket.send("hello?")
        _until_closed(socket)
        assert socket.close_code == 1008


def test_shutdown_closes_with_1012_and_tells_each_socket_its_own_moment_to_come_back(event_id: UUID):
    """Slots are answered until the last socket has gone."""
    with live_servers.live() as server, ExitStack() as stack:
        sockets = [stack.enter_context(_watching(server, event_id)) for _ in range(150)]
        for socket in sockets:
            socket.recv(5)
        server.running.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert server.seats(event_id)[0].seat_count == 60
        for socket in sockets:
            _until_closed(socket)
        assert {socket.close_code for socket in sockets} == {1012}
        moments = {int(socket.close_reason) for socket in sockets}
        assert len(moments) > 75
        assert min(moments) >= 1000
        assert max(moments) <= 1000 + 1000 * 150 // 500
        assert server.running.wait(20) == 0


# --- The room and the watcher, without a network ------------------------------------------------------------------


class Wire:
    """A socket as the server offers it: takes at once, or not until there is room again."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.has_room = True
        self.on_room: Callable[[], None] | None = None

    def write(self, frame: bytes) -> bool:
        if self.has_room:
            self.sent.append(frame)
        return self.has_room

    def make_room(self) -> None:
        self.has_room = True
        if self.on_room:
            self.on_room()


def _delta(number: int) -> bytes:
    return planes.encode_delta(number, number + 1, {number: planes.HELD})


def _message(number: int) -> dict:
    return {"type": "frame", "frame": _delta(number), "at": time.time()}


def test_frames_are_encoded_as_the_protocol_says():
    assert encoded(b"ab") == b"\x82\x02ab"
    assert encoded("\u20ac") == b"\x81\x03\xe2\x82\xac"
    assert encoded(bytes(300))[:4] == b"\x82\x7e\x01\x2c"


def test_slow_watcher_is_told_to_fetch_and_costs_no_memory():
    wire = Wire()
    watcher = Watcher(wire)
    watcher.offer(b"1")
    wire.has_room = False
    for _ in range(1000):
        watcher.offer(b"2")
    assert watcher.is_behind
    assert wire.sent == [b"1"]
    wire.make_room()
    watcher.offer(b"3")
    assert wire.sent == [b"1", encoded('{"kind":"resync"}'), b"3"]
    assert wire.on_room is None


@pytest.fixture
async def room(monkeypatch) -> Room:
    async def nothing(self: Room) -> None:
        self._ready.set()

    for work in ("_listen", "_speak", "_watch"):
        monkeypatch.setattr(Room, work, nothing)
    made = Room(uuid4())
    await asyncio.sleep(0)
    return made


async def _join(room: Room) -> Wire:
    wire = Wire()
    watcher = Watcher(wire)
    room.watchers.add(watcher)
    await room.greet(watcher)
    return wire


def _snapshot(version: int, flags: int = 0) -> Snapshot:
    return Snapshot.of(planes.encode_body(planes.Header(flags, 60, version, 0), bytes(15)))


def _spans(wire: Wire) -> list[tuple[int, int, dict[int, int]]]:
    return [planes.decode_delta(frame[2:]) for frame in wire.sent if frame[:1] == b"\x82"]


async def test_room_ignores_old_frames_and_starts_anew_after_a_gap(room: Room):
    room.version = 5
    wire = await _join(room)
    for number in (4, 5, 9, 10):
        room.hear(_message(number))
        await room.tell()
    assert _spans(wire) == [(5, 5, {}), (5, 6, {5: 1}), (9, 10, {9: 1}), (10, 11, {10: 1})]
    late = await _join(room)
    assert _spans(late) == [(9, 11, {9: 1, 10: 1})]


async def test_room_tells_deltas_that_wait_together_as_one_and_in_order_with_notices(room: Room):
    room.version = 5
    wire = await _join(room)
    for message in [*map(_message, (5, 6, 7)), {"type": "notice", "notice": {"kind": "x"}}, *map(_message, (8, 12))]:
        room.hear(message)
    await room.tell()
    assert wire.sent[1:] == [
        encoded(planes.encode_delta(5, 8, {5: 1, 6: 1, 7: 1})),
        encoded('{"kind":"x"}'),
        encoded(_delta(8)),
        encoded(_delta(12)),
    ]


async def test_room_mends_a_lost_frame_only_when_it_stays_lost(room: Room):
    room.version = 5
    wire = await _join(room)
    room.check(_snapshot(6))
    room.hear(_message(5))
    await room.tell()
    room.check(_snapshot(6))
    await room.tell()
    assert _spans(wire) == [(5, 5, {}), (5, 6, {5: 1})]
    room.check(_snapshot(7))
    room.check(_snapshot(8))
    await room.tell()
    assert _spans(wire)[2:] == [(8, 8, {})]
    assert room.version == 8


async def test_room_passes_on_notices_and_restarts_with_a_new_plane(room: Room):
    room.version = 5
    wire = await _join(room)
    room.hear({"type": "notice", "notice": {"kind": "event", "version": 7}})
    room.hear({"type": "notice", "notice": {"kind": "resync"}, "version": 9000})
    await room.tell()
    assert wire.sent[1:] == [encoded('{"kind":"event","version":7}'), encoded('{"kind":"resync"}')]
    assert room.version == 9000


async def test_room_tells_to_poll_after_three_rounds_without_the_relay_and_to_fetch_when_it_is_back(room: Room):
    wire = await _join(room)
    for _ in range(5):
        room.check(_snapshot(0, flags=planes.REBUILT))
    await room.tell()
    assert wire.sent[1:] == [DEGRADED]
    assert (await _join(room)).sent[1:] == [DEGRADED]
    room.check(_snapshot(0))
    await room.tell()
    assert wire.sent[2:] == [RESYNC]


async def test_room_goes_on_after_a_message_that_nobody_understands(monkeypatch):
    async def nothing(self: Room) -> None:
        self._ready.set()

    for work in ("_listen", "_watch"):
        monkeypatch.setattr(Room, work, nothing)
    room = Room(uuid4())
    wire = await _join(room)
    room.hear({"type": "frame"})
    await asyncio.sleep(0.01)
    room.hear(_message(0))
    await asyncio.sleep(0.05)
    room.close()
    assert _spans(wire) == [(0, 0, {}), (0, 1, {0: 1})]


async def test_hub_caps_the_process_and_each_address(settings):
    settings.SOCKETS_PER_PROCESS, settings.SOCKETS_PER_ADDRESS = 3, 2
    hub = Hub()
    assert [hub.admit(address) for address in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    hub.dismiss("a")
    assert hub.admit("c")
