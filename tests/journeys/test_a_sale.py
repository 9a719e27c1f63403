"""A sale from end to end: two browsers, real servers, one ticket that admits once."""

import json
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, Route, expect

from tests.faults.proxies import without_sockets
from tests.journeys.conftest import ARTIFACTS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

SUCCESS_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 9995"
CHALLENGE_CARD = "4000 0025 0000 3155"
MAP = "document.querySelector('seat-map')"


def _until(page: Page, expression: str, *, within: float) -> float:
    """Return the seconds until `expression` was true: Playwright's own wait needs eval, which the policy forbids."""
    began = time.monotonic()
    while not page.evaluate(f"Boolean({expression})"):
        assert time.monotonic() - began < within, f"not within {within} s: {expression}"
        page.wait_for_timeout(20)
    return time.monotonic() - began


def _open_sale(page: Page, path: str) -> None:
    page.goto(path)
    _until(page, f"{MAP}?.stats?.().ready", within=30)
    # Choosing waits for the fan's own state.
    _until(page, f"{MAP}.stats().sale === 'open'", within=15)


def _look(page: Page, index: int) -> str:
    return page.evaluate(f"{MAP}.seatLook({index})")


def _free_pair(page: Page) -> tuple[int, int]:
    """Return two neighbouring seats that are both free, far from the standing areas."""
    pair = page.evaluate(
        """() => {
          const map = document.querySelector('seat-map');
          const free = (i) => map.seatLook(i) === 'Available' && Number.isFinite(map.seatPoint(i).x);
          for (let i = 20000; i < 40000; i += 1)
            if (free(i) && free(i + 1) && free(i + 2) && free(i + 3) && free(i - 1) && free(i - 2)) return [i, i + 1];
          return null;
        }"""
    )
    assert pair, "no two free neighbours in the demo's sale"
    return pair[0], pair[1]


def _click_seat(page: Page, index: int) -> None:
    page.locator("seat-map canvas").first.scroll_into_view_if_needed()
    page.evaluate(f"{MAP}.ensureVisible({index})")
    point = page.evaluate(f"{MAP}.seatPoint({index})")
    page.mouse.click(point["x"], point["y"])


def _codes_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    found = [barcode.text for page in document for barcode in zxingcpp.read_barcodes(page.render(scale=2).to_pil())]
    document.close()
    return found


def test_two_fans_one_seat_and_a_ticket_that_admits_once(site, open_page, picture):
    first, second = open_page(), open_page(phone=True)
    _open_sale(first, site.cast["sale"])
    _open_sale(second, site.cast["sale"])
    picture(first, "seat-map-overview")
    picture(second, "seat-map-phone")

    # A click holds; the other browser shows it within a second, without a reload.
    left, right = _free_pair(first)
    page_load = second.evaluate("performance.timeOrigin")
    _click_seat(first, left)
    _until(first, f"{MAP}.stats().hold !== null && !{MAP}.stats().busy", within=5)
    assert _until(second, f"{MAP}.seatLook({left}) !== 'Available'", within=5) < 1.0
    assert _look(first, left) == "Yours"
    assert second.evaluate("performance.timeOrigin") == page_load

    # The other fan cannot take it; his click on it changes nothing.
    _click_seat(second, left)
    assert second.evaluate(f"{MAP}.stats().hold") is None

    _click_seat(first, right)
    _until(first, f"{MAP}.stats().hold?.seats.length === 2", within=5)
    picture(first, "seat-map-held")
    total = first.evaluate(f"{MAP}.stats().hold.total")

    # Checkout as a guest, through the sandbox bank's hosted page.
    first.get_by_role("link", name="Checkout").click()
    first.wait_for_url("**/checkout/**")
    picture(first, "checkout")
    first.get_by_label("Name").fill("Ada Lovelace")
    first.get_by_label("E-mail").fill("ada@example.org")
    first.get_by_role("button", name=re.compile("^Pay")).click()
    first.wait_for_url("**/sandbox/pay/**")
    picture(first, "sandbox-bank")
    _pay_with(first, SUCCESS_CARD)
    first.wait_for_url("**/orders/**", timeout=30_000)
    expect(first.get_by_role("heading", name="You are going!")).to_be_visible(timeout=15_000)
    picture(first, "order")
    _until(second, f"{MAP}.seatLook({right}) === 'Taken'", within=5)

    # The PDF holds two tickets whose codes decode.
    pdf = first.request.get(first.get_by_role("link", name="Tickets as PDF").get_attribute("href")).body()
    codes = _codes_of(pdf)
    assert len(codes) == len(set(codes)) == 2

    # The mail went out with the same PDF.
    _wait_for_mail(site.data / "mail", "ada@example.org")

    # At the door: in once, then not again; a forged code never.
    door = open_page(phone=True)
    _sign_in(door, "/accounts/login/?next=/entry/", site.cast["door"])
    door.goto(f"/entry/{_event_id(first, site)}/")
    assert _scan(door, codes[0]) == "admitted"
    picture(door, "door-admitted")
    assert _scan(door, codes[0]) == "already_used"
    picture(door, "door-already-used")
    forged = codes[1][:-1] + ("A" if codes[1][-1] != "A" else "B")
    assert _scan(door, forged) == "forged"
    assert _scan(door, codes[1]) == "admitted"

    # The organiser finds the order and sees what was paid.
    office = open_page()
    _sign_in(office, "/admin/login/?next=/admin/", site.cast["admin"])
    picture(office, "back-office")
    office.goto("/admin/inventory/order/?q=ada@example.org")
    expect(office.get_by_text("Ada Lovelace").first).to_be_visible()
    assert total > 0

    checked = site.manage("check_inventory")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_hold_given_back_shows_free_again_to_others_who_poll(site, open_page):
    """Sockets lost: the same result by polling."""
    first, second = open_page(), open_page()
    # The map's worker opens the socket, where a test cannot stand between: so the address it is given leads nowhere.
    second.route(f"**{site.cast['sale']}", _send_sockets_nowhere)
    _open_sale(first, site.cast["sale"])
    _open_sale(second, site.cast["sale"])
    _until(second, f"{MAP}.stats().transport === 'polling'", within=30)

    left, _ = _free_pair(first)
    _click_seat(first, left)
    _until(first, f"{MAP}.stats().hold !== null && !{MAP}.stats().busy", within=5)
    _until(second, f"{MAP}.seatLook({left}) !== 'Available'", within=5)
    first.get_by_role("button", name=re.compile("^Give back")).first.click()
    _until(first, f"{MAP}.stats().hold === null", within=5)
    _until(second, f"{MAP}.seatLook({left}) === 'Available'", within=5)


