"""Holding seats: at once on the screen, corrected by the answer, never twice, the same in two tabs."""

import time

import pytest

from .peer import FREE, HELD, SOLD

pytestmark = pytest.mark.browser


def toast(shown):
    return shown.page.locator(".sm-toast").last


def held(world):
    return sorted(seat["index"] for hold in world.holds.values() for seat in hold["seats"])


def test_hold_shows_a_click_at_once_and_confirms_it(world, open_map):
    world.delay = 0.8
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")

    shown.click(25)

    assert shown.look(25) == "Yours, confirming"
    stats = shown.until(lambda s: s["hold"])
    assert shown.look(25) == "Yours"
    assert [seat["index"] for seat in stats["hold"]["seats"]] == [25]
    basket = shown.page.locator(".sm-basket")
    assert basket.locator(".sm-basket__where").all_inner_texts() == ["Row C · Seat 6"]
    assert basket.locator(".sm-basket__total").inner_text() == "€85"
    assert held(world) == [25]
    shown.said("Stalls, row C, seat 6 held for you. 1 seat in your basket, €85.")


def test_hold_adds_seats_click_by_click_and_gives_one_back(world, open_map):
    shown = open_map(world)
    shown.choose(20, 21, 25)
    assert held(world) == [20, 21, 25]
    assert shown.page.locator(".sm-basket__total").inner_text() == "€325"

    shown.page.get_by_role("button", name="Give back Stalls, row C, seat 2").click()

    shown.until(lambda s: s["hold"] and len(s["hold"]["seats"]) == 2)
    assert held(world) == [20, 25]
    assert shown.look(21) == "Available"
    shown.click(20)
    shown.until(lambda s: s["hold"] and len(s["hold"]["seats"]) == 1)
    shown.page.get_by_role("button", name="Give all back").click()
    shown.until(lambda s: s["hold"] is None and not s["busy"])
    assert held(world) == []


def test_hold_sends_a_key_and_a_token_with_every_post(world, open_map):
    shown = open_map(world)
    shown.choose(1, 2)

    assert [path.rsplit("/", 1)[1] for path, _, _ in world.posts] == ["holds", "holds"]
    keys = [key for _, _, key in world.posts]
    assert len(set(keys)) == 2
    assert all(len(key) == 36 for key in keys)
    assert [body for _, body, _ in world.posts] == [{"seats": [1]}, {"seats": [2]}]


def test_hold_repeats_a_lost_answer_with_the_same_key_and_holds_once(world, open_map):
    shown = open_map(world)
    world.dropped = 1

    shown.choose(30)

    assert len(world.posts) == 2
    assert world.posts[0][2] == world.posts[1][2]
    assert held(world) == [30]
    assert shown.look(30) == "Yours"


def test_hold_refused_offers_other_seats_by_one_tap(world, open_map):
    # Seat 24 went a moment ago, which this page knows and the box office's copy does not.
    world.alternatives = [[24], [26, 27]]
    shown = open_map(world)
    world.change({24: HELD})
    shown.until_look(24, "In someone's basket")
    world.change({25: SOLD}, silent=True)

    shown.click(25)

    offer = toast(shown).get_by_role("button", name="Stalls, row C, seats 7\u20138 · €170")
    offer.wait_for()
    assert "Stalls, row C, seat 6 was taken a moment ago." in toast(shown).inner_text()
    assert toast(shown).locator(".sm-toast__actions button").count() == 1
    assert shown.look(25) == "In someone's basket"
    assert shown.stats()["hold"] is None
    offer.click()
    shown.until(lambda s: s["hold"] and not s["busy"])
    assert held(world) == [26, 27]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        ((409, "limit_reached", {"limit": 8, "used": 8}), "You can hold at most 8 seats for this event."),
        ((409, "no_seats_together", {}), "No such seats together are left."),
        (
            (422, "too_many_seats", {"detail": "At most 8 seats can be asked for at once."}),
            "At most 8 seats can be asked for at once.",
        ),
        ((409, "sale_closed", {"state": "paused"}), "Seats cannot be chosen at the moment."),
    ],
)
def test_hold_refusals_are_said_readably_and_change_nothing(world, open_map, problem, text):
    shown = open_map(world)
    world.refusals = [problem]

    shown.click(33)

    toast(shown).wait_for()
    assert text in toast(shown).inner_text()
    shown.until(lambda s: not s["busy"])
    assert shown.look(33) == "Available"
    assert held(world) == []


