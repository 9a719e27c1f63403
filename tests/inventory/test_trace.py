"""trace_seat: says where a seat is stale."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from config import redis
from config.knobs import knobs
from inventory import availability, copies, relay
from inventory import plane as planes
from inventory.models import Seat
from inventory.stock import create_stock
from inventory.trace import diagnosis, is_stale, trace
from tests.factories import make_event
from tests.inventory.live_servers import lose_redis, set_seats

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_kept(settings, monkeypatch) -> Iterator[None]:
    settings.SITE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(knobs, "seats_lru_ms", 0)
    availability.forget()
    yield
    availability.forget()


@pytest.fixture
def event_id() -> UUID:
    event = make_event()
    create_stock(event)
    return event.id


def applied(event_id: UUID) -> relay.Movement:
    """Let a relay take what waits and write its copies."""
    (movement,) = relay.Planes().take()
    copies.write({event_id: movement.body}, hot=[event_id])
    return movement


def test_trace_agrees_once_the_relay_has_written(event_id: UUID, capsys):
    movement = applied(event_id)
    stations = trace(event_id, 5)
    places = ["relay's row", *(f"redis copy {copy}" for copy in range(10)), "this process"]
    assert [station.name for station in stations] == ["database", "relay", *places, "edge"]
    told = [station for station in stations if station.name in places]
    assert {station.code for station in told} == {planes.FREE}
    assert {station.version for station in told} == {movement.to_version}
    assert not is_stale(stations)
    call_command("trace_seat", str(event_id), "5")
    assert "!" not in capsys.readouterr().out


def test_trace_names_what_is_behind(event_id: UUID, capsys):
    movement = applied(event_id)
    set_seats(event_id, [5], "held")
    stations = {station.name: station.code for station in trace(event_id, 5)}
    assert (stations["database"], stations["change queue"]) == (planes.HELD, planes.HELD)
    assert (stations["relay's row"], stations["redis copy 0"], stations["edge"]) == (planes.FREE, planes.FREE, None)
    with pytest.raises(CommandError, match=r"Stale .* The change waits for the relay\. Relay: nobody leads\."):
        call_command("trace_seat", str(event_id), "5")
    assert f"! relay's row    free     v{movement.to_version}" in capsys.readouterr().out


def test_trace_finds_copies_that_redis_did_not_take(event_id: UUID):
    applied(event_id)
    set_seats(event_id, [5], "held")
    assert relay.Planes().take()
    stations = trace(event_id, 5)
    [copy] = [station for station in stations if station.name == "redis copy 3"]
    assert copy.code == planes.FREE
    assert copy.note.startswith("1 versions and 0.")
    assert diagnosis(stations).startswith("The relay's row is right, but Redis did not take its copies")


def test_trace_finds_a_rebuilt_copy(event_id: UUID):
    applied(event_id)
    lose_redis()
    availability.forget()
    availability.snapshot(event_id)
    stations = {station.name: station for station in trace(event_id, 5)}
    assert (stations["rebuilt copy"].code, stations["rebuilt copy"].note) == (planes.FREE, "rebuilt")
    assert stations["10 other copies"].code is None


def test_trace_tells_who_leads(event_id: UUID):
    def leader() -> str:
        return next(station.note for station in trace(event_id, 5) if station.name == "relay")

    leading = relay.Planes()
    assert leading.lead()
    assert " leads since " in leader()
    leading.resign()
    assert leader() == "nobody leads"


def test_trace_without_redis(event_id: UUID, settings):
    applied(event_id)
    settings.REDIS_CACHE_URL = "unix:///nowhere/redis.sock"
    redis.reset()
    try:
        stations = {station.name: station for station in trace(event_id, 5)}
    finally:
        redis.reset()
    assert stations["redis copies"].code is None
    assert stations["this process"].code == planes.FREE


def test_trace_of_no_seat_is_refused(event_id: UUID):
    for nobody, index in ((event_id, 60), (uuid4(), 0)):
        with pytest.raises(Seat.DoesNotExist):
            trace(nobody, index)
        with pytest.raises(CommandError, match="has no seat"):
            call_command("trace_seat", str(nobody), str(index))
