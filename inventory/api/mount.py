"""The API as one thing: its routers, its documentation, and how its failures are told."""

import logging
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import DocsBase

from inventory import problems
from inventory.api import door, reads, sale
from inventory.api.requests import StrictParser
from inventory.problems import Problem
from inventory.purchase import EventUnknown, HoldUnknown

log = logging.getLogger(__name__)


class Documentation(DocsBase):
    """Swagger UI from our own files, without a line of inline script, and with the headers every POST needs."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Return the page."""
        urls = {"openapi_url": self.get_openapi_url(api, kwargs), "fan_url": reverse("api-1:fan")}
        return render(request, "inventory/api_docs.html", urls)


api = NinjaAPI(
    title="Onsale",
    version="1",
    description=(
        "Browse what is on, hold seats and order them.\n\n"
        "Every POST of a fan needs his `fan` cookie, the token of `GET /fan` in `X-CSRF-Token`, and a new UUID in "
        "`Idempotency-Key`; the same key with the same body repeats the answer. Errors are RFC 9457 problem details "
        "with a `code`. Amounts are minor units (cents) of the named currency."
    ),
    docs=Documentation(),
    parser=StrictParser(),
)
api.add_router("", sale.router)
api.add_router("", reads.router)
api.add_router("", door.router)


@api.exception_handler(Exception)
def _failure(request: HttpRequest, error: Exception) -> HttpResponse:
    problem = problems.problem_of(error)
    if problem is problems.OUR_FAULT:
        log.error("%s %s", request.method, request.path, exc_info=error)
    elif problem is problems.BUSY:
        log.warning("%s %s: %s", request.method, request.path, error)
    return problems.response(problem)


@api.exception_handler(ObjectDoesNotExist)
def _gone(request: HttpRequest, error: ObjectDoesNotExist) -> HttpResponse:
    return problems.response(problems.NOT_FOUND)


@api.exception_handler(AuthenticationError)
def _unknown_caller(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problems.response(Problem(401, "not_signed_in", "Sign in first", "This is for signed-in staff."))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problems.response(Problem(error.status_code, "invalid", "That could not be read", str(error)))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name every place that is wrong; an id that is none is as unknown as one that was never given out."""
    found = [(item["loc"], item["msg"].removeprefix("Value error, ")) for item in error.errors]
    for place, _ in found:
        if place[0] == "path":
            unknown = {"event_id": EventUnknown, "hold_id": HoldUnknown}.get(str(place[-1]))
            return problems.response(problems.problem_of(unknown()) if unknown else problems.NOT_FOUND)
    errors = [{"where": _where(place), "what": what} for place, what in found[:20]]
    detail = f"{errors[0]['where']}: {errors[0]['what']}"
    return problems.response(Problem(422, "invalid", "Something is not as it should be", detail, {"errors": errors}))


def _where(place: tuple[Any, ...]) -> str:
    """Return ("body", "body", "best", "quantity") as "body.best.quantity": ninja names the parameter too."""
    kind, *rest = place
    return ".".join(str(part) for part in (kind, *(rest[1:] if kind == "body" else rest)))
