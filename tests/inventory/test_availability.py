"""The read path of availability: which tier answers, what a rebuild sees, what happens when nothing answers."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections

from config import metrics, redis
from config.knobs import knobs
from config.tiers import Rate, own_copy
from inventory import availability, copies, relay
from inventory import plane as planes
from inventory.availability import Busy, EventUnknown, Snapshot, snapshot
from inventory.models import SeatChange, SeatPlane
from tests.inventory.live_servers import lose_redis, set_seats, stored_plane

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_process_copies")]


def _tick(event_id: UUID) -> relay.Movement:
    """Let a relay move the planes once, in this process, and write its copies."""
    (movement,) = relay.Planes().take()
    assert movement.event_id == event_id
    copies.write({event_id: movement.body}, hot=[event_id])
    return movement


def _reads(tier: str) -> int:
    return metrics.TIER_READS.labels("seats", tier).value


def test_snapshot_comes_from_the_relay_s_copy_and_then_from_the_process(event_id, django_assert_num_queries):
    movement = _tick(event_id)
    before = _reads("copy"), _reads("lru")
    with django_assert_num_queries(0):
        found = snapshot(event_id)
        assert snapshot(event_id) is found
    assert found.version == movement.to_version
    assert found.plane == bytes(15)
    assert not found.is_rebuilt
    assert found.etag == f'"{movement.to_version}"'
    assert (_reads("copy"), _reads("lru")) == (before[0] + 1, before[1] + 1)


def test_same_version_is_the_same_object_with_its_encodings(event_id, monkeypatch):
    _tick(event_id)
    monkeypatch.setattr(knobs, "seats_lru_ms", 0)
    first = snapshot(event_id)
    compressed = first.gzipped
    again = snapshot(event_id)
    assert again is first
    assert again.gzipped is compressed


def test_rebuild_is_the_relay_s_row_and_the_waiting_changes(event_id, django_assert_num_queries):
    movement = _tick(event_id)
    lose_redis()
    set_seats(event_id, [0, 1, 7], "held")
    set_seats(event_id, [1], "paying")
    set_seats(event_id, [1], "sold")
    set_seats(event_id, [7], "free")
    assert SeatChange.objects.count() == 5
    with django_assert_num_queries(1) as asked:
        found = snapshot(event_id)
    assert "inventory_seat " not in asked.captured_queries[0]["sql"]
    assert found.plane == stored_plane(event_id)
    assert [planes.code_at(found.plane, index) for index in (0, 1, 7)] == [planes.HELD, planes.SOLD, planes.FREE]
    assert found.is_rebuilt
    assert found.version == movement.to_version
    assert found.etag == f'"{movement.to_version}-{found.header.made_at_ms}"'
    assert SeatChange.objects.count() == 5


def test_rebuild_of_an_event_no_relay_has_seen_reads_the_seats_at_version_0(event_id):
    set_seats(event_id, [3], "blocked")
    found = snapshot(event_id)
    assert (found.version, found.header.seat_count, found.is_rebuilt) == (0, 60, True)
    assert found.plane == stored_plane(event_id)
    assert not SeatPlane.objects.exists()


def test_rebuild_is_shared_with_other_processes_for_a_second(event_id, django_assert_num_queries):
    _tick(event_id)
    redis.client().delete(*(availability.copy_key(event_id, copy) for copy in range(10)))
    found = snapshot(event_id)
    availability.forget()
    with django_assert_num_queries(0):
        assert snapshot(event_id).body == found.body


def test_rebuild_marks_the_event_hot_for_the_relay(event_id):
    snapshot(event_id)
    assert copies.hot_events() == [event_id]


def test_unknown_event_is_looked_up_once_and_never_hot(django_assert_num_queries):
    nobody = uuid4()
    with pytest.raises(EventUnknown):
        snapshot(nobody)
    with django_assert_num_queries(0), pytest.raises(EventUnknown):
        snapshot(nobody)
    assert copies.hot_events() == []


def test_many_threads_rebuild_once(event_id):
    _tick(event_id)
    lose_redis()
    before = _reads("database")

    def ask(_: int) -> bytes:
        try:
            return snapshot(event_id).plane
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {bytes(15)}
    assert _reads("database") == before + 1


def test_without_redis_the_database_answers_once_a_second(event_id, settings, django_assert_num_queries):
    _tick(event_id)
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    with django_assert_num_queries(1):
        for _ in range(100):
            found = snapshot(event_id)
    assert found.plane == bytes(15)
    assert found.is_rebuilt


def test_without_redis_and_without_a_turn_at_the_database_the_last_picture_is_served(event_id, settings, monkeypatch):
    _tick(event_id)
    found = snapshot(event_id)
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    monkeypatch.setattr(knobs, "seats_lru_ms", 0)
    redis.reset()
    monkeypatch.setattr(availability._rebuilds, "rate", Rate(0.001, burst=1))
    availability._rebuilds.rate.allows()
    assert snapshot(event_id) is found
    availability.forget()
    with pytest.raises(Busy):
        snapshot(event_id)


def test_damaged_copy_is_rebuilt(event_id):
    movement = _tick(event_id)
    for copy in range(10):
        redis.client().set(availability.copy_key(event_id, copy), b"OS\x01\x00rubbish")
    found = snapshot(event_id)
    assert (found.version, found.is_rebuilt) == (movement.to_version, True)


def test_sold_out_is_no_free_and_no_held_seat(event_id):
    def picture() -> Snapshot:
        found = availability.read(event_id)
        assert found is not None
        return found

    assert not picture().is_sold_out
    set_seats(event_id, list(range(60)), "held")
    assert not picture().is_sold_out
    set_seats(event_id, list(range(59)), "paying")
    set_seats(event_id, list(range(59)), "sold")
    assert not picture().is_sold_out
    set_seats(event_id, [59], "free")
    set_seats(event_id, [59], "blocked")
    assert picture().is_sold_out


def test_a_padded_last_byte_counts_no_seat_too_many():
    body = planes.encode_body(planes.Header(0, 5, 1, 1), planes.pack(bytes([planes.SOLD] * 5)))
    assert Snapshot.of(body).is_sold_out


def _past_its_second(event_id: UUID) -> None:
    """Let the process's copy pass its second, ask once more, and wait for what that sets going."""

    async def ask() -> None:
        await availability.snapshot_async(event_id)
        await asyncio.sleep(availability.RENEW_SECONDS + 0.2)

    availability._seen._slots[event_id].stored_at -= 1.1
    asyncio.run(ask())


