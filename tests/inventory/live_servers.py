"""Real processes for tests of the live side: relays and live servers on the test's own database and Redis keys."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from config import redis
from inventory import plane as planes
from inventory.availability import STATES

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that works on this test's database and Redis keys."""
    given = connection.settings_dict
    user = quote(given["USER"]) + (f":{quote(given['PASSWORD'])}" if given["PASSWORD"] else "")
    host = quote(given["HOST"], safe="") + (f":{given['PORT']}" if given["PORT"] else "")
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgres://{user}@{host}/{quote(given['NAME'])}",
        "REDIS_URL": settings.REDIS_URL,
        "REDIS_PREFIX": settings.REDIS_PREFIX,
        "SECRET_KEY": settings.SECRET_KEY,
        "DEBUG": "1",
        "SITE_URL": "http://localhost:8000",
    }
    return os.environ | ours | more


@contextmanager
def process(*arguments: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python <arguments>` for the length of the block; killed at its end if it still runs then."""
    running = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment(**more))
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
        running.wait()


@contextmanager
def relay(**more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a relay."""
    command = "import django; django.setup(); from django.core.management import call_command; call_command('relay')"
    with process("-c", command, **more) as running:
        yield running


class Live:
    """A live server and its port."""

    def __init__(self, port: int, running: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.running = running

    def get(self, path: str, *, method: str = "GET", **headers: str) -> "Answer":
        """Ask, on a connection of its own."""
        asked = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            asked.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            return Answer(asked.getresponse())
        finally:
            asked.close()

    def seats(self, event_id: UUID) -> tuple[planes.Header, bytes]:
        """Return the header and plane of an event as the server tells them."""
        return planes.decode_body(self.get(f"/live/events/{event_id}/seats").body)

    def socket_url(self, event_id: UUID) -> str:
        """Return where an event's frames are sent."""
        return f"ws://127.0.0.1:{self.port}/live/events/{event_id}/socket"


class Answer:
    """A response, read to its end."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


@contextmanager
def live(**more: str) -> Iterator[Live]:
    """Run a live server of one process, and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = ["--worker-class", "config.workers.LiveWorker", "--bind", f"127.0.0.1:{port}"]
    with process("-m", "gunicorn", "-c", "python:config.gunicorn", "config.asgi", *worker, **more) as running:
        server = Live(port, running)
        until(lambda: _answers(server), seconds=60)
        yield server


def _answers(server: Live) -> bool:
    try:
        return server.get("/healthz").status == 200
    except OSError:
        assert server.running.poll() is None, "the live server did not start"
        return False


def until(holds: Callable[[], Any], *, seconds: float = 30) -> Any:
    """Wait until something holds, and return it; AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)
    return found


_STATES = {"free": 0, "held": 1, "paying": 2, "sold": 3, "blocked": 4}


def set_seats(event_id: UUID, indexes: list[int], state: str) -> None:
    """Change seats as a psql session would: the triggers, not the caller, tell the relay."""
    number = _STATES[state]
    claim = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE inventory_seat SET state = %s, version = version + 1,"
            # A hold in its time keeps its seats: the database refuses another.
            ' hold = CASE WHEN %s THEN coalesce(hold, %s) END, "order" = %s,'
            " held_until = CASE WHEN %s THEN now() + interval '5 minutes' END"
            " WHERE event_id = %s AND index = ANY (%s)",
            [
                number,
                number in (1, 2),
                claim,
                claim if number == 3 else None,
                number in (1, 2),
                event_id,
                indexes,
            ],
        )
        assert cursor.rowcount == len(indexes)


def lose_redis() -> None:
    """Delete every key of this test."""
    found = list(redis.client().scan_iter(f"{settings.REDIS_PREFIX}*", count=1000))
    if found:
        redis.client().delete(*found)


def stored_plane(event_id: UUID) -> bytes:
    """Return the plane of the Seat rows as they are committed now."""
    with connection.cursor() as cursor:
        cursor.execute(STATES, [event_id])
        return planes.pack_states(cursor.fetchone()[0])
