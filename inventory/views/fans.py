"""Pages that belong to one fan: known by a signed cookie, never kept by anybody else."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from inventory import fan as fans


class FanRequest(HttpRequest):
    """A request whose fan is known."""

    fan: str


def with_fan(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give the view `request.fan`, set the cookie on a browser that has none; keep the answer out of all caches."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        known = fans.read(request.COOKIES.get(fans.COOKIE))
        fan = known or fans.new_fan()
        request.fan = fan  # type: ignore[attr-defined]
        response = view(request, *args, **kwargs)
        if known is None:
            response.set_cookie(
                fans.COOKIE,
                fans.sign(fan),
                max_age=fans.MAX_AGE_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=settings.HTTPS,
            )
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Cookie"])
        return response

    return inner
