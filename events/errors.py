"""What people read when something went wrong: one page, the same form everywhere, that needs no database."""

import json

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from events.pages import NOT_THERE

_TEXTS = {
    400: ("We could not read that", "Something in the request was not as it should be. Nothing has been changed."),
    403: ("Not for you", "You are not allowed to see this, or the form was open for too long. Go back and try again."),
    404: ("Nothing at this address", "The show may be over, or the link may have a slip in it."),
    413: ("Too much at once", "What was sent is larger than we take. Nothing has been changed."),
    429: ("One moment", "Too many requests came from here. Wait a little and try again."),
    500: ("Our fault", "Something broke on our side. Seats you hold stay yours until their time is up; try again."),
    503: ("Back in a moment", "Very many people are here just now. Seats you hold stay yours; try again shortly."),
}


def error_page(request: HttpRequest, status: int, *, title: str = "", detail: str = "") -> HttpResponse:
    """Return the error page for `status` in the words given, or else in its own; under /api/ an RFC 9457 problem."""
    usual_title, usual_detail = _TEXTS.get(status, _TEXTS[500 if status >= 500 else 400])
    title, detail = title or usual_title, detail or usual_detail
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": _code(status)}
        response = HttpResponse(json.dumps(body), status=status, content_type="application/problem+json")
    else:
        context = {"status": status, "title": title, "detail": detail}
        response = HttpResponse(render_to_string("onsale/error.html", context), status=status)
    response["Cache-Control"] = "no-store"
    return response


def _code(status: int) -> str:
    names = {403: "forbidden", 404: "not_found", 413: "body_too_large", 429: "too_many_requests", 503: "server_busy"}
    return names.get(status, "internal_error" if status >= 500 else "invalid")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400, or 413 for a body that is too large."""
    return error_page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; edges keep it for seconds, as a shield."""
    response = error_page(request, 404)
    if request.method in ("GET", "HEAD"):
        response["Cache-Control"] = NOT_THERE
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500; nothing here may fail in its turn, so there is a plain sentence below the page."""
    try:
        return error_page(request, 500)
    except Exception:  # The last answer there is.
        return HttpResponse("Something broke on our side. Please try again.", status=500, content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or too old."""
    detail = "This form was open for too long, or cookies are switched off. Go back, reload the page and send it again."
    return error_page(request, 403, title="The form has gone stale", detail=detail)
