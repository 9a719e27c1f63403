"""What a supervisor asks a process: are you alive, should you get traffic, how are you doing."""

import os

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    multiprocess,
    start_http_server,
)

from config import redis
from config.metrics import flush


def readiness() -> dict[str, str]:
    """Return how each store answers, `up` or `down`; blocks for a second at most while they are slow to refuse."""
    return {"postgres": _postgres(), "redis": _redis()}


def exposition() -> bytes:
    """Return the metrics in Prometheus' text form: of all processes that share PROMETHEUS_MULTIPROC_DIR, else ours."""
    flush()
    return generate_latest(_registry())


def serve(port: int) -> None:
    """Serve the same under /metrics on `port` of this machine, for processes that answer no pages: relay and worker."""
    start_http_server(port, addr="127.0.0.1", registry=_registry())


def _registry() -> CollectorRegistry:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return registry


METRICS_TYPE = CONTENT_TYPE_LATEST


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process runs."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer whether pages can be served: 503 without Postgres; Redis is told, but pages live without it."""
    stores = readiness()
    return JsonResponse(stores, status=200 if stores["postgres"] == "up" else 503)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with this pool's metrics; the edge does not let the outside world here."""
    return HttpResponse(exposition(), content_type=METRICS_TYPE)


def _postgres() -> str:
    try:
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close()
        return "down"
    return "up"


def _redis() -> str:
    try:
        redis.guarded(lambda client: client.ping())
    except redis.Unavailable:
        return "down"
    return "up"
