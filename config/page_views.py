"""Counting the pages that Django answers."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config import metrics


class PageViewsMiddleware:
    """Counts pages of HTML that were found: the measure against which database reads are held."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:  # noqa: D102 (the class tells)
        response = self.get_response(request)
        if response.status_code == 200 and response.headers.get("Content-Type", "").startswith("text/html"):
            metrics.PAGE_VIEWS.inc()
        return response
