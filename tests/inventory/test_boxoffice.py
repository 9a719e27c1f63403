"""The organiser's verbs, with their stock, messages and log."""

from datetime import timedelta

import pytest

from events import sales
from events.models import Event
from inventory import boxoffice, purchase, read_models
from inventory.models import AuditEntry, Outbox, Seat
from inventory.reports import Places, sales_board, sold_shares
from tests.factories import make_event, make_plan
from tests.inventory.box_office import buy, make_sale, new_fan, run_out

pytestmark = pytest.mark.django_db

BY = "staff:7"


def log(event, *actions):
    entries = AuditEntry.objects.filter(event_id=event.pk, action__in=actions).order_by("id")
    return [(entry.action, entry.actor) for entry in entries]


def test_publish_event_creates_its_stock_and_says_who():
    event = make_event(status="draft")
    assert boxoffice.publish_event(event_id=event.pk, actor=BY) == 60
    event.refresh_from_db()
    assert event.status == "published"
    assert Seat.objects.filter(event=event, state=0).count() == 60
    assert log(event, "stock.created", "event.published") == [("event.published", BY), ("stock.created", BY)]


def test_publish_event_refused_leaves_no_stock():
    event = make_event(status="draft", windows=[])
    with pytest.raises(sales.NotReady):
        boxoffice.publish_event(event_id=event.pk, actor=BY)
    event.refresh_from_db()
    assert event.status == "draft"
    assert not Seat.objects.filter(event=event).exists()
    assert not AuditEntry.objects.filter(event_id=event.pk).exists()


def test_publish_event_twice_sells_every_seat_once():
    event = make_event(status="draft")
    boxoffice.publish_event(event_id=event.pk, actor=BY)
    with pytest.raises(sales.NotDraft):
        boxoffice.publish_event(event_id=event.pk, actor=BY)
    assert Seat.objects.filter(event=event).count() == 60


def test_a_paused_sale_refuses_holds_and_a_resumed_one_takes_them():
    event = make_sale()
    boxoffice.pause_sale(event_id=event.pk, actor=BY)
    with pytest.raises(purchase.SaleClosed):
        purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[0])
    boxoffice.resume_sale(event_id=event.pk, actor=BY)
    assert len(purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[0]).seats) == 1
    assert log(event, "sale.paused", "sale.resumed") == [("sale.paused", BY), ("sale.resumed", BY)]


def test_every_verb_of_a_sale_raises_the_version_of_the_page():
    event = make_sale()
    versions = [Event.objects.get(pk=event.pk).version]
    for verb in (boxoffice.pause_sale, boxoffice.resume_sale, boxoffice.close_sale, boxoffice.reopen_sale):
        verb(event_id=event.pk, actor=BY)
        versions.append(Event.objects.get(pk=event.pk).version)
    assert versions == sorted(set(versions))


def test_open_sale_lets_fans_in_before_the_window():
    event = make_sale(windows=[{"opens_in": timedelta(days=1)}])
    with pytest.raises(purchase.SaleClosed):
        purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[0])
    boxoffice.open_sale(event_id=event.pk, actor=BY)
    assert len(purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[0]).seats) == 1


def test_cancel_event_closes_the_sale_and_asks_for_the_refunds_once():
    event = make_sale()
    buy(event, new_fan(), 0, 1)
    Outbox.objects.all().delete()
    boxoffice.cancel_event(event_id=event.pk, reason="Ill", actor=BY)
    event.refresh_from_db()
    assert (event.status, event.sale_switch) == ("cancelled", "closed")
    told = Outbox.objects.exclude(subscriber="listing")
    assert list(told.values_list("topic", "payload")) == [("event.cancelled", {"event": str(event.pk)})]
    with pytest.raises(purchase.SaleClosed):
        purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[5])
    with pytest.raises(sales.NotPublished):
        boxoffice.cancel_event(event_id=event.pk, reason="Ill", actor=BY)
    assert told.count() == 1


