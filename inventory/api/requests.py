"""Who asks, and whether the request may be read at all: before anything is parsed, opened or locked."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja.parser import Parser
from prometheus_client import Counter, Histogram

from config.metrics import LATENCIES
from inventory import fan as fans
from inventory import idempotency, problems
from inventory.idempotency import Answer, Keep
from inventory.problems import BadRequest, CsrfFailed
from inventory.purchase import Refusal

MAX_BODY_BYTES = 64 * 1024

ACT_SECONDS = Histogram("onsale_act_seconds", "Time of a fan's act, granted or refused.", ["act"], buckets=LATENCIES)
REFUSALS = Counter("onsale_refusals", "Acts of fans that were refused, by the code of the reason.", ["act", "code"])

Act = Callable[[Keep], Answer]


class StrictParser(Parser):
    """JSON as `readable` has read it already."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the request's body."""
        return getattr(request, "json", {})


def fan_request(request: HttpRequest) -> str:
    """Return the fan who asks; a POST of a fan carries his cookie, his token, our origin and an idempotency key.

    Refuses by `CsrfFailed`, or as `readable` does.
    """
    fan = fans.read(request.COOKIES.get(fans.COOKIE))
    if fan is None or not fans.csrf_ok(fan, request.headers.get("X-CSRF-Token")) or not _is_our_origin(request):
        raise CsrfFailed
    _check_key(request)
    readable(request)
    return fan


def staff_request(request: HttpRequest) -> Any:
    """Return the signed-in user who asks, or None; a script of ours, because a form cannot send JSON unasked."""
    if not _is_our_origin(request):
        raise CsrfFailed
    readable(request)
    user = signed_in_user(request)
    return user if user is not None and user.is_active else None


def signed_in_user(request: HttpRequest) -> Any:
    """Return the user, or None for a guest; without a session cookie nobody asks the database."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    return request.user if request.user.is_authenticated else None


def readable(request: HttpRequest) -> None:
    """Read the request's JSON, once; refuse what is too long (413), of another kind (415), not JSON in UTF-8 (400)."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        raise BadRequest(413, "body_too_large", "Too much at once", f"A request can have {MAX_BODY_BYTES} bytes.")
    if not request.body:
        request.json = {}  # type: ignore[attr-defined]
        return
    if request.content_type != "application/json":
        what = f"Send application/json, not {request.content_type or 'nothing named'}."
        raise BadRequest(415, "unsupported_media_type", "Not JSON", what)
    try:
        found = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(
            400,
            "invalid",
            "Not JSON",
            f"The body is not JSON in UTF-8: {error.msg} ({where}).",
            errors=[{"where": where, "what": error.msg}],
        ) from None
    if not isinstance(found, dict):
        raise BadRequest(
            422,
            "invalid",
            "Not an object",
            "The body must be a JSON object.",
            errors=[{"where": "body", "what": "Must be a JSON object."}],
        )
    request.json = found  # type: ignore[attr-defined]


def answer_once(request: HttpRequest, name: str, act: Act) -> HttpResponse:
    """Answer a POST once per idempotency key: run `act`, counted as `name`, or repeat what was answered before.

    Refusals are answers too, and are stored; failures of ours are not.
    """

    def run(keep: Keep) -> Answer:
        try:
            with ACT_SECONDS.labels(name).time():
                return act(keep)
        except Refusal as refusal:
            REFUSALS.labels(name, refusal.code).inc()
            return Answer(refusal.status, problems.problem_of(refusal).body)

    answer, is_repeated = idempotency.once(
        scope=f"fan:{request.auth}",  # type: ignore[attr-defined]
        key=str(UUID(request.headers["Idempotency-Key"])),
        fingerprint=idempotency.request_hash(
            (request.method or "").encode(), request.get_full_path().encode(), request.body
        ),
        act=run,
    )
    response = HttpResponse(
        answer.body,
        status=answer.status,
        content_type="application/json" if answer.status < 400 else problems.CONTENT_TYPE,
    )
    if is_repeated:
        response["Idempotency-Replayed"] = "true"
    return private(response)


def private(response: HttpResponse) -> HttpResponse:
    """Keep an answer out of every cache."""
    response["Cache-Control"] = "private, no-store"
    return response


def never_cached(view: Callable[..., Any]) -> Callable[..., Any]:
    """Keep every answer of the view out of every cache."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return private(view(request, *args, **kwargs))

    return inner


def _check_key(request: HttpRequest) -> None:
    key = request.headers.get("Idempotency-Key", "")
    try:
        UUID(key)
    except ValueError:
        raise BadRequest(
            400,
            "idempotency_key_missing",
            "Idempotency-Key needed",
            "Send a header Idempotency-Key with a new UUID for each thing you want, and the same one to try again.",
        ) from None


def _is_our_origin(request: HttpRequest) -> bool:
    """Whether the browser says that the request comes from this site; programs that are no browsers say nothing."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin in (settings.SITE_URL, f"{request.scheme}://{request.get_host()}")
