"""The sale as SQL sees it under its own clock, and as every page sees it: one rule."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.db import transaction

from events.models import Event, SaleWindow
from events.sale_state import sale_state
from inventory.purchase.turns import take_turn
from tests import factories
from tests.inventory.box_office import new_fan

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
PAST, NOW, SOON = (-2 * HOUR, -HOUR), (-HOUR, HOUR), (HOUR, 2 * HOUR)
SPANS = [(), (PAST,), (NOW,), (SOON,), (PAST, SOON)]


def test_take_turn_agrees_with_the_rule_of_the_pages():
    seen = set()
    plan = factories.make_plan()
    for public, presale in product(SPANS, SPANS):
        event = factories.make_event(plan=plan, windows=[])
        for spans, access in ((public, SaleWindow.Access.PUBLIC), (presale, SaleWindow.Access.PRESALE)):
            for opens_in, closes_in in spans:
                factories.make_window(event, opens_in=opens_in, closes_in=closes_in, access=access)
        for status, switch in product(Event.Status.values, Event.SaleSwitch.values):
            Event.objects.filter(id=event.id).update(status=status, sale_switch=switch)
            event.refresh_from_db()
            expected = sale_state(event, datetime.now(tz=UTC)).state
            with transaction.atomic(durable=True):
                found = take_turn(event_id=event.id, fan=new_fan(), actor="system:test").sale
            assert found == expected, (public, presale, status, switch)
            seen.add(found)
    assert seen == {"draft", "cancelled", "closed", "paused", "upcoming", "presale", "open"}


def test_take_turn_names_the_actor_and_leaves_nothing_behind():
    from django.db import connection

    event = factories.make_event()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        take_turn(event_id=event.id, fan=new_fan(), actor="fan:me", lazy=True)
        cursor.execute("SELECT current_setting('onsale.actor'), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("fan:me", "off")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('onsale.actor', true), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("", "on")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        take_turn(event_id=event.id, fan=new_fan(), actor="fan:me")
        cursor.execute("SELECT current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("on",)


def test_steps_refuse_to_run_outside_a_transaction():
    event = factories.make_event()
    with pytest.raises(RuntimeError, match="inside the transaction"):
        take_turn(event_id=event.id, fan=new_fan(), actor="fan:me")
