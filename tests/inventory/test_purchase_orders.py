"""Orders, payments and refunds: the money and the seats agree whatever the provider says, and however often."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import Event
from inventory import purchase
from inventory.models import AuditEntry, Hold, Order, OrderLine, Outbox, Payment, Refund, Seat, Ticket
from tests import factories
from tests.inventory.box_office import buy, everything, make_sale, new_fan, run_out, states

pytestmark = pytest.mark.django_db(transaction=True)

BUYER = {"name": "Ada Byron", "email": "ada@example.org"}


def place(event, fan, *indexes):
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=list(indexes))
    return purchase.place_order(hold_id=held.hold_id, fan=fan, **BUYER)


def refused(kind, verb, **arguments):
    before = everything()
    with pytest.raises(kind) as caught:
        verb(**arguments)
    assert everything() == before
    return caught.value


def messages():
    return sorted(Outbox.objects.exclude(subscriber="listing").values_list("topic", "subscriber"))


def test_place_order_writes_lines_and_fees():
    organizer = factories.make_organizer(fee_basis_points=500, fee_fixed=100)
    event, fan = make_sale(organizer=organizer), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[12, 45])
    placed = purchase.place_order(hold_id=held.hold_id, fan=fan, **BUYER)
    order, payment = placed.order, placed.payment
    assert (order.subtotal, order.fees, order.total, order.currency) == (13500, 875, 14375, "EUR")
    assert re.fullmatch("[2-9A-HJKMNP-TV-Z]{8}", order.reference)
    assert (order.state, order.fan, order.organizer_id, order.name) == ("pending", fan, organizer.id, "Ada Byron")
    lines = order.lines.values_list("index", "section", "row", "number", "tier_name", "amount", "fee", "active")
    assert list(lines) == [
        (12, "Stalls", "B", "3", "Stalls", 9000, 550, False),
        (45, "Balcony", "A", "6", "Balcony", 4500, 325, False),
    ]
    assert (payment.state, payment.amount, payment.currency, payment.gateway) == ("started", 14375, "EUR", "sandbox")
    hold = Hold.objects.get()
    assert hold.state == "paying"
    assert timedelta(seconds=890) < hold.expires_at - held.at <= timedelta(seconds=902)
    assert set(Seat.objects.filter(hold=hold.id).values_list("state", "held_until")) == {(2, hold.expires_at)}


def test_place_order_again_returns_the_same_order_and_payment():
    event, fan = make_sale(), new_fan()
    first = place(event, fan, 1, 2)
    again = purchase.place_order(hold_id=first.order.hold_id, fan=fan, name="Ada King", email="ada@example.org")
    assert (again.order.id, again.payment.id) == (first.order.id, first.payment.id)
    assert Order.objects.get().name == "Ada King"
    assert Payment.objects.count() == 1


def test_place_order_after_a_failed_payment_makes_a_new_attempt_for_what_is_held_now():
    event, fan = make_sale(), new_fan()
    first = place(event, fan, 1, 2)
    deadline = Hold.objects.get().expires_at
    purchase.fail_payment(payment_id=first.payment.id, reason="card declined")
    assert states(event, 1, 2) == [1, 1]
    purchase.hold_seats(event_id=event.id, fan=fan, indexes=[3])
    second = purchase.place_order(hold_id=first.order.hold_id, fan=fan, **BUYER)
    assert second.order.id == first.order.id
    assert second.payment.id != first.payment.id
    assert (second.payment.amount, second.order.total) == (27000, 27000)
    assert list(second.order.lines.values_list("index", flat=True)) == [1, 2, 3]
    assert Hold.objects.get().expires_at == deadline
    assert purchase.begin_capture(payment_id=first.payment.id).action == "void"
    assert Order.objects.get().state == "pending"
    assert purchase.begin_capture(payment_id=second.payment.id).action == "capture"


def test_place_order_refuses_what_is_over_not_his_or_cancelled():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1])
    want = {"hold_id": held.hold_id, "fan": fan, **BUYER}
    refused(purchase.HoldUnknown, purchase.place_order, **want | {"fan": new_fan()})
    Event.objects.update(status="cancelled")
    refused(purchase.SaleClosed, purchase.place_order, **want)
    Event.objects.update(status="published", sale_switch="paused")
    run_out(held.hold_id)
    refused(purchase.HoldExpired, purchase.place_order, **want)


def test_a_pause_lets_holders_finish():
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[1])
    Event.objects.update(sale_switch="paused")
    assert purchase.place_order(hold_id=held.hold_id, fan=fan, **BUYER).order.state == "pending"


def test_seats_being_paid_for_cannot_change():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1, 2)
    hold_id = placed.order.hold_id
    refused(purchase.PaymentRunning, purchase.hold_seats, event_id=event.id, fan=fan, indexes=[3])
    refused(purchase.PaymentRunning, purchase.extend_hold, hold_id=hold_id, fan=fan)
    refused(purchase.PaymentRunning, purchase.release_hold, hold_id=hold_id, fan=fan, indexes=[1])
    assert purchase.live_hold(event_id=event.id, fan=fan).is_paying
    assert purchase.release_hold(hold_id=hold_id, fan=fan) is None
    assert states(event, 1, 2) == [0, 0]
    assert (Order.objects.get().state, Payment.objects.get().state) == ("cancelled", "voided")


def test_release_after_a_failed_payment_ends_the_order():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1, 2)
    purchase.fail_payment(payment_id=placed.payment.id, reason="declined")
    assert purchase.release_hold(hold_id=placed.order.hold_id, fan=fan, indexes=[1]).indexes == [2]
    assert Order.objects.get().state == "pending"
    assert purchase.release_hold(hold_id=placed.order.hold_id, fan=fan) is None
    assert Order.objects.get().state == "cancelled"


@pytest.mark.parametrize("is_captured", [False, True])
def test_money_for_a_cancelled_event_goes_back(is_captured):
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1)
    Event.objects.update(status="cancelled")
    if is_captured:
        purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1")
        assert Refund.objects.get().amount == 9000
    else:
        assert purchase.begin_capture(payment_id=placed.payment.id).action == "void"
    assert Ticket.objects.count() == 0
    assert states(event, 1) == [2]


def test_release_refuses_while_the_money_is_on_its_way():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1)
    purchase.begin_capture(payment_id=placed.payment.id)
    refused(purchase.PaymentRunning, purchase.release_hold, hold_id=placed.order.hold_id, fan=fan)
    refused(purchase.PaymentRunning, purchase.cancel_order, order_id=placed.order.id, actor="staff:1")


def test_confirm_payment_sells():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1, 2)
    assert purchase.begin_capture(payment_id=placed.payment.id, provider_id="ch_1").action == "capture"
    order = purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1")
    assert (order.state, order.paid_at is not None) == ("paid", True)
    assert set(
        Seat.objects.filter(index__in=[1, 2]).values_list("state", "hold", "held_until", "order", "version")
    ) == {(3, None, None, order.id, 3)}
    assert set(OrderLine.objects.values_list("active", flat=True)) == {True}
    assert Ticket.objects.filter(state="valid", event=event).count() == 2
    assert Payment.objects.values_list("state", "provider_id").get() == ("captured", "ch_1")
    assert messages() == [("order.paid", "board"), ("order.paid", "mail")]
    assert purchase.live_hold(event_id=event.id, fan=fan) is None
    assert list(AuditEntry.objects.exclude(action="stock.created").order_by("id").values_list("action", flat=True)) == [
        "seat.held",
        "seat.paying",
        "order.placed",
        "payment.started",
        "payment.authorised",
        "payment.captured",
        "seat.sold",
        "order.paid",
        "ticket.issued",
    ]


def test_confirm_payment_twice_is_once():
    event, fan = make_sale(), new_fan()
    order = buy(event, fan, 1, 2)
    payment = Payment.objects.get()
    before = everything()
    again = purchase.confirm_payment(payment_id=payment.id, provider_id=payment.provider_id)
    assert (again.id, again.state) == (order.id, "paid")
    assert everything() == before
    assert purchase.begin_capture(payment_id=payment.id).action == "none"
    purchase.fail_payment(payment_id=payment.id, reason="too late")
    assert everything() == before


def test_bought_seats_count_towards_the_limit():
    event, fan = make_sale(max_per_fan=3), new_fan()
    buy(event, fan, 1, 2)
    refusal = refused(purchase.LimitReached, purchase.hold_seats, event_id=event.id, fan=fan, indexes=[3, 4])
    assert refusal.extra == {"limit": 3, "used": 2}


# The table of late and lost payments -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_swept", [False, True])
@pytest.mark.parametrize("is_captured", [False, True])
def test_late_payment_takes_free_seats_again(is_swept, is_captured):
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1, 2)
    run_out(placed.order.hold_id)
    if is_swept:
        assert purchase.expire_holds() == 1
        assert states(event, 1, 2) == [0, 0]
        assert Order.objects.get().state == "expired"
    if not is_captured:
        assert purchase.begin_capture(payment_id=placed.payment.id).action == "capture"
        assert states(event, 1, 2) == [2, 2]
        assert purchase.expire_holds() == 0
    order = purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1")
    assert order.state == "paid"
    assert states(event, 1, 2) == [3, 3]
    assert Ticket.objects.count() == 2
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("is_swept", [False, True])
def test_late_payment_takes_over_an_expired_hold_of_somebody_else(is_swept):
    event, fan, other = make_sale(), new_fan(), new_fan()
    placed = place(event, fan, 1, 2)
    run_out(placed.order.hold_id)
    if is_swept:
        purchase.expire_holds()
    theirs = purchase.hold_seats(event_id=event.id, fan=other, indexes=[2])
    run_out(theirs.hold_id)
    assert purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1").state == "paid"
    assert states(event, 1, 2) == [3, 3]
    purchase.expire_holds()
    assert states(event, 1, 2) == [3, 3]


def test_late_authorisation_for_taken_seats_is_voided_with_an_offer():
    event, fan, other = make_sale(), new_fan(), new_fan()
    placed = place(event, fan, 12, 13)
    run_out(placed.order.hold_id)
    purchase.hold_seats(event_id=event.id, fan=other, indexes=[13])
    capture = purchase.begin_capture(payment_id=placed.payment.id)
    assert capture.action == "void"
    assert len(capture.alternatives) == 3
    assert not {12, 13} & {index for group in capture.alternatives for index in group}
    assert (Order.objects.get().state, Payment.objects.get().state) == ("expired", "voided")
    assert purchase.begin_capture(payment_id=placed.payment.id).action == "void"
    assert states(event, 13) == [1]
    assert messages() == []


def test_late_capture_for_taken_seats_is_refunded_once():
    event, fan, other = make_sale(), new_fan(), new_fan()
    placed = place(event, fan, 12, 13)
    run_out(placed.order.hold_id)
    purchase.hold_seats(event_id=event.id, fan=other, indexes=[13])
    for _ in range(3):
        order = purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1")
        assert order.state == "refunded"
    refund = Refund.objects.get()
    assert (refund.amount, refund.currency, refund.state) == (18000, "EUR", "requested")
    assert messages() == [("refund.requested", "board"), ("refund.requested", "provider")]
    assert Ticket.objects.count() == 0
    assert states(event, 13) == [1]


def test_capture_after_cancelling_is_refunded():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1)
    purchase.cancel_order(order_id=placed.order.id, actor="staff:1")
    assert purchase.cancel_order(order_id=placed.order.id, actor="staff:1").state == "cancelled"
    assert purchase.begin_capture(payment_id=placed.payment.id).action == "void"
    assert purchase.confirm_payment(payment_id=placed.payment.id, provider_id="ch_1").state == "refunded"
    assert Refund.objects.get().amount == 9000
    assert states(event, 1) == [0]


def test_second_capture_of_one_order_is_refunded():
    event, fan = make_sale(), new_fan()
    first = place(event, fan, 1)
    purchase.fail_payment(payment_id=first.payment.id, reason="no answer")
    second = purchase.place_order(hold_id=first.order.hold_id, fan=fan, **BUYER)
    assert purchase.confirm_payment(payment_id=second.payment.id, provider_id="ch_2").state == "paid"
    assert purchase.confirm_payment(payment_id=first.payment.id, provider_id="ch_1").state == "paid"
    assert Refund.objects.get().payment_id == first.payment.id
    assert Ticket.objects.count() == 1


def test_late_payment_does_not_pass_the_limit():
    event, fan = make_sale(max_per_fan=2), new_fan()
    placed = place(event, fan, 1, 2)
    run_out(placed.order.hold_id)
    purchase.expire_holds()
    buy(event, fan, 5)
    assert purchase.confirm_payment(payment_id=placed.payment.id, provider_id="late").state == "refunded"
    assert states(event, 1, 2, 5) == [0, 0, 3]


def test_late_payment_gives_way_to_a_new_live_hold():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1, 2)
    run_out(placed.order.hold_id)
    purchase.expire_holds()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=[5])
    assert purchase.begin_capture(payment_id=placed.payment.id).action == "void"
    run_out(held.hold_id)
    assert purchase.confirm_payment(payment_id=placed.payment.id, provider_id="late").state == "paid"
    assert states(event, 1, 2, 5) == [3, 3, 0]


def test_expire_holds_ends_the_order_and_its_attempt():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1)
    run_out(placed.order.hold_id)
    assert purchase.expire_holds() == 1
    assert Order.objects.get().state == "expired"
    assert Payment.objects.values_list("state", "reason").get() == ("started", "The time for these seats ran out.")
    assert states(event, 1) == [0]


def test_payment_verbs_refuse_made_up_ids():
    refused(purchase.OrderUnknown, purchase.begin_capture, payment_id=uuid4())
    refused(purchase.OrderUnknown, purchase.confirm_payment, payment_id=uuid4(), provider_id="x")
    refused(purchase.OrderUnknown, purchase.fail_payment, payment_id=uuid4(), reason="x")
    refused(purchase.OrderUnknown, purchase.refund_order, order_id=uuid4(), reason="x", actor="staff:1")


# Refunds --------------------------------------------------------------------------------------------------------------


def test_refund_order_gives_everything_back_once():
    event, fan = make_sale(), new_fan()
    order = buy(event, fan, 1, 2)
    Outbox.objects.all().delete()
    refund = purchase.refund_order(order_id=order.id, reason="asked", actor="staff:7")
    assert (refund.amount, refund.state, refund.reason) == (18000, "requested", "asked")
    assert states(event, 1, 2) == [0, 0]
    order.refresh_from_db()
    assert order.state == "refunded"
    assert set(Ticket.objects.values_list("state", flat=True)) == {"void"}
    assert set(OrderLine.objects.values_list("active", flat=True)) == {False}
    assert messages() == [("refund.requested", "board"), ("refund.requested", "provider")]
    freed = AuditEntry.objects.get(action="seat.freed")
    assert (freed.actor, freed.detail) == ("staff:7", {"from": 3, "to": 0, "seats": [1, 2]})
    refused(purchase.AlreadyRefunded, purchase.refund_order, order_id=order.id, reason="again", actor="staff:7")
    buy(event, new_fan(), 1, 2)


def test_refund_order_gives_single_lines_back():
    event, fan = make_sale(max_per_fan=3), new_fan()
    order = buy(event, fan, 1, 2, 45)
    line = order.lines.get(index=45)
    refund = purchase.refund_order(order_id=order.id, line_ids=[line.id], reason="asked", actor="staff:7")
    assert refund.amount == 4500
    order.refresh_from_db()
    assert order.state == "paid"
    assert states(event, 1, 2, 45) == [3, 3, 0]
    again = {"order_id": order.id, "line_ids": [line.id], "reason": "again", "actor": "staff:7"}
    refused(purchase.AlreadyRefunded, purchase.refund_order, **again)
    assert purchase.hold_seats(event_id=event.id, fan=fan, indexes=[3]).indexes == [3]
    assert purchase.refund_order(order_id=order.id, reason="rest", actor="staff:7").amount == 18000
    order.refresh_from_db()
    assert order.state == "refunded"


def test_refund_order_refuses_what_is_not_paid():
    event, fan = make_sale(), new_fan()
    placed = place(event, fan, 1)
    refused(purchase.OrderNotPaid, purchase.refund_order, order_id=placed.order.id, reason="x", actor="staff:1")


def test_settle_refund_twice_is_once():
    event, fan = make_sale(), new_fan()
    refund = purchase.refund_order(order_id=buy(event, fan, 1).id, reason="asked", actor="staff:7")
    Outbox.objects.all().delete()
    for _ in range(2):
        settled = purchase.settle_refund(refund_id=refund.id, provider_id="re_1")
        assert (settled.state, settled.provider_id) == ("done", "re_1")
    assert messages() == [("order.refunded", "mail")]


@pytest.mark.parametrize("indexes", [[4], [4, 5, 6]])
def test_every_verb_locks_its_seats_once_and_in_order_before_it_moves_them(indexes):
    event, fan = make_sale(), new_fan()
    held = purchase.hold_seats(event_id=event.id, fan=fan, indexes=indexes)
    counts = {}

    def watched(name, verb, /, **arguments):
        with CaptureQueriesContext(connection) as queries:
            result = verb(**arguments)
        sql = [q["sql"] for q in queries.captured_queries]
        locks = [i for i, s in enumerate(sql) if re.search(r"ORDER BY s\.index\s+FOR UPDATE", s)]
        moves = [i for i, s in enumerate(sql) if "UPDATE inventory_seat s" in s]
        assert len(locks) == 1, name
        assert not moves or locks[0] < moves[0], name
        assert sql.index("COMMIT") > max(locks + moves)
        counts[name] = sql.index("COMMIT") - sql.index("BEGIN") + 1
        return result

    watched("extend", purchase.extend_hold, hold_id=held.hold_id, fan=fan)
    placed = watched("place", purchase.place_order, hold_id=held.hold_id, fan=fan, **BUYER)
    watched("fail", purchase.fail_payment, payment_id=placed.payment.id, reason="declined")
    placed = purchase.place_order(hold_id=held.hold_id, fan=fan, **BUYER)
    watched("capture", purchase.begin_capture, payment_id=placed.payment.id)
    order = watched("confirm", purchase.confirm_payment, payment_id=placed.payment.id, provider_id="ch_1")
    watched("refund", purchase.refund_order, order_id=order.id, reason="asked", actor="staff:1")
    assert counts == {"extend": 9, "place": 17, "fail": 11, "capture": 12, "confirm": 19, "refund": 14}
