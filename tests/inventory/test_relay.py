"""The relay: every change once, in order, whenever it dies; copies that never go back; one leader."""

import asyncio
import random
import signal
import time
from uuid import UUID

import pytest
from channels.layers import get_channel_layer
from django.db import connection

from config import redis
from inventory import availability, copies, relay
from inventory import plane as planes
from inventory.models import Seat, SeatChange, SeatPlane
from inventory.stock import create_stock
from tests.factories import make_event, make_plan
from tests.inventory import live_servers
from tests.inventory.live_servers import lose_redis, set_seats, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]


def _copies(event_id: UUID) -> set[bytes | None]:
    return set(redis.client().mget([availability.copy_key(event_id, copy) for copy in range(10)]))


def test_new_stock_makes_a_plane_and_tells_all_to_fetch(event_id):
    (movement,) = relay.Planes().take()
    assert movement.changes is None
    assert movement.from_version == 0
    assert abs(movement.to_version - time.time() * 1000) < 10_000
    kept = SeatPlane.objects.get(event_id=event_id)
    assert (kept.version, kept.seat_count, bytes(kept.plane)) == (movement.to_version, 60, bytes(15))
    assert not SeatChange.objects.exists()


def test_changes_become_one_delta_per_event_with_each_seat_s_last_state(event_id):
    other = make_event(plan=make_plan(rows=2))
    create_stock(other)
    here = relay.Planes()
    start = {movement.event_id: movement.to_version for movement in here.take()}
    set_seats(event_id, [5, 6], "held")
    set_seats(event_id, [6], "paying")
    set_seats(event_id, [6], "sold")
    set_seats(event_id, [9], "held")
    set_seats(event_id, [9], "free")
    set_seats(other.id, [0], "blocked")
    moved = {movement.event_id: movement for movement in here.take()}
    assert moved[event_id].changes == {5: planes.HELD, 6: planes.SOLD}
    assert moved[other.id].changes == {0: planes.BLOCKED}
    assert {one: movement.from_version for one, movement in moved.items()} == start
    assert {one: movement.to_version for one, movement in moved.items()} == {one: n + 1 for one, n in start.items()}
    assert bytes(SeatPlane.objects.get(event_id=event_id).plane) == stored_plane(event_id)
    assert here.take() == []


def test_a_change_taken_back_within_a_tick_is_no_news(event_id):
    here = relay.Planes()
    (start,) = here.take()
    set_seats(event_id, [9], "held")
    set_seats(event_id, [9], "free")
    assert here.take() == []
    assert SeatPlane.objects.get(event_id=event_id).version == start.to_version
    assert not SeatChange.objects.exists()


def test_snapshot_and_deltas_are_a_fresh_snapshot(event_id):
    """I13, over random sales cut into random ticks; one relay dies and another goes on from the database."""
    chance = random.Random(7)
    here = relay.Planes()
    (start,) = here.take()
    version, plane = start.to_version, planes.decode_body(start.body)[1]
    follow = {"free": ["held", "blocked"], "held": ["free", "paying"], "paying": ["held", "sold", "free"]}
    follow |= {"sold": ["free"], "blocked": ["free"]}
    states = dict.fromkeys(range(60), "free")
    for _ in range(40):
        for _ in range(chance.randrange(1, 6)):
            seat = chance.randrange(60)
            states[seat] = chance.choice(follow[states[seat]])
            set_seats(event_id, [seat], states[seat])
        if chance.random() < 0.2:
            here = relay.Planes()
        for movement in here.take():
            frame = planes.encode_delta(movement.from_version, movement.to_version, movement.changes or {})
            from_version, to_version, changes = planes.decode_delta(frame)
            assert (from_version, to_version) == (version, version + 1)
            version, plane = to_version, planes.with_changes(plane, changes)
    assert plane == stored_plane(event_id)
    assert availability.read(event_id).plane == plane


