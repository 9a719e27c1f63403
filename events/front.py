"""Event pages before Django: what it answered once is answered again without it, for as long as it is true.

`front` is mounted around Django's WSGI application (config/wsgi.py), as `inventory.live` is around its ASGI one. A page
costs a look-up, and a hundred times a second at most a statement for its version (events/version_probe.py); what was
kept is the whole answer with all that middleware put on it, by host, scheme and encoding. Locale and build are the same
for a process's whole life. Whatever is not plainly such a page goes to Django.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import psycopg
from django.db import DatabaseError, InterfaceError

from config import encodings, metrics
from config.breaker import Breaker, Unavailable
from config.tiers import Lru
from events.version_probe import Version, version_of

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]

# The event view's word to this module, in the request's environ: until when (seconds since 1970) its answer is true.
UNTIL: Final = "onsale.until"
STALE: Final = "public, max-age=0, s-maxage=1, stale-if-error=86400"

# For so long a version just read is taken for the present one: less than a click takes, and a flood on the origin is a
# hundred reads a second for each event and process, not one for each request.
VERSION_SECONDS: Final = 0.01

_PAGE = re.compile(r"/e/([-a-zA-Z0-9_]+)/")
# What makes a request one reader's own, or asks for less than the page; the page must not know of it.
_OWN = {
    f"HTTP_{name}"
    for name in (
        "COOKIE", "AUTHORIZATION", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING", "RANGE", "IF_RANGE",
        "IF_NONE_MATCH", "IF_MATCH", "IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE",
    )
}  # fmt: skip
_IN_A_304 = {"Cache-Control", "ETag", "Vary"}

_from_lru = metrics.TIER_READS.labels("shell", "lru")
_from_stale = metrics.TIER_READS.labels("shell", "stale")


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer of Django's, and what it is an answer about."""

    version: Version
    until: float
    etag: str
    headers: Headers
    body: list[bytes]
    not_modified: Headers

    @classmethod
    def of(cls, version: Version, until: float, headers: Headers, body: bytes) -> Self:
        not_modified = [(name, value) for name, value in headers if name in _IN_A_304]
        return cls(version, until, dict(headers)["ETag"], headers, [body], not_modified)

    def when_stale(self) -> Self:
        """Return the answer for a time without Postgres: edges are to ask again at once."""
        headers = [(name, STALE if name == "Cache-Control" else value) for name, value in self.headers]
        return replace(self, headers=headers)


def front(application: Wsgi, *, size: int = 512, version_seconds: float = VERSION_SECONDS) -> Wsgi:
    """Return `application` with the event pages it answered before in front of it."""
    answers: Lru[tuple[str, bool, str, str], _Kept] = Lru(size)
    versions: Lru[str, Version] = Lru(size)
    # A Postgres that hangs costs one thread a second of waiting, and the others nothing.
    breaker = Breaker(errors=(psycopg.Error, DatabaseError, InterfaceError, TimeoutError), failures=1)

    def present(slug: str) -> Version | None:
        version = breaker.call(lambda: version_of(slug))
        if version is not None:
            versions.put(slug, version)
        return version

    def fronted(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        page = _PAGE.fullmatch(environ["PATH_INFO"])
        if page is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return application(environ, start_response)
        slug = page[1]
        encoding = encodings.best(environ.get("HTTP_ACCEPT_ENCODING", ""))
        key = (environ.get("HTTP_HOST", ""), environ.get("HTTP_X_FORWARDED_PROTO") == "https", slug, encoding)
        kept = answers.get(key)
        try:
            version = versions.fresh(slug, version_seconds) or present(slug)
        except Unavailable:
            version = None
            if kept is not None:
                _from_stale.inc()
                return _answered(kept.value.when_stale(), environ, start_response)
        if version is None:
            return application(environ, start_response)
        if kept is not None and kept.value.version == version and time.time() < kept.value.until:
            _from_lru.inc()
            metrics.PAGE_VIEWS.inc()
            return _answered(kept.value, environ, start_response)
        status, headers, body, until = _from_django(application, environ, encoding)
        if status == "200 OK" and until is not None:
            made = _Kept.of(version, until, headers, body)
            answers.put(key, made)
            return _answered(made, environ, start_response)
        start_response(status, headers)
        return [body] if environ["REQUEST_METHOD"] == "GET" else []

    return fronted


def _answered(kept: _Kept, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    known = environ.get("HTTP_IF_NONE_MATCH")
    # A tag stands in quotes, so it is found in a list of tags, weak ones too, and in nothing else.
    if known and (kept.etag in known or known.strip() == "*"):
        start_response("304 Not Modified", kept.not_modified)
        return []
    start_response("200 OK", kept.headers)
    return kept.body if environ["REQUEST_METHOD"] == "GET" else []


def _from_django(application: Wsgi, environ: Environ, encoding: str) -> tuple[str, Headers, bytes, float | None]:
    """Ask Django for the page as everybody gets it; return status, headers, body, and until when it is true, if it is.

    The caller read the version before, so the answer is of that version or a newer one: under a version's name there is
    never an older page.
    """
    asked = {name: value for name, value in environ.items() if name not in _OWN}
    asked |= {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": encoding}
    told: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: Any = None) -> None:
        told.append((status, headers))

    result = application(asked, start_response)
    try:
        body = b"".join(result)
    finally:
        if close := getattr(result, "close", None):
            close()  # Django's end of a request.
    return *told[-1], body, asked.get(UNTIL)
