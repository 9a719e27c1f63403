"""The slots, as one plain ASGI callable: who is free (R3), what this fan has (R4), and the pool's own health.

No Django request, no session and no ORM on the hot slot: measured, a plain callable answers five times what Channels'
HTTP consumer and fifty times what a Django view under ASGI does. A warm R3 read is a few look-ups and one write.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import orjson
from prometheus_client import Gauge

from config import health, metrics
from config.answers import EXTENSION, encoded_head, write_whole
from inventory import availability, fan, fan_state
from inventory.availability import Busy, EventUnknown, Snapshot

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
Answer = tuple[bytes, Scope, Scope]  # Encoded up to its date, and as the two messages of ASGI.

THREADS: Final = 4  # For fan states, each with its own connections.
ME_SECONDS: Final = 2.0  # A fan state that takes longer is refused, so that a frozen Postgres fills no queue.
ME_WAITING: Final = 200  # Fans waiting for one of the four threads; the next is told to come back.
STALE_SECONDS: Final = 3  # From this age on, a picture is told to be old.

REQUESTS = metrics.Tallies("onsale_live_requests", "Answers of the live pool.", ["slot", "status"])
WAITING = Gauge("onsale_live_me_waiting", "Fans waiting for their state.", multiprocess_mode="livesum")

_SEATS_CACHE = b"public, max-age=1, stale-while-revalidate=2"
_seats_whole, _seats_not_modified = (REQUESTS.labels("seats", status) for status in ("200", "304"))
_me_answered = REQUESTS.labels("me", "200")
_problems = {status: REQUESTS.labels("other", str(status)) for status in (404, 405, 503)}
threads: Final = ThreadPoolExecutor(THREADS, thread_name_prefix="me")
_waiting = 0
_NONE: Final[Scope] = {}  # Of extensions.


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one HTTP request of the live pool."""
    slot, event_id = _route(scope["path"])
    try:
        if slot == "seats" and scope["method"] == "GET":
            await _seats(scope, send, event_id)
        elif scope["method"] == "HEAD":
            await application(scope | {"method": "GET", "extensions": _NONE}, receive, partial(_send_head, send))
        elif scope["method"] != "GET":
            allow = [(b"allow", b"GET, HEAD")]
            await _problem(send, 405, "method_not_allowed", "Only GET and HEAD are answered here.", allow)
        elif slot == "me":
            await _me(scope["headers"], send, event_id)
        elif slot in _OWN_AFFAIRS:
            await _OWN_AFFAIRS[slot](send)
        else:
            await _problem(send, 404, "not_found", "There is nothing at this address.")
    except EventUnknown:
        await _problem(send, 404, "event_unknown", "There is no event with this id.")
    except (Busy, TimeoutError):
        await _problem(send, 503, "server_busy", "Too much is asked at the moment.", [(b"retry-after", b"1")])


@lru_cache(maxsize=8192)
def _route(path: str) -> tuple[str, UUID]:
    """Return the slot and event of a path; an id counts only in its one canonical spelling."""
    nothing = UUID(int=0)
    if path in ("/healthz", "/readyz", "/metrics"):
        return path[1:], nothing
    parts = path.split("/")
    if len(parts) != 5 or parts[:3] != ["", "live", "events"] or parts[4] not in ("seats", "me"):
        return "", nothing
    try:
        event_id = UUID(parts[3])
    except ValueError:
        return "", nothing
    return (parts[4], event_id) if str(event_id) == parts[3] else ("", nothing)


async def _seats(scope: Scope, send: Send, event_id: UUID) -> None:
    accepted, known, age = b"", b"", 0.0
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = value
        elif name == b"if-none-match":
            known = value
    snapshot = availability.fresh(event_id)
    if snapshot is None:
        snapshot = await availability.snapshot_async(event_id)
        age = availability.age_seconds(event_id)
    encoding = _encoding(accepted)
    etag, whole, not_modified = snapshot.answers.get(encoding) or _answers(snapshot, encoding)
    is_known = known and (etag in known or known == b"*")
    head, start, body = not_modified if is_known else whole
    (_seats_not_modified if is_known else _seats_whole).inc()
    metrics.HOT_EVENTS.add(event_id)
    if age >= STALE_SECONDS:
        start = {**start, "headers": [*start["headers"], (b"age", b"%d" % age)]}
    elif (request := scope.get("extensions", _NONE).get(EXTENSION)) and write_whole(request, head, body["body"]):
        return
    await send(start)
    await send(body)


