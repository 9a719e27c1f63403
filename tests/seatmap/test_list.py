"""Choosing without sight or mouse: the list and its grid make the same holds, and axe has nothing to say."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .peer import HELD, SOLD

pytestmark = pytest.mark.browser


def held(world):
    return sorted(seat["index"] for hold in world.holds.values() for seat in hold["seats"])


def focused(shown):
    return shown.page.evaluate("document.activeElement.getAttribute('aria-label')")


def press(shown, *keys):
    for key in keys:
        shown.page.keyboard.press(key)


def open_list(shown):
    shown.until(lambda s: s["sale"] == "open")
    shown.page.get_by_role("button", name="List").click()


def test_list_chooses_a_seat_by_keyboard_alone(world, open_map):
    world.states[0] = SOLD
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")
    for _ in range(30):
        press(shown, "Tab")
        if shown.page.evaluate("document.activeElement.textContent") == "List":
            break
    press(shown, "Enter")
    for _ in range(30):
        press(shown, "Tab")
        if (shown.page.evaluate("document.activeElement.textContent") or "").startswith("Stalls"):
            break
    press(shown, "Enter")
    assert focused(shown) == "Seat 2, Premium, €120, Available"
    shown.said("Stalls, 59 seats free. Arrow keys move, Enter chooses.")

    press(shown, "ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", " ")

    shown.until(lambda s: s["hold"])
    assert held(world) == [14]
    assert focused(shown) == "Seat 5, Lower tier, €85, Yours"
    shown.said("Stalls, row B, seat 5 held for you. 1 seat in your basket, €85.")
    press(shown, "Enter")
    shown.until(lambda s: s["hold"] is None and not s["busy"])
    assert held(world) == []


def test_grid_moves_to_ends_and_keeps_one_tab_stop(world, open_map):
    shown = open_map(world)
    open_list(shown)
    shown.page.locator(".sm-row", has_text="Stalls").click()
    grid = shown.page.get_by_role("grid", name="Seats of Stalls")
    press(shown, "End")
    assert focused(shown) == "Seat 10, Lower tier, €85, Restricted view, Available"
    press(shown, "Control+End")
    assert focused(shown).startswith("Seat 10, Lower tier")
    assert grid.get_by_role("row").nth(5).get_by_role("gridcell").nth(9).evaluate("e => e === document.activeElement")
    press(shown, "Control+Home", "ArrowLeft", "ArrowUp")
    assert grid.get_by_role("gridcell").first.evaluate("e => e === document.activeElement")
    assert grid.locator("[tabindex='0']").count() == 1
    press(shown, "PageDown")
    assert focused(shown).startswith("Seat 1, Premium, €120, Wheelchair space")
    press(shown, "Escape")
    assert shown.page.get_by_role("button", name="Stalls").evaluate("e => e === document.activeElement")


def test_grid_follows_other_fans_and_says_when_the_focused_seat_is_lost(world, open_map):
    shown = open_map(world)
    open_list(shown)
    shown.page.locator(".sm-row", has_text="Stalls").click()

    world.change({0: HELD, 1: SOLD})

    shown.said("This seat was just taken by someone else.")
    cell = shown.page.get_by_role("gridcell", name="Seat 1, Premium, €120, In someone's basket").first
    assert cell.get_attribute("aria-disabled") == "true"
    press(shown, "Enter")
    shown.said("It cannot be chosen.")
    assert world.posts == []


def test_list_counts_follow_live_and_standing_opens_its_dialog(world, open_map):
    shown = open_map(world)
    open_list(shown)
    row = shown.page.get_by_role("button", name="Box 1")
    assert row.inner_text().split("\n") == ["Box 1", "4 seats free", "from €45"]

    world.change({60: SOLD, 61: SOLD})

    row.get_by_text("2 seats free").wait_for()
    shown.page.get_by_role("button", name="Pit").click()
    shown.page.get_by_role("dialog", name="Pit").get_by_role("button", name="Add to basket").click()
    shown.until(lambda s: s["hold"])
    assert held(world) == [64, 65]


def test_map_and_list_show_the_same_hold(world, open_map):
    shown = open_map(world)
    shown.choose(25)
    shown.page.get_by_role("button", name="List").click()
    shown.page.locator(".sm-row", has_text="Stalls").click()

    cell = shown.page.get_by_role("gridcell", name="Seat 6, Lower tier, €85, Yours")

    assert cell.get_attribute("aria-selected") == "true"


QUICK = ["map", "basket", "grid", "refused"]
STATES = ["map", "basket", "list", "grid", "standing", "presale", "upcoming", "cancelled", "block", "refused"]


@pytest.mark.parametrize(
    ("state", "scheme"),
    [(state, "light") for state in QUICK]
    + [pytest.param(state, "light", marks=pytest.mark.slow) for state in STATES if state not in QUICK]
    + [pytest.param(state, "dark", marks=pytest.mark.slow) for state in STATES],
)
def test_no_axe_violations(world, open_map, browser, state, scheme):
    if state in ("presale", "upcoming", "cancelled"):
        world.sale = {"state": state, "opens_at": 4_000_000_000_000 if state == "upcoming" else None, "closes_at": None}
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    shown = open_map(world, "?mode=block" if state == "block" else "", page=context.new_page())
    if state in ("basket", "list", "grid"):
        shown.choose(21, 22)
    if state in ("list", "grid", "standing"):
        open_list(shown)
    if state == "grid":
        shown.page.locator(".sm-row", has_text="Stalls").click()
    if state == "standing":
        shown.page.get_by_role("button", name="Pit").click()
    if state == "refused":
        world.alternatives = [[26, 27]]
        world.change({25: SOLD}, silent=True)
        shown.click(25)
        shown.page.locator(".sm-toast button").first.wait_for()

    violations = Axe().run(shown.page).response["violations"]

    found = [
        (one["id"], [node["html"][:120] + " " + node["failureSummary"][:200] for node in one["nodes"][:3]])
        for one in violations
    ]
    assert found == []
    context.close()
