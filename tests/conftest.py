"""What every test stands on: real servers (tests/settings.py), keys of its own, no browser test left out unnoticed."""

import os
import secrets
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

CHROMIUM = Path(os.environ.get("ONSALE_CHROMIUM", "/usr/bin/chromium"))
# Chromium without a sandbox (root), without the screen card, and without calling home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MUST_SEE_BROWSERS = os.environ.get("ONSALE_REQUIRE_BROWSER") == "1"


@pytest.fixture(autouse=True)
def redis_prefix(settings: Any) -> str:
    """Give each test Redis keys of its own, so that none sees what another left."""
    prefix = f"{os.environ['REDIS_PREFIX']}:{secrets.token_hex(4)}"
    settings.REDIS_PREFIX = prefix
    cache = django_settings.CACHES["default"]
    settings.CACHES = django_settings.CACHES | {"default": cache | {"KEY_PREFIX": prefix}}
    return prefix


@pytest.fixture(scope="session", autouse=True)
def _clean_redis() -> Iterator[None]:
    """Remove the keys of this run from a server that outlives it."""
    yield
    with redis.Redis.from_url(django_settings.REDIS_URL) as connection:
        for key in connection.scan_iter(f"{os.environ['REDIS_PREFIX']}*", count=1000):
            connection.delete(key)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no browser, by name."""
    if CHROMIUM.exists():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"there is no Chromium at {CHROMIUM}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where browsers are promised (ONSALE_REQUIRE_BROWSER=1), a browser test that is skipped has failed."""
    report = yield
    if MUST_SEE_BROWSERS and report.skipped and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and ONSALE_REQUIRE_BROWSER=1 forbids that: {report.longrepr}"
    return report
