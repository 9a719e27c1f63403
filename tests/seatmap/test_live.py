"""Live seats: deltas by socket, continuity of versions, polling when sockets fail, and the same picture either way."""

import struct
import time

import pytest

from .peer import FREE, HELD, SOLD

pytestmark = pytest.mark.browser

FREE_LOOK, HELD_LOOK, TAKEN_LOOK = "Available", "In someone's basket", "Taken"


def test_live_shows_another_fans_hold_within_a_second(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")

    world.change({3: HELD, 40: SOLD})

    assert shown.until_look(3, HELD_LOOK) < 1
    assert shown.until_look(40, TAKEN_LOOK) < 1
    assert shown.stats()["version"] == 2
    assert shown.stats()["counts"] == {"free": 82, "held": 1, "sold": 1, "blocked": 0, "mine": 0}


def test_live_refetches_when_a_frame_is_missing(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    shown.page.wait_for_timeout(300)

    world.change({5: SOLD}, silent=True)
    world.change({6: HELD})

    shown.until_look(6, HELD_LOOK)
    assert shown.look(5) == TAKEN_LOOK
    assert shown.stats()["version"] == 3


def test_live_applies_a_frame_that_begins_before_its_version(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    shown.page.wait_for_timeout(200)
    world.change({5: HELD})
    shown.until_look(5, HELD_LOOK)
    asked = world.seats_asked

    world.states[5], world.states[6], world.version = SOLD, HELD, 3
    world.tell(struct.pack("<QQIBIB", 1, 3, 5, SOLD, 6, HELD))

    shown.until_look(5, TAKEN_LOOK)
    assert shown.look(6) == HELD_LOOK
    assert shown.stats()["version"] == 3
    assert world.seats_asked == asked


def test_live_takes_a_rebuilt_snapshot_of_its_own_version(world, open_map):
    world.sockets_refused = True
    shown = open_map(world)

    world.states[5] = SOLD
    world.rebuilt = 1

    shown.until_look(5, TAKEN_LOOK)
    assert shown.stats()["version"] == 1
    assert shown.stats()["stale"] is True


def test_live_ignores_frames_it_already_has(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    shown.page.wait_for_timeout(200)
    world.change({7: HELD})
    shown.until_look(7, HELD_LOOK)
    asked = world.seats_asked

    world.tell(struct.pack("<QQIB", 1, 2, 7, SOLD))

    shown.page.wait_for_timeout(300)
    assert shown.look(7) == HELD_LOOK
    assert world.seats_asked == asked


def test_live_survives_a_torn_frame_by_asking_again(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    world.change({8: SOLD}, silent=True)

    world.tell(b"torn")

    assert shown.until_look(8, TAKEN_LOOK) < 1.5


def test_live_obeys_a_resync_notice(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    world.change({9: SOLD}, silent=True)

    world.notice(kind="resync")

    assert shown.until_look(9, TAKEN_LOOK) < 1.5


@pytest.mark.slow
def test_live_polls_with_the_etag_when_sockets_fail_and_shows_the_same(world, open_map):
    world.sockets_refused = True
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "polling")

    world.change({3: HELD, 4: SOLD, 50: SOLD})

    assert shown.until_look(3, HELD_LOOK) < 3.5
    assert (shown.look(4), shown.look(50), shown.look(5)) == (TAKEN_LOOK, TAKEN_LOOK, FREE_LOOK)
    assert shown.page.locator(".sm-status").inner_text() == "Updates every 2 s"
    unchanged = world.seats_unchanged
    shown.page.wait_for_timeout(2600)
    assert world.seats_unchanged > unchanged


def test_live_returns_to_the_socket_and_misses_nothing(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    world.sockets_refused = True
    world.tell(None)
    shown.until(lambda s: s["transport"] == "polling")
    world.change({11: SOLD})

    world.sockets_refused = False

    shown.until(lambda s: s["transport"] == "socket")
    shown.until_look(11, TAKEN_LOOK)
    world.change({12: HELD})
    assert shown.until_look(12, HELD_LOOK) < 1


def test_live_comes_back_when_the_server_told_it_to(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    world.farewell = "2600"
    left_at = time.monotonic()
    world.tell(None)
    shown.until(lambda s: s["transport"] == "polling")
    world.change({16: SOLD})

    assert shown.until_look(16, TAKEN_LOOK) < 3.5

    shown.until(lambda s: s["transport"] == "socket")
    assert 2.5 < time.monotonic() - left_at < 4


@pytest.mark.slow
def test_live_turns_to_polling_when_told_it_is_degraded(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")

    world.notice(kind="degraded", poll_ms=2000)

    shown.until(lambda s: s["transport"] == "polling")
    world.change({13: SOLD})
    assert shown.until_look(13, TAKEN_LOOK) < 4


def test_live_says_it_is_offline_and_catches_up(world, open_map, context):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")

    shown.page.evaluate("dispatchEvent(new Event('offline'))")
    shown.until(lambda s: s["transport"] == "offline")
    assert shown.page.locator(".sm-status").inner_text() == "Offline: seats may have changed"
    world.change({14: SOLD}, silent=True)
    shown.page.evaluate("dispatchEvent(new Event('online'))")

    shown.until(lambda s: s["transport"] == "socket")
    assert shown.until_look(14, TAKEN_LOOK) < 2


@pytest.mark.slow
def test_live_keeps_the_last_picture_while_the_slot_fails(world, open_map):
    world.sockets_refused = True
    world.states[20] = SOLD
    shown = open_map(world)
    world.seats_failing = True
    shown.until(lambda s: s["transport"] == "offline", 12)
    assert (shown.look(20), shown.look(21)) == (TAKEN_LOOK, FREE_LOOK)

    world.seats_failing = False
    world.change({20: FREE})

    shown.until(lambda s: s["transport"] == "polling", 12)
    assert shown.until_look(20, FREE_LOOK) < 3


def test_live_works_in_the_page_where_workers_are_not_to_be_had(world, open_map, context):
    page = context.new_page()
    page.add_init_script("window.Worker = class { constructor() { throw new Error('forbidden'); } }")
    shown = open_map(world, page=page)
    shown.until(lambda s: s["transport"] == "socket")

    world.change({15: HELD})

    assert shown.until_look(15, HELD_LOOK) < 1


def test_live_old_snapshot_plus_deltas_equals_a_fresh_snapshot(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["transport"] == "socket")
    for step in range(40):
        world.change({(step * 7) % 84: step % 4, (step * 11) % 84: (step + 1) % 4})
    shown.until(lambda s: s["version"] == 41)

    fresh = open_map(world)

    states = "map => [...map.seats.states]"
    assert shown.run(states) == fresh.run(states) == list(world.states)