def test_a_batch_takes_the_oldest_changes_first(event_id, monkeypatch):
    monkeypatch.setattr(relay, "BATCH", 2)
    here = relay.Planes()
    here.take()
    set_seats(event_id, [1], "held")
    set_seats(event_id, [2], "held")
    set_seats(event_id, [1], "free")
    assert [movement.changes for movement in here.take()] == [{1: planes.HELD, 2: planes.HELD}]
    assert [movement.changes for movement in here.take()] == [{1: planes.FREE}]


def test_lost_plane_row_is_read_again_from_the_seats(event_id):
    relay.Planes().take()
    before = SeatPlane.objects.get(event_id=event_id).version
    SeatPlane.objects.all().delete()
    set_seats(event_id, [5], "held")
    time.sleep(0.002)
    (movement,) = relay.Planes().take()
    assert movement.changes is None
    assert movement.to_version > before
    assert planes.decode_body(movement.body)[1] == stored_plane(event_id)


def test_deleted_stock_takes_its_plane_along(event_id):
    here = relay.Planes()
    here.take()
    Seat.objects.filter(event_id=event_id).delete()
    assert here.take() == []
    assert not SeatPlane.objects.exists()
    assert here.body(event_id) is None


def test_failed_tick_changes_nothing(event_id, monkeypatch):
    here = relay.Planes()
    (start,) = here.take()
    set_seats(event_id, [5], "held")

    def fail(*_: object) -> None:
        raise RuntimeError("struck by lightning")

    with monkeypatch.context() as patched:
        patched.setattr(planes, "with_changes", fail)
        with pytest.raises(RuntimeError, match="lightning"):
            here.take()
    assert SeatChange.objects.count() == 1
    assert SeatPlane.objects.get(event_id=event_id).version == start.to_version
    assert [movement.changes for movement in here.take()] == [{5: planes.HELD}]


def test_copies_are_written_ten_times_with_a_ttl_and_never_go_back(event_id):
    here = relay.Planes()
    (old,) = here.take()
    set_seats(event_id, [5], "held")
    (new,) = here.take()
    copies.write({event_id: new.body}, hot=[event_id])
    copies.write({event_id: old.body}, hot=[event_id])
    assert _copies(event_id) == {new.body}
    assert 0 < redis.client().pttl(availability.copy_key(event_id, 9)) <= 2000


def test_event_that_nobody_looks_at_has_one_copy(event_id):
    (movement,) = relay.Planes().take()
    copies.write({event_id: movement.body})
    assert redis.client().get(availability.copy_key(event_id, 0)) == movement.body
    assert redis.client().get(availability.copy_key(event_id, 1)) is None


def test_kept_copies_get_their_time_anew_and_lost_or_old_ones_are_written(event_id):
    here = relay.Planes()
    (old,) = here.take()
    copies.write({event_id: old.body}, hot=[event_id])
    key = availability.copy_key(event_id, 3)
    redis.client().pexpire(key, 5000)
    copies.keep({event_id: old.body})
    assert redis.client().pttl(key) <= 2000
    set_seats(event_id, [5], "held")
    (new,) = here.take()
    redis.client().delete(key)
    copies.keep({event_id: new.body})
    assert _copies(event_id) == {new.body}
    copies.keep({event_id: old.body})
    assert _copies(event_id) == {new.body}


def test_redis_lost_between_ticks_is_no_matter(event_id, settings):
    here = relay.Planes()
    (movement,) = here.take()
    settings.REDIS_CACHE_URL = settings.REDIS_LAYER_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    copies.write({event_id: movement.body}, hot=[event_id])
    relay.hint(event_id)
    assert copies.hot_events() == []


def test_relay_process_writes_what_is_watched_and_publishes_within_a_tick(event_id):
    layer = get_channel_layer()

    async def scene() -> tuple[float, dict]:
        channel = await layer.new_channel()
        await layer.group_add(relay.group(event_id), channel)
        await asyncio.to_thread(until, SeatPlane.objects.exists)
        await asyncio.sleep(0.3)
        started = time.monotonic()
        await asyncio.to_thread(_hold_and_hint, event_id)
        while (message := await asyncio.wait_for(layer.receive(channel), 5))["type"] != "frame":
            pass
        return time.monotonic() - started, message

    # The channel layer's prefix is the run's, not the test's: it is read once, with the settings.
    with live_servers.relay(REDIS_PREFIX=_layer_prefix()):
        spent, message = asyncio.run(_closing(layer, scene()))
    assert planes.decode_delta(message["frame"])[2] == {5: planes.HELD}
    assert spent < 1.0


