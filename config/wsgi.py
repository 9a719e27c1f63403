"""The pages and the purchase API, for gunicorn's `web` processes."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_wsgi_application()

from events.front import front  # noqa: E402 (the settings must be loaded before)

application = front(pages)

# Every view is imported now: once, before gunicorn forks its workers, and not while the first visitor waits.
get_resolver().url_patterns  # noqa: B018