def test_unchanged_pictures_are_confirmed_together_without_being_fetched(event_id):
    _tick(event_id)
    first = snapshot(event_id)
    redis.client().set(availability.copy_key(event_id, own_copy(10)), first.body[:24] + b"never read")
    before = _reads("copy")
    _past_its_second(event_id)
    assert availability.fresh(event_id) is first
    assert _reads("copy") == before + 1


def test_a_changed_picture_is_fetched_after_its_second(event_id):
    _tick(event_id)
    first = snapshot(event_id)
    set_seats(event_id, [3], "held")
    moved = _tick(event_id)
    _past_its_second(event_id)
    found = availability.fresh(event_id)
    assert found is not None
    assert (found.version, planes.code_at(found.plane, 3)) == (moved.to_version, planes.HELD)
    assert found is not first


def test_a_picture_without_copies_is_rebuilt_after_its_second(event_id, monkeypatch):
    _tick(event_id)
    snapshot(event_id)
    lose_redis()
    with ThreadPoolExecutor(1) as readers:
        monkeypatch.setattr(availability, "_readers", readers)
        _past_its_second(event_id)
        readers.submit(connections.close_all).result()
    found = availability.fresh(event_id)
    assert found is not None
    assert found.is_rebuilt


@pytest.fixture
def gutter(settings) -> Iterator[None]:
    """Redis is away, and there is a gutter."""
    settings.REDIS_GUTTER_URL = settings.REDIS_URL
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock?db=0"
    redis.reset()
    yield
    redis.reset()


@pytest.mark.usefixtures("gutter")
def test_without_redis_the_gutter_answers_every_process_for_seconds(event_id, django_assert_num_queries):
    with django_assert_num_queries(2):
        found = snapshot(event_id)
    before = _reads("gutter")
    for _ in range(3):
        availability.forget()  # As another process would come.
        with django_assert_num_queries(0):
            assert snapshot(event_id).body == found.body
    assert _reads("gutter") == before + 3
    left = redis.client("gutter").pttl(redis.key("rebuilt", f"{{{event_id}}}"))
    assert 4000 < left <= 10_000


@pytest.mark.usefixtures("gutter")
def test_nothing_is_invalidated_in_the_gutter(event_id):
    found = snapshot(event_id)
    set_seats(event_id, [3], "held")
    availability.forget()
    assert snapshot(event_id).plane == found.plane


def test_age_of_a_rebuilt_picture_is_since_it_was_made(event_id):
    found = snapshot(event_id)
    made_5_s_ago = planes.Header(planes.REBUILT, 60, found.version, found.header.made_at_ms - 5000)
    availability._seen.put(event_id, Snapshot.of(planes.encode_body(made_5_s_ago, found.plane)))
    assert 4.9 <= availability.age_seconds(event_id) < 7.0  # By two clocks, which agree to a millisecond.