def test_continue_refunds_counts_what_is_left_and_refuses_a_live_event():
    event = make_sale()
    buy(event, new_fan(), 0)
    with pytest.raises(sales.NotPublished):
        boxoffice.continue_refunds(event_id=event.pk, actor=BY)
    boxoffice.cancel_event(event_id=event.pk, reason="Ill", actor=BY)
    assert boxoffice.continue_refunds(event_id=event.pk, actor=BY) == 1


def test_resend_tickets_writes_one_message_and_the_log():
    event = make_sale()
    order = buy(event, new_fan(), 0)
    Outbox.objects.all().delete()
    boxoffice.resend_tickets(order_id=order.pk, actor=BY)
    assert list(Outbox.objects.values_list("topic", "payload")) == [("order.resend", {"order": str(order.pk)})]
    entry = AuditEntry.objects.get(action="order.resent")
    assert (entry.actor, entry.subject, entry.organizer_id) == (BY, str(order.pk), event.organizer_id)


def test_resend_tickets_refuses_an_unpaid_and_an_unknown_order():
    event = make_sale()
    fan = new_fan()
    held = purchase.hold_seats(event_id=event.pk, fan=fan, indexes=[0])
    placed = purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada", email="ada@example.org")
    with pytest.raises(boxoffice.NothingToSend):
        boxoffice.resend_tickets(order_id=placed.order.pk, actor=BY)
    with pytest.raises(purchase.OrderUnknown):
        boxoffice.resend_tickets(order_id=event.pk, actor=BY)
    assert not Outbox.objects.filter(topic="order.resend").exists()


def test_sales_board_counts_every_place_once(django_assert_num_queries):
    event = make_sale(standing=5)  # Seats 0-39 at 90.00, 40-59 at 45.00, 60-64 standing at 30.00.
    buy(event, new_fan(), 0, 1)
    buy(event, new_fan(), 40)
    purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[2, 3, 60])
    run_out(purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[4]).hold_id)
    purchase.block_seats(event_id=event.pk, indexes=[41, 42], actor=BY)
    event = Event.objects.select_related("organizer", "plan").get(pk=event.pk)
    read_models.feed()
    sales_board(event)  # The plan is decoded once per process.
    with django_assert_num_queries(8):  # Seats, money, prices, orders; two pictures of two each.
        board = sales_board(event)
    assert board.places == Places(free=57, held=3, sold=3, blocked=2)
    assert [line.places for line in board.tiers] == [
        Places(free=36, held=2, sold=2),
        Places(free=17, sold=1, blocked=2),
        Places(free=4, held=1),
    ]
    assert [line.revenue for line in board.tiers] == [18000, 4500, 0]
    assert [line.places for line in board.sections] == [line.places for line in board.tiers]
    assert (board.revenue, board.fees, board.refunded, board.orders) == (22500, 0, 0, 2)
    assert (board.orders_last_hour, board.tickets_last_hour) == (2, 3)
    assert sold_shares([event]) == {event.pk: board.places}


def test_sales_board_takes_a_refund_back():
    event = make_sale()
    order = buy(event, new_fan(), 0, 1)
    line = order.lines.get(index=1)
    purchase.refund_order(order_id=order.pk, line_ids=[line.pk], reason="ill", actor=BY)
    read_models.feed()
    board = sales_board(Event.objects.get(pk=event.pk))
    assert board.places == Places(free=59, sold=1)
    assert (board.revenue, board.refunded) == (9000, 9000)


def test_sold_percent_is_whole_only_when_everything_is_sold():
    assert Places(free=1, sold=999).sold_percent == 99
    assert Places(sold=10, blocked=5).sold_percent == 100
    assert Places(blocked=5).sold_percent == 0
    assert Places().sold_percent == 0


def test_sold_shares_of_a_draft_is_nothing():
    event = make_event(status="draft", plan=make_plan())
    assert sold_shares([event]) == {}
