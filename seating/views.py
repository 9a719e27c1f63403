"""Serves plans (read R2): addressed by what they contain, so that any cache may keep them for ever."""

import json

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from seating import plans
from seating.models import SeatingPlan

FOREVER = "public, max-age=31536000, immutable"


@require_safe
def plan(request: HttpRequest, content_hash: str) -> HttpResponse:
    """Serve the plan document with this SHA-256, compressed as the browser likes it; a 404 problem if unknown."""
    etag = f'"{content_hash}"'
    if etag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
    else:
        try:
            encoding, body = _encoded(content_hash, request.headers.get("Accept-Encoding", ""))
        except SeatingPlan.DoesNotExist:
            return _unknown_plan(content_hash)
        response = HttpResponse(body, content_type="application/json")
        if encoding:
            response["Content-Encoding"] = encoding
    response["ETag"] = etag
    response["Cache-Control"] = FOREVER
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _encoded(content_hash: str, accepted: str) -> tuple[str, bytes]:
    codings = {part.split(";")[0].strip() for part in accepted.lower().split(",") if not _is_refused(part)}
    if "br" in codings:
        return "br", plans.brotli_body(content_hash)
    if "gzip" in codings or "*" in codings:
        return "gzip", plans.gzip_body(content_hash)
    return "", plans.document(content_hash)


def _is_refused(coding: str) -> bool:
    """Tell whether an Accept-Encoding member has a weight of nothing (RFC 9110, 12.4.2)."""
    _, _, weight = coding.replace(" ", "").partition(";q=")
    return weight != "" and weight.strip("0.") == ""


def _unknown_plan(content_hash: str) -> HttpResponse:
    problem = {
        "type": "about:blank",
        "title": "Unknown plan",
        "status": 404,
        "code": "plan_unknown",
        "detail": f"There is no seating plan {content_hash[:12]}... here.",
    }
    response = HttpResponse(json.dumps(problem), status=404, content_type="application/problem+json")
    # A plan may be stored a moment later: nobody may remember that it was not there.
    response["Cache-Control"] = "no-store"
    return response
