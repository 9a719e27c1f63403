"""The pages in a real browser: no policy broken, accessible in every state, and a sale that opens by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.factories import make_event, make_organizer, make_plan, make_venue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@pytest.fixture
def open_page(live_server) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a path; the browser starts with the first, after the test has made its rows."""
    complaints: list[str] = []
    with ExitStack() as stack:
        browsers = []

        def open_one(path: str, *, size=DESKTOP, **options) -> Page:
            if not browsers:
                playwright = stack.enter_context(sync_playwright())
                browsers.append(playwright.chromium.launch(executable_path=str(CHROMIUM), args=CHROMIUM_FLAGS))
                stack.callback(browsers[0].close)
            context = browsers[0].new_context(viewport=size, reduced_motion="reduce", **options)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
            page.on(
                "console",
                lambda message: (
                    complaints.append(f"{page.url}: {message.text}")
                    if "Content Security Policy" in message.text
                    else None
                ),
            )
            page.goto(f"{live_server.url}{path}")
            return page

        yield open_one
    assert complaints == []


def house(**event):
    venue = make_venue(name="Kanal", slug="kanal", latitude="52.5", longitude="13.4")
    organizer = make_organizer(name="Nordwind", slug="nordwind", about="Since 1991.", email="a@example.org")
    plan = make_plan(venue, name="Kanal hall", standing=20)
    defaults = {"name": "Aurora", "slug": "aurora", "subtitle": "One night", "description": "Long.\n\nWords."}
    return make_event(plan=plan, organizer=organizer, **defaults | event)


PATHS = {
    "/": 200,
    "/?q=nothing+like+it": 200,
    "/?from=x&min=9&max=1&page=a&q=caf%E9": 400,
    "/e/aurora/": 200,
    "/o/nordwind/": 200,
    "/v/kanal/": 200,
    "/accounts/login/": 200,
    "/accounts/signup/": 200,
    "/accounts/password/reset/": 200,
    "/nothing/": 404,
}


def test_pages_break_no_policy_and_throw_nothing(open_page):
    house()
    page = open_page("/robots.txt")
    for path, status in PATHS.items():
        answer = page.goto(path_on(page, path))
        assert answer.status == status, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        page.wait_for_timeout(150)


def path_on(page: Page, path: str) -> str:
    origin = "/".join(page.url.split("/")[:3])
    return origin + path


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """Everything axe objects to outside the seat map, which has browser tests of its own."""
    found = Axe().run(page, context={"exclude": [["seat-map"]]})
    return [(v["id"], [node["html"][:160] for node in v["nodes"]]) for v in found.response["violations"]]


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "desktop"])
def test_pages_are_accessible_and_fit_the_screen(open_page, scheme, size):
    house()
    page = open_page("/", size=size, color_scheme=scheme)
    for path in PATHS:
        page.goto(path_on(page, path))
        assert (path, faults(page)) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


STATES = {
    "upcoming": {"windows": [{"opens_in": timedelta(days=2)}]},
    "presale": {"windows": [{"access": "presale"}, {"opens_in": timedelta(days=2)}]},
    "paused": {"sale_switch": "paused"},
    "closed": {"sale_switch": "closed"},
    "cancelled": {"status": "cancelled"},
    "past": {"starts_in": timedelta(days=-2)},
}


def test_every_state_of_the_sale_is_accessible(open_page):
    plan = make_plan()
    for state, fields in STATES.items():
        make_event(slug=state, plan=plan, **fields)
    page = open_page("/", size=PHONE, color_scheme="dark")
    for state in STATES:
        page.goto(path_on(page, f"/e/{state}/"))
        expect(page.locator(f'[data-event-state="{state}"]')).to_be_visible()
        assert (state, faults(page)) == (state, [])


def test_sale_opens_by_itself_on_the_second_and_follows_the_slot(open_page):
    house(windows=[{"opens_in": timedelta(hours=1)}])
    page = open_page("/robots.txt")
    page.clock.install()
    page.goto(path_on(page, "/e/aurora/"))
    panel = page.locator(".sale")
    expect(panel.get_by_role("timer")).to_be_visible()
    expect(panel.get_by_role("link", name="Choose seats")).to_be_hidden()
    page.clock.fast_forward("01:00:01")
    expect(panel.get_by_role("link", name="Choose seats")).to_be_visible()
    expect(panel.get_by_role("timer")).to_be_hidden()
    expect(panel.get_by_role("status")).to_have_text("Tickets are on sale now")
    # What the fan's own slot says outranks the cached page.
    told = "{bubbles: true, detail: {state: 'sold_out', opens_at: null, closes_at: null, now: Date.now()}}"
    page.evaluate(f"document.querySelector('seat-map').dispatchEvent(new CustomEvent('seatmap:sale', {told}))")
    expect(panel.get_by_role("status")).to_have_text("Sold out")
    expect(panel.locator(".badge--sold_out")).to_be_visible()
    expect(panel.get_by_role("link", name="Choose seats")).to_be_hidden()


def test_theme_is_kept_across_pages_and_set_before_paint(open_page):
    house()
    page = open_page("/", color_scheme="light")
    toggle = page.get_by_role("button", name="Dark colours")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    page.goto(path_on(page, "/e/aurora/"), wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.wait_for_load_state()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 19, 17)"


def test_pages_work_without_scripts(open_page):
    house()
    page = open_page("/", java_script_enabled=False)
    page.get_by_label("Search shows").fill("aurora")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name="Aurora").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Aurora")
    link = page.get_by_role("link", name="Choose seats from a list")
    expect(link).to_have_attribute("href", "/e/aurora/choose/")
    expect(page.get_by_role("button", name="Dark colours")).to_be_hidden()
