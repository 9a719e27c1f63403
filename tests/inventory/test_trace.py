"""trace_seat: says where a seat is stale."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from config.knobs import knobs
from inventory import availability, copies, relay
from inventory import plane as planes
from inventory.models import Seat
from inventory.stock import create_stock
from inventory.trace import is_stale, trace
from tests.factories import make_event
from tests.inventory.live_servers import set_seats

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


def test_trace_agrees_once_the_relay_has_written(event_id: UUID):
    (movement,) = relay.Planes().take()
    copies.write({event_id: movement.body}, hot=[event_id])
    stations = trace(event_id, 5)
    names = ["database", "relay's row", *(f"redis copy {copy}" for copy in range(10)), "this process", "edge"]
    assert [station.name for station in stations] == names
    assert {station.code for station in stations[:-1]} == {planes.FREE}
    assert {station.version for station in stations[1:-1]} == {movement.to_version}
    assert not is_stale(stations)


def test_trace_names_what_is_behind(event_id: UUID, capsys):
    (movement,) = relay.Planes().take()
    copies.write({event_id: movement.body}, hot=[event_id])
    set_seats(event_id, [5], "held")
    stations = {station.name: station.code for station in trace(event_id, 5)}
    assert (stations["database"], stations["change queue"]) == (planes.HELD, planes.HELD)
    assert (stations["relay's row"], stations["redis copy 0"], stations["edge"]) == (planes.FREE, planes.FREE, None)
    with pytest.raises(CommandError, match="Stale"):
        call_command("trace_seat", str(event_id), "5")
    assert f"! relay's row    free     v{movement.to_version}" in capsys.readouterr().out


def test_trace_of_no_seat_is_refused(event_id: UUID):
    for nobody, index in ((event_id, 60), (uuid4(), 0)):
        with pytest.raises(Seat.DoesNotExist):
            trace(nobody, index)
        with pytest.raises(CommandError, match="has no seat"):
            call_command("trace_seat", str(nobody), str(index))