def test_hold_renews_a_refused_token_and_goes_on(world, open_map):
    shown = open_map(world)
    shown.until(lambda s: s["sale"] == "open")
    world.refusals = [(403, "csrf_failed", {})]

    shown.choose(34)

    assert held(world) == [34]
    assert world.posts[0][2] == world.posts[1][2]


def test_hold_is_the_same_in_two_tabs(world, open_map):
    one = open_map(world)
    two = open_map(world)
    one.choose(40, 41)
    two.until(lambda s: s["hold"] and len(s["hold"]["seats"]) == 2)
    assert (two.look(40), two.look(41)) == ("Yours", "Yours")

    two.click(40)

    one.until(lambda s: s["hold"] and [seat["index"] for seat in s["hold"]["seats"]] == [41])
    one.until_look(40, "Available")
    assert held(world) == [41]


def test_hold_belongs_to_its_fan_alone(world, open_map, browser):
    mine = open_map(world)
    mine.choose(44)
    other = browser.new_context()
    theirs = open_map(world, page=other.new_page())

    assert theirs.look(44) == "In someone's basket"
    theirs.click(44)
    toast(theirs).wait_for()
    assert "is in someone's basket; it may come back" in toast(theirs).inner_text()
    assert held(world) == [44]
    other.close()


def test_hold_survives_a_reload(world, open_map):
    shown = open_map(world)
    shown.choose(45, 46)

    shown.page.reload()

    shown.until(lambda s: s["hold"] and len(s["hold"]["seats"]) == 2)
    assert (shown.look(45), shown.look(46)) == ("Yours", "Yours")


def test_hold_clock_counts_down_by_the_servers_time_and_is_prolonged_once(world, open_map, context):
    page = context.new_page()
    # This fan's own clock is an hour fast.
    page.add_init_script("const now = Date.now; Date.now = () => now() + 3600e3")
    shown = open_map(world, page=page)
    shown.choose(47)
    assert shown.page.locator(".sm-clock").inner_text() in ("10:00", "9:59", "9:58")

    shown.page.get_by_role("button", name="I need more time").click()

    shown.until(lambda s: s["hold"] and not s["hold"]["extendable"])
    shown.page.wait_for_timeout(600)
    assert shown.page.locator(".sm-clock").inner_text() in ("15:00", "14:59", "14:58", "14:57")
    assert shown.page.get_by_role("button", name="I need more time").is_hidden()


def test_hold_warns_before_it_ends_and_says_when_it_is_over(world, open_map):
    world.hold_ms = 31_500
    shown = open_map(world)
    shown.choose(48)
    shown.said("30 seconds left to check out.")
    assert shown.page.locator(".sm-clock").get_attribute("data-tone") == "late"

    for hold in world.holds.values():
        hold["expires_at"] = int(time.time() * 1000) + 900
    shown.run("map => map.fan.refresh()")

    shown.until(lambda s: s["hold"] is None, 5)
    shown.said("Your time ran out and the seats went back on sale.")
    shown.until_look(48, "Available")


def test_hold_of_an_expired_basket_says_so_and_forgets_it(world, open_map):
    shown = open_map(world)
    shown.choose(49)
    world.refusals = [(410, "hold_expired", {})]
    world.holds.clear()
    world.change({49: FREE})

    shown.page.get_by_role("button", name="Give back Stalls, row E, seat 10").click()

    toast(shown).wait_for()
    assert "Your hold has run out" in toast(shown).inner_text()
    shown.until(lambda s: s["hold"] is None)


def test_hold_leaves_alone_what_another_fan_took_meanwhile(world, open_map):
    shown = open_map(world)
    world.change({35: HELD})
    shown.until_look(35, "In someone's basket")

    shown.click(35)

    toast(shown).wait_for()
    assert world.posts == []
