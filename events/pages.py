"""How a page that is the same for everybody leaves the house: cacheable, validated, compressed, without a cookie."""

import gzip
import hashlib
import math
from dataclasses import dataclass, replace
from typing import Any, Self

import brotli
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response

from config import encodings
from config.encodings import Encoding

# Edges keep a page 60 s, serve it 30 s longer while they fetch the next, and a day longer if there is none to be had.
# Browsers ask every time, and mostly hear 304.
FOR_EVERYBODY = "public, max-age=0, s-maxage=60, stale-while-revalidate=30, stale-if-error=86400"
# A stream of requests for what does not exist stops at the edge, and a page published meanwhile shows soon.
NOT_THERE = "public, max-age=0, s-maxage=5"


@dataclass(frozen=True, slots=True)
class Page:
    """The bytes of a page and its entity tag; `until` is the moment (seconds since 1970) the clock makes it another.

    `zipped` and `brotlied` are empty in a page that is shown once and not kept: it is compressed when it is asked for.
    """

    body: bytes
    etag: str
    until: float = math.inf
    zipped: bytes = b""
    brotlied: bytes = b""

    @classmethod
    def of(cls, text: str) -> Self:
        """Encode and tag the page; the same text gives the same bytes."""
        body = text.encode()
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:24]}"')

    def packed(self, *, until: float) -> Self:
        """Return the page to be kept, compressed as well as can be: 40 ms, once a version."""
        zipped = gzip.compress(self.body, 9, mtime=0)
        return replace(self, until=until, zipped=zipped, brotlied=brotli.compress(self.body, quality=11))

    def encoded(self, encoding: Encoding) -> bytes:
        """Return the body in a content coding."""
        if encoding == "br":
            return self.brotlied or brotli.compress(self.body, quality=4)
        if encoding == "gzip":
            return self.zipped or gzip.compress(self.body, 5, mtime=0)
        return self.body

    def tag(self, encoding: Encoding) -> str:
        """Return the strong entity tag of these very bytes: other bytes, another tag (RFC 9110, 8.8.3.3)."""
        return f'{self.etag[:-1]}-{encoding}"' if encoding else self.etag


def render(template: str, context: dict[str, Any]) -> Page:
    """Render a page without a request, so that nothing of the person asking can get into it."""
    return Page.of(render_to_string(template, {**context, "site_url": settings.SITE_URL}))


def answer(
    request: HttpRequest, page: Page, *, status: int = 200, content_type: str = "text/html; charset=utf-8"
) -> HttpResponse:
    """Answer with the page, varying on nothing but encoding; 304 to those who have it."""
    encoding = encodings.best(request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(page.encoded(encoding), status=status, content_type=content_type)
    if encoding:
        response["Content-Encoding"] = encoding
    response["ETag"] = page.tag(encoding)
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = FOR_EVERYBODY
    if status != 200:
        return response
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
