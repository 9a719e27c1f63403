"""Django's minimal view: no middleware, no database, one answer made before the first request."""

from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from inventory.bench.baselines import given

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[])

_headers, _body = given()


def view(request: HttpRequest) -> HttpResponse:
    """Answer."""
    return HttpResponse(_body, headers=_headers)


urlpatterns: list[Any] = [re_path("", view)]
application = get_wsgi_application()
