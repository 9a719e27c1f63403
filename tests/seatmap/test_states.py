"""The sale's states, the page's failures, and the organiser's two modes."""

import json
import time

import pytest

pytestmark = pytest.mark.browser


def sale(state, **extra):
    return {"state": state, "opens_at": None, "closes_at": None, **extra}


@pytest.mark.parametrize(
    ("state", "title"),
    [
        ("paused", "The sale is paused"),
        ("closed", "The sale has closed"),
        ("sold_out", "Sold out"),
        ("cancelled", "This event is cancelled"),
    ],
)
def test_sale_state_is_said_and_seats_cannot_be_chosen(world, open_map, state, title):
    world.sale = sale(state)
    shown = open_map(world)
    assert shown.page.locator(".sm-banner__title").inner_text() == title

    shown.click(25)

    shown.page.locator(".sm-toast").wait_for()
    assert "Seats cannot be chosen at the moment." in shown.page.locator(".sm-toast").inner_text()
    assert world.posts == []


def test_upcoming_sale_counts_down_and_opens_by_itself(world, open_map):
    world.sale = sale("upcoming", opens_at=int(time.time() * 1000) + 62_000)
    shown = open_map(world)
    assert "On sale in 1 minute" in shown.page.locator(".sm-banner__title").inner_text()
    assert shown.page.locator(".sm-picker").is_hidden()

    world.sale = sale("open")
    world.notice(kind="event", version=2)

    shown.until(lambda s: s["sale"] == "open")
    assert shown.page.locator(".sm-banner").is_hidden()
    shown.said("The sale is open: choose your seats.")
    shown.choose(25)


def test_upcoming_sale_opens_by_the_clock_without_a_notice(world, open_map):
    world.sale = sale("upcoming", opens_at=int(time.time() * 1000) + 1500)
    shown = open_map(world)
    world.sale = sale("open")

    shown.until(lambda s: s["sale"] == "open", 6)


def test_sold_out_sale_notices_a_seat_that_comes_back(world, open_map):
    world.sale = sale("sold_out")
    world.states[:] = bytes([2]) * world.count
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "sold_out")
    world.sale = sale("open")

    world.change({25: 0})

    shown.until(lambda s: s["sale"] == "open", 4)
    shown.choose(25)


def test_presale_asks_for_a_code_and_says_when_it_is_wrong(world, open_map):
    world.sale = sale("presale")
    shown = open_map(world)
    field = shown.page.get_by_label("Presale code")
    field.fill("WRONG")
    shown.page.get_by_role("button", name="Unlock").click()
    shown.click(25)

    shown.page.locator(".sm-banner__error").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    assert shown.look(25) == "Available"
    field.fill("EARLY")
    shown.page.get_by_role("button", name="Unlock").click()
    shown.choose(25)
    assert world.posts[-1][1] == {"seats": [25], "presale_code": "EARLY"}


def test_plan_that_cannot_be_loaded_says_so_and_can_be_tried_again(world, open_map):
    body, world.body = world.body, b"not json"
    shown = open_map(world, ready=False)
    veil = shown.page.locator(".sm-veil--error")
    veil.wait_for()
    assert "The seat map could not be loaded." in veil.inner_text()

    world.body = body
    veil.get_by_role("button", name="Try again").click()

    shown.until(lambda s: s["ready"])


def test_failing_me_is_asked_again(world, open_map):
    world.me_failing = True
    shown = open_map(world)
    world.me_failing = False

    shown.until(lambda s: shown.run("map => map.fan.ready"), 10)


def test_block_mode_selects_by_click_row_box_and_section_and_tells(world, open_map):
    world.states[0] = 3
    shown = open_map(world, "?mode=block")
    assert shown.look(0) == "Blocked"
    shown.run("map => { window.told = []; map.addEventListener('seatmap:selection', e => told.push(e.detail)); }")
    shown.click(0)
    shown.click(20)
    assert shown.page.evaluate("told.at(-1)") == {
        "indexes": [0, 20],
        "counts": {"free": 1, "held": 0, "sold": 0, "blocked": 1},
    }

    shown.page.get_by_label("Section", exact=True).select_option(label="Box 1")
    shown.page.get_by_label("Row", exact=True).select_option(index=1)
    shown.page.get_by_role("button", name="Add").click()
    assert shown.run("map => map.selection") == [0, 20, 60, 61, 62]

    shown.page.get_by_role("button", name="Clear").click()
    shown.page.get_by_role("button", name="Draw a box").click()
    x0, y0 = shown.point(22)
    x1, y1 = (shown.run("(map, i) => map.seatPoint(i)", 33)[axis] for axis in "xy")
    shown.page.mouse.move(x0 - 8, y0 - 8)
    shown.page.mouse.down()
    shown.page.mouse.move(x1 + 8, y1 + 8, steps=5)
    shown.page.mouse.up()
    assert shown.run("map => map.selection") == [22, 23, 32, 33]

    shown.run("map => map.clearSelection()")
    world.change({22: 3})
    shown.until_look(22, "Blocked")
    assert world.posts == []


def test_plan_mode_draws_the_plan_without_a_sale(world, open_map):
    shown = open_map(world, "?mode=plan")

    assert shown.stats()["transport"] == "connecting"
    assert world.seats_asked == 0
    assert shown.page.locator(".sm-legend li").all_inner_texts()[:4] == [
        "Premium",
        "Lower tier",
        "Upper tier",
        "Standing",
    ]


def test_strict_policy_is_never_violated(world, open_map, context):
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    shown = open_map(world, page=page)
    shown.choose(21, 22)
    page.get_by_role("button", name="List").click()

    assert [text for text in said if "Content Security Policy" in text] == []


def test_state_is_never_told_by_colour_alone(module):
    # One sprite per state at 16 pixels, reduced to its outline: alpha only. All pairs differ clearly.
    script = """m => import(location.origin + '/static/seating/seatmap/theme.js').then(({readTheme}) => {
      const theme = readTheme(document.documentElement);
      const tier = {color: '#c2410c', shape: 'circle'};
      const alphas = ['free', 'held', 'sold', 'blocked', 'filtered'].map(name => {
        const c = new OffscreenCanvas(16, 16).getContext('2d');
        m.paintSeat(c, {look: m.LOOK[name], tier, x: 8, y: 8, size: 14, theme});
        return Array.from(c.getImageData(0, 0, 16, 16).data).filter((_, k) => k % 4 === 3);
      });
      const apart = (a, b) => a.reduce((sum, v, k) => sum + Math.abs(v - b[k]), 0) / 255;
      const gaps = [];
      alphas.forEach((a, i) => alphas.forEach((b, j) => { if (j > i) gaps.push(Math.round(apart(a, b))); }));
      return gaps;
    })"""

    assert min(module("sprites", script)) >= 15


def test_error_is_told_to_the_page(world, open_map):
    world.body = json.dumps({"format": "onsale-plan/9", "sections": []}).encode()
    shown = open_map(world, ready=False)
    shown.page.locator(".sm-veil--error").wait_for()

    assert shown.stats() == {"ready": False}
