"""What a pool's processes have tiers for, and how they are filled: as a reader would, without waiting for one.

`web` calls its own WSGI application, so that whatever lies between a request and the database is filled by its very
code: page cache, copies of the process, compressed encodings, plans, templates. `live` reads the planes and what all
fans see alike. Both open the connections that their threads will need.
"""

import io
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection

from config import redis
from inventory import availability, fan_state, live
from inventory.availability import EventUnknown
from inventory.fan import new_fan
from inventory.warmup import process, recording
from inventory.warmup.hot_list import Hot
from seating.plans import plan

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

THREADS_SECONDS: Final = 5.0


class Cold(Exception):
    """An address of an event that is to be warm was not answered."""


def warm_pages(application: Wsgi, threads: Executor, count: int) -> bool:
    """Make a process of `web` warm and keep it so; say whether it is. `count` is how many threads answer requests."""

    def fill(hot: Hot) -> None:
        _fill_slots(hot)
        for address, encoding in hot.pages:
            _ask(application, address, encoding)

    is_warm = process.follow("web", fill, every=recording.hand_over)
    _open_connections(threads, count)
    return is_warm


def warm_slots() -> bool:
    """Make a process of `live` warm and keep it so; say whether it is."""
    is_warm = process.follow("live", _fill_slots)
    _open_connections(live.threads, live.THREADS)
    return is_warm


def _fill_slots(hot: Hot) -> None:
    """Fill what is known of an event's seats and sale terms; of a plan, what holds are told with."""
    try:
        snapshot = availability.snapshot(hot.id)
    except EventUnknown:
        return  # Announced, and without stock yet: readers are told the same.
    _ = snapshot.gzipped, snapshot.brotlied
    fan_state.fan_state(hot.id, new_fan(), is_new=True)
    plan(hot.plan)


def _ask(application: Wsgi, address: str, encoding: str) -> None:
    """Ask an application in this process for an address, as the edge would."""
    site = urlsplit(settings.SITE_URL)
    path, _, query = address.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": site.hostname,
        "SERVER_PORT": str(site.port or (443 if site.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": site.netloc,
        "HTTP_X_FORWARDED_PROTO": site.scheme,
        "HTTP_X_FORWARDED_FOR": "127.0.0.1",
        "HTTP_ACCEPT_ENCODING": encoding,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": site.scheme,
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    statuses: list[str] = []
    answer = application(environ, lambda status, headers, exc_info=None: statuses.append(status))
    for _ in answer:
        pass
    if close := getattr(answer, "close", None):
        close()
    if statuses[-1][:3] not in ("200", "304"):
        raise Cold(f"{address} answered {statuses[-1]}")


def _open_connections(threads: Executor, count: int) -> None:
    """Have each of `count` threads open its connection to Postgres and one to Redis, before a request needs them."""
    together = threading.Barrier(count)  # Else one quick thread would take all the errands.

    def open_own() -> None:
        try:
            together.wait(THREADS_SECONDS)
            connection.ensure_connection()
            redis.guarded(lambda client: client.ping())
        except (threading.BrokenBarrierError, DatabaseError, redis.Unavailable):
            pass  # The thread's first request opens them, or says that there is nothing to open.

    for errand in [threads.submit(open_own) for _ in range(count)]:
        errand.result(THREADS_SECONDS * 2)
