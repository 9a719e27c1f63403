"""How a page that is the same for everybody leaves the house: cacheable, validated, compressed, without a cookie."""

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any, Self

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response

# Edges keep a page 60 s, serve it 30 s longer while they fetch the next, and a day longer if there is none to be had.
# Browsers ask every time, and mostly hear 304.
FOR_EVERYBODY = "public, max-age=0, s-maxage=60, stale-while-revalidate=30, stale-if-error=86400"
# A stream of requests for what does not exist stops at the edge, and a page published meanwhile shows soon.
NOT_THERE = "public, max-age=0, s-maxage=5"


@dataclass(frozen=True, slots=True)
class Page:
    """The bytes of a page, plain and gzip-compressed, and their entity tag."""

    body: bytes
    zipped: bytes
    etag: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Compress and tag the page; the same text gives the same bytes."""
        body = text.encode()
        return cls(body, gzip.compress(body, 6, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:24]}"')


def render(template: str, context: dict[str, Any]) -> Page:
    """Render a page without a request, so that nothing of the person asking can get into it."""
    return Page.of(render_to_string(template, {**context, "site_url": settings.SITE_URL}))


def answer(
    request: HttpRequest, page: Page, *, status: int = 200, content_type: str = "text/html; charset=utf-8"
) -> HttpResponse:
    """Answer with the page, varying on nothing but encoding; 304 to those who have it."""
    zipped = accepts_gzip(request)
    response = HttpResponse(page.zipped if zipped else page.body, status=status, content_type=content_type)
    if zipped:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = page.etag
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = FOR_EVERYBODY
    if status != 200:
        return response
    return get_conditional_response(request, etag=page.etag, response=response) or response


def accepts_gzip(request: HttpRequest) -> bool:
    """Tell whether the browser takes gzip (RFC 9110, 12.5.3): named, and not with a weight of nothing."""
    for coding in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";q=")
        if name == "gzip":
            return not weight or weight.strip("0.") != ""
    return False
