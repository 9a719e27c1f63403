"""The sales board: every paid order and every refund is in it once, whoever dies, repeats or rebuilds meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from events.models import Event
from inventory import messages, purchase, read_models, sales_board
from inventory.models import DeadLetter, Order, Outbox, Refund, SalesMinute
from inventory.pace import pace
from inventory.sales_board import Sold, by_tier
from tests.factories import make_organizer
from tests.inventory.box_office import buy, make_sale, new_fan

pytestmark = pytest.mark.django_db
# A snapshot of the whole database, or a second thread, sees only what is committed.
committed = pytest.mark.django_db(transaction=True)


def rows(event):
    names = ("tier", "sold", "taken", "fees", "refunded", "returned", "fees_returned")
    return list(SalesMinute.objects.filter(event=event).order_by("tier", "minute").values_list(*names))


def pay_at(order, moment):
    Order.objects.filter(pk=order.pk).update(paid_at=moment)


def sale(**fields):
    return make_sale(organizer=make_organizer(fee_fixed=100), **fields)


def test_orders_and_refunds_are_counted_by_price_and_minute():
    event = sale()
    noon = datetime(2030, 5, 1, 12, 0, 59, tzinfo=UTC)
    first, second, later = buy(event, new_fan(), 0, 1, 40), buy(event, new_fan(), 2), buy(event, new_fan(), 3)
    pay_at(first, noon)
    pay_at(second, noon.replace(second=0))
    pay_at(later, noon + timedelta(seconds=1))
    refund = purchase.refund_order(
        order_id=first.pk, line_ids=[first.lines.get(index=1).pk], reason="Ill", actor="staff:1"
    )
    Refund.objects.filter(pk=refund.pk).update(created_at=noon + timedelta(seconds=30))
    assert read_models.feed() == 9, (
        "five for the listing (its stock is new, sold thrice, given back), four for the board"
    )
    minute = noon.replace(second=0)
    found = SalesMinute.objects.order_by("tier", "minute").values_list(
        "tier", "minute", "sold", "taken", "fees", "refunded", "returned", "fees_returned"
    )
    assert list(found) == [
        (0, minute, 3, 27000, 300, 0, 0, 0),
        (0, minute + timedelta(minutes=1), 1, 9000, 100, 1, 9000, 100),
        (1, minute, 1, 4500, 100, 0, 0, 0),
    ]
    assert by_tier(event.pk) == {
        0: Sold(tickets=3, revenue=27000, fees=300, returned=9100),
        1: Sold(tickets=1, revenue=4500, fees=100, returned=0),
    }


@committed
def test_money_that_came_for_nothing_is_no_sale():
    event = sale()
    fan = new_fan()
    held = purchase.hold_seats(event_id=event.pk, fan=fan, indexes=[0])
    placed = purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")
    Event.objects.filter(pk=event.pk).update(status="cancelled")
    purchase.confirm_payment(payment_id=placed.payment.pk, provider_id="late")
    assert Outbox.objects.filter(topic="refund.requested", subscriber="board").count() == 1
    read_models.feed()
    assert rows(event) == []
    assert read_models.measure_drift()["sales_board"] == 0


def test_a_worker_that_dies_before_its_commit_has_counted_nothing(monkeypatch):
    event = sale()
    buy(event, new_fan(), 0)

    class Killed(BaseException):
        pass

    def die(rows):
        apply(rows)
        raise Killed

    apply = messages._apply
    monkeypatch.setattr(messages, "_apply", die)
    with pytest.raises(Killed):
        messages.drain("board")
    monkeypatch.undo()
    assert (rows(event), Outbox.objects.filter(subscriber="board").count()) == ([], 1)
    assert (messages.drain("board"), messages.drain("board")) == (1, 0)
    assert rows(event) == [(0, 1, 9000, 100, 0, 0, 0)]


@committed
def test_a_rebuild_counts_what_waits_and_what_was_refused_once():
    event = sale()
    buy(event, new_fan(), 0)
    buy(event, new_fan(), 1)
    letter = Outbox.objects.filter(subscriber="board").earliest("created_at")
    DeadLetter.objects.create(
        id=letter.pk, topic=letter.topic, payload=letter.payload, subscriber="board", reason="It was out of luck."
    )
    letter.delete()
    assert read_models.measure_drift()["sales_board"] == 1, "a dead letter waits for a person"
    assert sales_board.rebuild(event.pk) == 1
    assert read_models.feed() > 0
    assert sum(sold for _, sold, *_ in rows(event)) == 2
    assert not DeadLetter.objects.exists()
    assert not Outbox.objects.filter(subscriber="board").exists()


def _sell_while(event, work):
    """Sell thirty orders of one seat on two threads while two others do `work`; return when all is sold and done."""
    sold_out = threading.Event()

    def sell(first):
        try:
            for index in range(first, 60, 2):
                buy(event, new_fan(), index)
        finally:
            connection.close()

    def disturb():
        try:
            while not sold_out.is_set():
                work()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        disturbed = [threads.submit(disturb) for _ in range(2)]
        selling = [threads.submit(sell, first) for first in (30, 31)]
        try:
            for seller in selling:
                seller.result(60)
        finally:
            sold_out.set()
        for other in disturbed:
            other.result(60)


@committed
def test_rebuilds_and_feeds_in_mid_sale_lose_and_double_nothing():
    event = sale()

    def work():
        messages.drain("board", limit=3)
        sales_board.rebuild(event.pk)

    _sell_while(event, work)
    read_models.feed()
    assert sum(sold for _, sold, *_ in rows(event)) == 30
    assert read_models.measure_drift() == {"programme": 0, "sales_board": 0}


@committed
def test_a_rebuild_that_leaves_the_messages_doubles(monkeypatch):
    """The control: the statement that counts must be the one that drops what it counted."""
    event = sale()
    monkeypatch.setattr(
        sales_board, "_RECOUNT", sales_board._RECOUNT.replace("subscriber = 'board'", "subscriber = 'nobody'")
    )
    buy(event, new_fan(), 0)
    sales_board.rebuild(event.pk)
    read_models.feed()
    assert rows(event) == [(0, 2, 18000, 200, 0, 0, 0)]
    assert read_models.measure_drift()["sales_board"] == 1


@pytest.mark.parametrize("count", [1, 3])
def test_adding_costs_one_statement_however_many_orders(django_assert_num_queries, count):
    event = sale()
    for index in range(count):
        buy(event, new_fan(), index)
    batch = [messages.Message(row.pk, row.topic, row.payload) for row in Outbox.objects.filter(subscriber="board")]
    with django_assert_num_queries(1):
        sales_board.add(batch)
    assert rows(event)[0][1] == count


def test_the_picture_stacks_prices_and_its_bars_cover_the_sale():
    event = sale()
    noon = datetime(2030, 5, 1, 12, tzinfo=UTC)
    prices = list(event.tiers.order_by("number"))
    assert pace(event, prices) is None
    pay_at(buy(event, new_fan(), 0, 1, 40), noon)
    pay_at(buy(event, new_fan(), 2), noon + timedelta(minutes=3))
    read_models.feed()
    drawn = pace(event, prices)
    assert (drawn.step_words, drawn.peak, drawn.tickets) == ("minute", 3, 4)
    assert [(bar.starts_at, bar.sold, bar.revenue, bar.x) for bar in drawn.bars] == [
        (noon, 3, 22500, 0),
        (noon + timedelta(minutes=3), 1, 9000, 540),
    ]
    assert [(part.tier, part.sold, part.y, part.height) for part in drawn.bars[0].parts] == [
        ("Stalls", 2, 53.33, 106.67),
        ("Balcony", 1, 0, 53.33),
    ]
    pay_at(buy(event, new_fan(), 3), noon + timedelta(days=3))
    read_models.feed()
    assert pace(event, prices).step_words == "3 hours"
    assert pace(event, prices, since=noon + timedelta(days=1)).tickets == 1
