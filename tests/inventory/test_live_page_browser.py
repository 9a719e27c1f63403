"""The live page in a browser: it draws what processes tell, says when one stops, and needs no inline script."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import sync_playwright

from config import metrics, pulse
from tests.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.factories import make_event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def event():
    return make_event(name="The Long Night")


@pytest.fixture
def page(live_server, event):
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        try:
            page.goto(f"{live_server.url}/admin/live/")
            yield page
            assert page.complaints == []
        finally:
            browser.close()


def until(page, holds, meanwhile=lambda: None):
    """Wait until something holds; beats go on meanwhile."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, page.inner_text("[data-live]")
        meanwhile()
        page.wait_for_timeout(200)


def says(page, text):
    return lambda: text in page.inner_text("[data-live]")


def test_the_page_goes_from_nothing_to_figures_to_a_silent_process(page, event):
    until(page, says(page, "No process has told of itself"))
    live, killed = pulse.Pulse("live"), pulse.Pulse("relay")
    killed.beat(time.time() - 20)

    def beat():
        for _ in range(50):
            metrics.TIER_READS.labels("seats", "lru").inc()
            metrics.HOT_EVENTS.add(event.pk)
        live.beat(time.time())

    until(page, says(page, "The Long Night"), beat)

    assert "nobody leads" in page.inner_text("[data-live-facts]")
    assert "relay" in page.inner_text("[data-live-notice]")
    assert "went silent" in page.inner_text("[data-live-notice]")
    assert "silent for" in page.inner_text("[data-live-processes]")
    assert page.get_attribute("[data-figure=slots] .live-line__line", "d").startswith("M")
    page.click(".live-past summary")
    until(page, lambda: page.locator("[data-live-past] tr").count() == 10, beat)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.response["violations"] == []


def test_a_page_that_is_cut_off_says_so(page):
    web = pulse.Pulse("web")

    def beat():
        web.beat(time.time())

    until(page, says(page, "1 process heard"), beat)

    page.route("**/live/now.json*", lambda asked: asked.abort())
    until(page, says(page, "The back office does not answer"), beat)
    page.unroute("**/live/now.json*")
    until(page, lambda: page.inner_text("[data-live-notice]") == "", beat)
    page.complaints = [said for said in page.complaints if "ERR_FAILED" not in said]
