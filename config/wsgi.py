"""The pages and the purchase API, for gunicorn's `web` processes."""

import os
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

# The settings must be loaded before these are imported.
from config import knob_board  # noqa: E402
from events.front import front  # noqa: E402
from inventory.warmup.recording import recorded  # noqa: E402
from inventory.warmup.tiers import warm_pages  # noqa: E402

_fronted = front(pages)
application = recorded(_fronted)

# Every view is imported now: once, before gunicorn forks its workers, and not while the first visitor waits.
get_resolver().url_patterns  # noqa: B018


def warm_up(worker: Any) -> None:
    """Warm this process before it accepts; for gunicorn's threaded worker."""
    knob_board.start()
    warm_pages(_fronted, worker.tpool, worker.cfg.threads)