def test_a_fan_without_scripts_buys_after_a_declined_card_and_a_bank_check(site, browser):
    """Every page works without JavaScript up to the picture of seats, and there the list takes over."""
    context = browser.new_context(base_url=site.url, java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(site.cast["sale"])
        page.get_by_role("link", name=re.compile("list", re.IGNORECASE)).first.click()
        page.wait_for_url("**/choose/**")
        page.get_by_label("Places together").select_option("3")
        page.get_by_role("button", name="Hold the best places").click()
        page.screenshot(path=ARTIFACTS / "choose-without-scripts.png")
        page.goto(f"/checkout/{site.cast['sale'].split('/')[2]}/")
        page.get_by_label("Name").fill("Grace Hopper")
        page.get_by_label("E-mail").fill("grace@example.org")
        page.get_by_role("button", name=re.compile("^Pay")).click()

        # A declined card keeps the places; so does trying again.
        page.wait_for_url("**/sandbox/pay/**")
        _pay_with(page, DECLINED_CARD)
        expect(page.get_by_text("The payment did not go through")).to_be_visible(timeout=15_000)
        page.get_by_role("button", name=re.compile("^Pay")).click()

        page.wait_for_url("**/sandbox/pay/**")
        _pay_with(page, CHALLENGE_CARD)
        page.wait_for_url("**/challenge/**")
        page.get_by_label("Code").fill(page.locator(".notice strong").inner_text())
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("heading", name="You are going!")).to_be_visible(timeout=20_000)
        assert page.get_by_alt_text(re.compile("^Code of this ticket")).count() == 3
    finally:
        context.close()


def test_map_behind_a_proxy_without_sockets_polls_and_shows_the_same(site, open_page, tmp_path):
    with without_sockets(urlsplit(site.url).port, tmp_path) as port:
        home, office = open_page(), open_page()
        _open_sale(home, site.cast["sale"])
        _open_sale(office, f"http://localhost:{port}{site.cast['sale']}")
        _until(home, f"{MAP}.stats().transport === 'socket'", within=10)
        _until(office, f"{MAP}.stats().transport === 'polling'", within=10)

        left, right = _free_pair(home)
        for index in (left, right):
            _click_seat(home, index)
            _until(home, f"{MAP}.seatLook({index}) === 'Yours' && !{MAP}.stats().busy", within=5)
            assert _until(office, f"{MAP}.seatLook({index}) !== 'Available'", within=10) < 4
        assert office.evaluate(f"{MAP}.stats().transport") == "polling"
        _until(office, f"{MAP}.stats().version >= {home.evaluate(f'{MAP}.stats().version')}", within=5)


def _pay_with(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry").fill("12/30")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name=re.compile("^Pay")).click()


def _send_sockets_nowhere(route: Route) -> None:
    answer = route.fetch()
    body, replaced = re.subn(r'("socketUrl": *")[^"]*', r"\1/live/nowhere/socket", answer.text())
    assert replaced == 1
    route.fulfill(response=answer, body=body)


def _event_id(page: Page, site) -> str:
    answer = page.request.get(site.cast["sale"]).text()
    data = re.search(r'id="event-data"[^>]*>(.*?)</script>', answer, re.DOTALL)
    assert data
    return json.loads(data.group(1))["id"]


def _sign_in(page: Page, path: str, person: dict[str, str]) -> None:
    page.goto(path)
    page.locator("input[name=login], input[name=username]").first.fill(person["user"])
    page.locator("input[name=password]").fill(person["password"])
    page.locator("main form button[type=submit], form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "login" not in url)


def _scan(page: Page, code: str) -> str:
    result = page.locator("[data-result]")
    result.evaluate("element => element.dataset.result = 'waiting'")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Check").click()
    expect(result).not_to_have_attribute("data-result", "waiting")
    return result.get_attribute("data-result") or ""


def _wait_for_mail(folder: Path, address: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        letters = [path.read_text(errors="replace") for path in folder.glob("*")] if folder.exists() else []
        if any(address in letter and "application/pdf" in letter for letter in letters):
            return
        time.sleep(0.25)
    pytest.fail(f"no mail with a PDF to {address} in {folder}")
