"""The back office's own Content-Security-Policy."""

from collections.abc import Callable

from csp.utils import build_policy, default_config
from django.conf import settings
from django.http import HttpRequest, HttpResponse

PREFIX = "/admin/"


class AdminPolicyMiddleware:
    """Send ADMIN_CONTENT_SECURITY_POLICY with every answer under /admin/, errors and redirects too.

    The site's policy excludes that prefix, because the theme's Alpine evaluates its attributes; pages that fans see
    keep the strict one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = build_policy(config=default_config(settings.ADMIN_CONTENT_SECURITY_POLICY))

    def __call__(self, request: HttpRequest) -> HttpResponse:  # noqa: D102 (the class tells)
        response = self.get_response(request)
        if request.path_info.startswith(PREFIX):
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response
