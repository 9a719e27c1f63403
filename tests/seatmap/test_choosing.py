"""Ways to choose: best available, standing, filters, touch, the card, and no lone seat left behind."""

import pytest

from .peer import SOLD

pytestmark = pytest.mark.browser


def held(world):
    return sorted(seat["index"] for hold in world.holds.values() for seat in hold["seats"])


def test_picker_takes_three_together_up_to_a_price(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")
    picker = shown.page.locator(".sm-picker")
    picker.get_by_role("button", name="More seats").click()
    picker.get_by_label("Price").select_option(label="Up to €85")

    picker.get_by_role("button", name="Find the best seats").click()

    shown.until(lambda s: s["hold"] and not s["busy"])
    wish = {"quantity": 3, "max_amount": 8500, "tiers": None, "section": None, "accessible": False}
    assert world.posts[0][1] == {"best": wish}
    assert held(world) == [4, 5, 6]
    shown.said("3 seats held for you. 3 seats in your basket, €255.")
    for index in (4, 5, 6):
        x, y = shown.run("(map, i) => map.seatPoint(i)", index).values()
        box = shown.page.locator("canvas").bounding_box()
        assert box["x"] < x < box["x"] + box["width"]
        assert box["y"] < y < box["y"] + box["height"]


def test_picker_keeps_to_the_filtered_tiers(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")
    shown.page.get_by_role("button", name="Upper tier €45").click()

    shown.page.get_by_role("button", name="Find the best seats").click()

    shown.until(lambda s: s["hold"])
    assert world.posts[0][1]["best"]["tiers"] == [2]


def test_standing_places_are_taken_by_quantity(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")
    x, y = shown.run(
        """map => { const box = map.canvas.getBoundingClientRect(); const [x, y] = map.camera.toScreen(250, 132);
          return [box.left + x, box.top + y]; }"""
    )
    shown.page.mouse.click(x, y)
    dialog = shown.page.get_by_role("dialog", name="Pit")
    assert "€59.50 each · 20 places left" in dialog.inner_text()
    dialog.get_by_role("button", name="More places").click()

    dialog.get_by_role("button", name="Add to basket · €178.50").click()

    stats = shown.until(lambda s: s["hold"])
    assert world.posts[0][1] == {"standing": {"section": 2, "quantity": 3}}
    assert held(world) == [64, 65, 66]
    assert stats["hold"]["total"] == 17850
    dialog.wait_for(state="detached")
    assert shown.page.locator(".sm-basket__where").all_inner_texts() == ["Standing place"] * 3


def test_filters_leave_only_what_matches_and_count_it(world, open_map):
    shown = open_map(world)
    section = "(map, n) => map.seats.section(n)"
    assert shown.run(section, 0) == {"free": 60, "from": 8500, "share": 1}

    shown.page.get_by_role("button", name="Premium €120").click()
    assert shown.run(section, 0) == {"free": 24, "from": 12000, "share": 0.4}
    assert shown.run(section, 1) == {"free": 0, "from": None, "share": 0}

    shown.page.get_by_role("button", name="Premium €120").click()
    shown.page.get_by_label("Highest price").select_option(label="Up to €59.50")
    assert [shown.run(section, n)["free"] for n in (0, 1, 2)] == [0, 4, 20]

    shown.page.get_by_label("Highest price").select_option(label="Any price")
    shown.page.get_by_role("button", name="Accessible").click()
    assert [shown.run(section, n)["free"] for n in (0, 1, 2)] == [2, 0, 0]
    world.change({50: SOLD})
    shown.until_look(50, "Taken")
    assert shown.run(section, 0)["free"] == 1


def test_card_tells_section_row_seat_price_state_and_specialities(world, open_map):
    shown = open_map(world)
    card = shown.page.locator(".sm-card")

    shown.page.mouse.move(*shown.point(50))

    card.wait_for()
    lines = [" ".join(line.split()) for line in card.locator("p").all_inner_texts()]
    assert lines == ["Stalls", "Row F Seat 1", "Premium €120", "Available", "Wheelchair space", "Front view", "Door 1"]
    world.change({50: SOLD})
    card.get_by_text("Taken").wait_for()
    shown.page.mouse.move(*shown.point(9))
    card.get_by_text("Restricted view").wait_for()


def test_touch_first_zooms_to_seats_too_small_for_a_finger(peer, browser, stadium, open_map):
    from .peer import World

    world = peer.add("touch", World(stadium))
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    shown = open_map(world, page=context.new_page())
    shown.until(lambda s: s["sale"] == "open")
    assert shown.stats()["level"] == "sections"
    index = 9000
    point = shown.run("(map, i) => map.seatPoint(i)", index)

    shown.page.touchscreen.tap(point["x"], point["y"])

    stats = shown.until(lambda s: s["level"] == "seats")
    assert stats["seatSize"] >= 15
    assert world.posts == []
    target = shown.run("(map, i) => map.seatPoint(i)", index)
    shown.page.touchscreen.tap(target["x"], target["y"]) if abs(
        target["x"] - 195
    ) < 150 else shown.page.touchscreen.tap(*shown.point(index))
    shown.until(lambda s: s["hold"])
    assert held(world) == [index]
    context.close()


def test_lone_seat_is_pointed_out_and_mended_by_one_tap(world, open_map):
    shown = open_map(world)
    shown.choose(21, 22)
    nudge = shown.page.locator(".sm-nudge")
    assert "This leaves seat 1 in row C on its own" in nudge.inner_text()
    assert nudge.get_by_role("button").all_inner_texts() == [
        "Add seat 1",
        "Take 1\u20132 instead",
        "Take 4\u20135 instead",
    ]

    nudge.get_by_role("button", name="Take 1\u20132 instead").click()

    shown.until(lambda s: s["hold"] and not s["busy"] and s["chosen"] == [20, 21])
    assert held(world) == [20, 21]
    nudge.wait_for(state="hidden")


def test_lone_seat_that_cannot_be_avoided_is_not_mentioned(world, open_map):
    world.states[20:23] = bytes([SOLD]) * 3
    shown = open_map(world)

    shown.choose(23)

    assert shown.page.locator(".sm-nudge").is_hidden()


def test_map_zooms_by_wheel_keys_and_buttons_within_limits(world, open_map):
    shown = open_map(world)
    size = shown.stats()["seatSize"]
    shown.page.locator("canvas").focus()
    shown.page.keyboard.press("+")
    assert shown.stats()["seatSize"] == pytest.approx(size * 1.5)
    shown.page.keyboard.press("0")
    assert shown.stats()["seatSize"] == pytest.approx(size)
    shown.page.get_by_role("button", name="Zoom in").click()
    assert shown.stats()["seatSize"] > size
    box = shown.page.locator("canvas").bounding_box()
    shown.page.mouse.move(box["x"] + 200, box["y"] + 200)
    for _ in range(40):
        shown.page.mouse.wheel(0, 400)
    shown.page.wait_for_timeout(100)
    assert shown.stats()["seatSize"] == pytest.approx(size * 0.85, rel=0.01)
    for _ in range(60):
        shown.page.mouse.wheel(0, -400)
    shown.page.wait_for_timeout(100)
    assert shown.stats()["seatSize"] == pytest.approx(46)


def test_map_keeps_the_point_under_the_pointer_while_zooming(world, open_map):
    shown = open_map(world)
    before = shown.run("(map, i) => map.seatPoint(i)", 25)
    shown.page.mouse.move(before["x"], before["y"])

    shown.page.mouse.wheel(0, -200)

    shown.page.wait_for_timeout(100)
    after = shown.run("(map, i) => map.seatPoint(i)", 25)
    assert (after["x"], after["y"]) == pytest.approx((before["x"], before["y"]), abs=0.5)