def _layer_prefix() -> str:
    return get_channel_layer()._kwargs["prefix"].removesuffix(":layer")


async def _closing(layer, scene):
    try:
        return await scene
    finally:
        await layer.flush()


def _hold_and_hint(event_id: UUID) -> None:
    set_seats(event_id, [5], "held")
    relay.hint(event_id)
    connection.close()


def test_hot_event_is_written_again_every_second_and_after_the_loss_of_redis(event_id):
    with live_servers.relay():
        availability.snapshot(event_id)
        until(lambda: None not in _copies(event_id))
        lose_redis()
        redis.client().zadd(redis.key("hot"), {str(event_id): time.time()})
        until(lambda: None not in _copies(event_id))
        time.sleep(2.5)
        assert None not in _copies(event_id)


@pytest.mark.slow
def test_killed_relay_loses_nothing_and_applies_nothing_twice(event_id):
    """Kill -9 under writes, again and again; the versions tell how often the plane moved, the plane what came of it."""
    chance = random.Random(3)
    held: set[int] = set()
    for _ in range(3):
        with live_servers.relay() as running:
            before = SeatPlane.objects.filter(event_id=event_id).values_list("version", flat=True).first() or 0
            until(SeatPlane.objects.exists)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                seat = chance.randrange(60)
                set_seats(event_id, [seat], "free" if seat in held else "held")
                held ^= {seat}
                now = SeatPlane.objects.get(event_id=event_id).version
                if before and now > before + 3:
                    break
                if not before and chance.random() < 0.01:
                    break
            running.send_signal(signal.SIGKILL)
            running.wait()
        # Between two relays: the row and what waits are the truth.
        assert availability.read(event_id).plane == stored_plane(event_id)
    with live_servers.relay():
        until(lambda: not SeatChange.objects.exists())
        kept = SeatPlane.objects.get(event_id=event_id)
        assert bytes(kept.plane) == stored_plane(event_id)
        until(lambda: _body_version(event_id) == kept.version)
        (copy,) = _copies(event_id)
        assert planes.decode_body(copy)[1] == stored_plane(event_id)


def _body_version(event_id: UUID) -> int | None:
    redis.client().zadd(redis.key("hot"), {str(event_id): time.time()})
    (copy, *others) = _copies(event_id)
    return planes.decode_body(copy)[0].version if copy and not others else None


@pytest.mark.slow
def test_standby_takes_over_from_a_killed_leader(event_id):
    with live_servers.relay() as first:
        until(SeatPlane.objects.exists)
        with live_servers.relay() as second:
            time.sleep(1.5)
            assert second.poll() is None
            assert _leaders() == 1
            first.send_signal(signal.SIGKILL)
            set_seats(event_id, [5], "held")
            until(lambda: not SeatChange.objects.exists())
            assert _leaders() == 1
    assert bytes(SeatPlane.objects.get(event_id=event_id).plane) == stored_plane(event_id)


def test_relay_stops_cleanly_and_frees_the_lock(event_id):
    with live_servers.relay() as running:
        until(SeatPlane.objects.exists)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    assert _leaders() == 0


def test_relay_gets_over_the_loss_of_its_database_session(event_id):
    with live_servers.relay() as running:
        until(SeatPlane.objects.exists)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        set_seats(event_id, [5], "held")
        until(lambda: not SeatChange.objects.exists())
        assert running.poll() is None


def _leaders() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND (classid::bigint << 32 | objid::bigint) = %s",
            [relay.LEADER_LOCK],
        )
        return cursor.fetchone()[0]
