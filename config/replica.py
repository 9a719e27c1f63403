"""Browsing from a streaming replica (`REPLICA_URL`): which reads may, whose may not yet, and what if it is away.

Only what is wrapped in `browse` reads the replica; the purchase, the back office, workers, the relay and rebuilds never
do. Whoever has just written reads the primary until the replica has certainly caught up, five seconds at least: a
signed cookie, set by the answer to the write, says when that was. `config.replica_watch` tells whether the replica can
be read; no request ever waits to find out. While it is away the primary answers instead, a few pages at a time, and
refuses the rest: the edge then shows its own copies.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.core.signing import BadSignature, Signer
from django.db import InterfaceError, OperationalError, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter

from config.replica_watch import MOST_LAG_SECONDS, watch

PRIMARY, REPLICA = "default", "replica"
# Sessions, users and the rest belong to somebody who has signed in, and are read where they are written.
BROWSED_APPS = frozenset({"seating", "events", "inventory"})

COOKIE = "wrote"
PIN_SECONDS = 5.0
_MARGIN_SECONDS = 1.0  # Clocks of two machines, and a write that took a moment to commit.
_LONGEST_PIN_SECONDS = int(MOST_LAG_SECONDS + PIN_SECONDS)

AT_ONCE_INSTEAD = 2  # Pages a process takes from the primary at the same time while the replica is away.
INSTEAD_SECONDS = 0.5  # How long a page waits for its turn there.

BROWSED = Counter("onsale_browse", "Pages browsed, by who answered: replica, pinned, primary, refused.", ["answered"])
_ANSWERED = {name: BROWSED.labels(name) for name in ("replica", "pinned", "primary", "refused")}

_reads: ContextVar[str] = ContextVar("reads", default=PRIMARY)
_instead = threading.BoundedSemaphore(AT_ONCE_INSTEAD)


class Router:
    """Sends reads made while browsing to the replica, everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return where to read; said outright, or a row read from the replica would be read again there later."""
        return _reads.get() if model._meta.app_label in BROWSED_APPS else PRIMARY

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return where to write."""
        return PRIMARY

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool:
        """Both are the same data."""
        return True

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool:
        """The replica is changed by the primary."""
        return database == PRIMARY


@contextmanager
def browsing() -> Iterator[None]:
    """Let the reads of this block come from the replica."""
    token = _reads.set(REPLICA)
    try:
        yield
    finally:
        _reads.reset(token)


def browse(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view that only reads, and may be asked twice, read from the replica."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.REPLICA_URL:
            return view(request, *args, **kwargs)
        is_usable = watch.is_usable()
        if is_pinned(request):
            _ANSWERED["pinned"].inc()
            return view(request, *args, **kwargs)
        if is_usable:
            try:
                with browsing():
                    response = view(request, *args, **kwargs)
                watch.uses(connections[REPLICA].connection)
            except (OperationalError, InterfaceError) as error:  # Gone, or it had to cancel us to go on replaying.
                watch.failed(error)
            else:
                _ANSWERED["replica"].inc()
                return response
        return _instead_of_it(lambda: view(request, *args, **kwargs))

    return inner


def _instead_of_it(page: Callable[[], HttpResponse]) -> HttpResponse:
    """Ask the primary in the replica's place, a few pages at a time: what one carried must not fell the other."""
    if not _instead.acquire(timeout=INSTEAD_SECONDS):
        _ANSWERED["refused"].inc()
        return HttpResponse(
            "Many people are looking just now. Please try again in a moment.\n",
            status=503,
            content_type="text/plain; charset=utf-8",
            headers={"Retry-After": "2", "Cache-Control": "no-store"},
        )
    try:
        _ANSWERED["primary"].inc()
        return page()
    finally:
        _instead.release()


def is_pinned(request: HttpRequest) -> bool:
    """Tell whether the browser wrote so lately that the replica may not have it."""
    signed = request.COOKIES.get(COOKIE)
    if signed is None:
        return False
    try:
        wrote_at = int(_signer().unsign(signed)) / 1000
    except (BadSignature, ValueError):
        return False
    return time.time() - wrote_at < max(PIN_SECONDS, watch.behind_seconds + _MARGIN_SECONDS)


class PinMiddleware:
    """Notes in the browser when it wrote: on the answer to every request that may have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REPLICA_URL:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:  # noqa: D102 (the class tells)
        response = self.get_response(request)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            response.set_cookie(
                COOKIE,
                _signer().sign(str(int(time.time() * 1000))),
                max_age=_LONGEST_PIN_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=settings.HTTPS,
            )
        return response


def _signer() -> Signer:
    return Signer(salt="onsale.wrote")
