"""The rule that says whether an event can be bought, at its boundaries."""

from datetime import UTC, datetime, timedelta

import pytest

from events.models import Event, SaleWindow
from events.sale_state import SaleState, sale_state

NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def event(status="published", switch="on"):
    return Event(name="Show", status=status, sale_switch=switch)


def window(opens, closes, access="public"):
    return SaleWindow(opens_at=opens, closes_at=closes, access=access)


@pytest.mark.parametrize("status", ["draft", "cancelled"])
def test_sale_state_of_an_unpublished_event_ignores_windows_and_switch(status):
    always = [window(NOON - HOUR, NOON + HOUR)]
    for switch in ("on", "paused", "closed"):
        assert sale_state(event(status, switch), NOON, always) == SaleState(status)


def test_sale_state_without_windows_is_closed():
    assert sale_state(event(), NOON, []) == SaleState("closed")


def test_sale_state_opens_on_the_instant_and_closes_on_the_instant():
    w = window(NOON, NOON + HOUR)
    show = event()
    assert sale_state(show, NOON - TICK, [w]) == SaleState("upcoming", NOON, NOON + HOUR, w, NOON, NOON)
    assert sale_state(show, NOON, [w]) == SaleState("open", NOON, NOON + HOUR, w, None, NOON + HOUR)
    assert sale_state(show, NOON + HOUR - TICK, [w]).state == "open"
    assert sale_state(show, NOON + HOUR, [w]) == SaleState("closed")


def test_sale_state_moves_from_presale_through_a_gap_to_open():
    early = window(NOON, NOON + HOUR, "presale")
    late = window(NOON + 2 * HOUR, NOON + 3 * HOUR)
    both = [late, early]
    show = event()
    assert sale_state(show, NOON - TICK, both) == SaleState("upcoming", NOON, NOON + HOUR, early, NOON + 2 * HOUR, NOON)
    assert sale_state(show, NOON, both) == SaleState("presale", NOON, NOON + HOUR, early, NOON + 2 * HOUR, NOON + HOUR)
    assert sale_state(show, NOON + HOUR, both) == SaleState(
        "upcoming", NOON + 2 * HOUR, NOON + 3 * HOUR, late, NOON + 2 * HOUR, NOON + 2 * HOUR
    )
    assert sale_state(show, NOON + 2 * HOUR, both).state == "open"
    assert sale_state(show, NOON + 3 * HOUR, both).state == "closed"


def test_sale_state_prefers_a_public_window_where_a_presale_overlaps():
    presale = window(NOON, NOON + 5 * HOUR, "presale")
    public = window(NOON + HOUR, NOON + 2 * HOUR)
    both = [presale, public]
    assert sale_state(event(), NOON + HOUR - TICK, both).changes_at == NOON + HOUR
    answer = sale_state(event(), NOON + HOUR, both)
    assert (answer.state, answer.window, answer.changes_at) == ("open", public, NOON + 2 * HOUR)
    assert sale_state(event(), NOON + 2 * HOUR, both).state == "presale"


def test_sale_state_takes_the_window_that_closes_last():
    short, long = window(NOON, NOON + HOUR), window(NOON, NOON + 2 * HOUR)
    assert sale_state(event(), NOON, [long, short]).window is long


def test_sale_state_of_a_closed_switch_is_closed_inside_a_window():
    assert sale_state(event(switch="closed"), NOON, [window(NOON - HOUR, NOON + HOUR)]) == SaleState("closed")


def test_sale_state_of_a_paused_switch_is_paused_until_the_last_window_passes():
    w = window(NOON, NOON + HOUR)
    show = event(switch="paused")
    assert sale_state(show, NOON - TICK, [w]).state == "paused"
    assert sale_state(show, NOON, [w]) == SaleState("paused", NOON, NOON + HOUR, w, None, NOON + HOUR)
    assert sale_state(show, NOON + HOUR, [w]) == SaleState("closed")


@pytest.mark.parametrize(
    ("state", "buyable"),
    [("open", True), ("presale", True), ("upcoming", False), ("paused", False), ("closed", False), ("draft", False)],
)
def test_is_buyable_only_while_open_or_in_presale(state, buyable):
    assert SaleState(state).is_buyable is buyable
