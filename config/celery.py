"""Work that nobody waits for: mail, tickets, payments, sweeps. `celery -A config.celery worker`."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("onsale")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


# Celery has no other way to run something in its processes once they are forked.
@signals.worker_process_init.connect
def _begin_worker(**kwargs: Any) -> None:
    _pulse().start("worker")


@signals.beat_init.connect
def _begin_beat(**kwargs: Any) -> None:
    _pulse().start("beat")


@signals.worker_process_shutdown.connect
def _end_worker(**kwargs: Any) -> None:
    _pulse().stop()


@signals.worker_init.connect
def _serve_metrics(**kwargs: Any) -> None:
    """Let Prometheus read, from the parent, what the pool's processes write into PROMETHEUS_MULTIPROC_DIR."""
    if port := os.environ.get("METRICS_PORT"):
        from config import health

        health.serve(int(port))


def _pulse() -> Any:
    from config import pulse  # Not before Django is set up, which imports this module.

    return pulse