def _answers(snapshot: Snapshot, encoding: bytes) -> tuple[bytes, Answer, Answer]:
    """Return the ETag and the answers 200 and 304; made once for a version and encoding, and go with it."""
    etag = snapshot.etag.encode()
    body = {b"br": lambda: snapshot.brotlied, b"gzip": lambda: snapshot.gzipped}.get(encoding, lambda: snapshot.body)()
    shared: Headers = [(b"etag", etag), (b"cache-control", _SEATS_CACHE), (b"vary", b"accept-encoding")]
    headers: Headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(body)),
        *([(b"content-encoding", encoding)] if encoding else []),
        *shared,
    ]
    made = etag, _whole(200, headers, body), _whole(304, shared, b"")
    snapshot.answers[encoding] = made
    return made


def _whole(status: int, headers: Headers, body: bytes) -> Answer:
    return encoded_head(status, headers), _start(status, headers), _body(body)


@lru_cache(maxsize=512)
def _encoding(accepted: bytes) -> bytes:
    """Return the best encoding that an Accept-Encoding value allows: br, gzip or none (RFC 9110, 12.5.3)."""
    allowed = set()
    for item in accepted.lower().split(b","):
        name, _, parameter = item.partition(b";")
        weight = parameter.strip().removeprefix(b"q=")
        if not (weight and weight.strip(b"0.") == b""):
            allowed.add(name.strip())
    return next((name for name in (b"br", b"gzip") if name in allowed), b"")


async def _me(headers: Headers, send: Send, event_id: UUID) -> None:
    global _waiting  # noqa: PLW0603 one number per process, touched by the event loop alone.
    who = _fan_of(headers)
    if _waiting >= ME_WAITING:
        raise Busy
    is_new = who is None
    who = who or fan.new_fan()
    _waiting += 1
    WAITING.set(_waiting)
    try:
        ask = partial(fan_state.fan_state, event_id, who, is_new=is_new)
        state = await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(threads, ask), ME_SECONDS)
    finally:
        _waiting -= 1
        WAITING.set(_waiting)
    more: Headers = [(b"cache-control", b"private, no-store")]
    if is_new:
        more.append((b"set-cookie", fan.set_cookie_header(who).encode()))
    _me_answered.inc()
    await _answer(send, 200, orjson.dumps(state), b"application/json", more)


def _fan_of(headers: Headers) -> str | None:
    """Return the fan of the first cookie that is truly ours; an old or forged one does not hide a good one."""
    for name, value in headers:
        if name == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, cookie = pair.strip().partition("=")
                if key == fan.COOKIE and (found := fan.read(cookie)):
                    return found
    return None


async def _healthz(send: Send) -> None:
    await _answer(send, 200, b"ok\n", b"text/plain")


async def _readyz(send: Send) -> None:
    # This pool serves from its copies while a store is away, so it stays ready and only tells.
    stores = await asyncio.wait_for(asyncio.to_thread(health.readiness), ME_SECONDS)
    await _answer(send, 200, orjson.dumps(stores), b"application/json")


async def _metrics(send: Send) -> None:
    await _answer(send, 200, await asyncio.to_thread(health.exposition), health.METRICS_TYPE.encode())


_OWN_AFFAIRS = {"healthz": _healthz, "readyz": _readyz, "metrics": _metrics}


async def _problem(send: Send, status: int, code: str, detail: str, headers: Headers | None = None) -> None:
    """Answer with problem details (RFC 9457)."""
    _problems[status].inc()
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    await _answer(send, status, orjson.dumps(problem), b"application/problem+json", headers)


async def _answer(send: Send, status: int, body: bytes, kind: bytes, headers: Headers | None = None) -> None:
    headers = headers or []
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    await send(_start(status, [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers]))
    await send(_body(body))


async def _send_head(send: Send, message: Scope) -> None:
    await send({**message, "body": b""} if message["type"] == "http.response.body" else message)


def _start(status: int, headers: Headers) -> Scope:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _body(body: bytes) -> Scope:
    return {"type": "http.response.body", "body": body}
