"""What went wrong, told in one form: RFC 9457 problem details for programs, the same words on a page for people.

Every refusal of the box office, every mistake of a client and every failure of ours becomes a `Problem` here and
nowhere else: `problem_of(exception)` says which, `response(problem)` is its JSON, pages show `title` and `detail`.
"""

import random
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse

from inventory.availability import Busy
from inventory.payments.gateway import GatewayRefused, GatewayUnreachable
from inventory.purchase.refusals import Refusal

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = (1, 4)  # Spread, so that those who were sent away together do not come back together.


@dataclass(frozen=True)
class Problem:
    """One answer that is not what was asked for; `extra` are members of their own beside the standard ones."""

    status: int
    code: str
    title: str
    detail: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The problem as JSON."""
        return orjson.dumps(
            {
                "type": "about:blank",
                "title": self.title,
                "status": self.status,
                "detail": self.detail,
                "code": self.code,
                **self.extra,
            }
        )


class BadRequest(Refusal):
    """A request that says nothing the box office could judge: not JSON, too long, of another kind."""

    def __init__(self, status: int, code: str, title: str, detail: str, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.status, self.code, self.title = status, code, title


class CsrfFailed(Refusal):
    """A POST that may not come from our own pages, or from a browser whose cookie is not ours."""

    code, status, title = "csrf_failed", 403, "Your session could not be checked"

    def __init__(self) -> None:
        super().__init__("This request does not fit your browser's session. Reload the page and try again.")


BUSY = Problem(503, "server_busy", "Very busy", "Very many people are here just now. Nothing was changed; try again.")
FORBIDDEN = Problem(403, "forbidden", "Not for you", "You are not allowed to do this.")
NOT_FOUND = Problem(404, "not_found", "Nothing here", "There is nothing at this address.")
TOO_LARGE = Problem(413, "body_too_large", "Too much at once", "What was sent is larger than is taken here.")
OUR_FAULT = Problem(500, "internal_error", "Our fault", "Something broke on our side. Nothing was changed; try again.")


def problem_of(error: BaseException) -> Problem:
    """Return what to tell the client about an exception."""
    match error:
        case Refusal():
            return Problem(error.status, error.code, error.title, error.detail, error.extra)
        case OperationalError() | InterfaceError() | Busy() | GatewayUnreachable() | GatewayRefused():
            return BUSY
        case RequestDataTooBig():
            return TOO_LARGE
        case Http404():
            return NOT_FOUND
        case PermissionDenied():
            return FORBIDDEN
        case _:
            return OUR_FAULT


def response(problem: Problem) -> HttpResponse:
    """Return the problem as an HTTP answer that no cache keeps."""
    answer = HttpResponse(problem.body, status=problem.status, content_type=CONTENT_TYPE)
    answer["Cache-Control"] = "private, no-store"
    if problem.status in (429, 503):
        answer["Retry-After"] = str(random.randint(*RETRY_SECONDS))  # noqa: S311  Jitter, not a secret.
    return answer
