"""From a started payment to money taken, let go or given back, whatever the provider does in between."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from inventory import purchase
from inventory.fan import new_fan
from inventory.messages import dispatch_due
from inventory.models import (
    AuditEntry,
    Order,
    Outbox,
    Payment,
    Refund,
    SandboxCharge,
    SandboxRefund,
    Seat,
    Ticket,
    WebhookReceipt,
)
from inventory.payments import process
from inventory.payments.gateway import GatewayUnreachable
from inventory.payments.sandbox import book
from inventory.payments.sandbox.signatures import HEADER, signature
from inventory.payments.sandbox.webhooks import deliver, webhook_body
from tests.inventory.box_office import run_out, states
from tests.inventory.sales import POOR, SILENT, SUCCESS, TIME_OUT, buy, make_sale, place, use_card

pytestmark = pytest.mark.django_db


def told():
    return list(Outbox.objects.exclude(subscriber="listing").values_list("topic", "subscriber"))


def signed(settings, payment: Payment, kind: str, *, event_id: str = "", at: int | None = None, secret=None):
    """Return a webhook's body and headers as the provider sends them."""
    at = at if at is not None else int(timezone.now().timestamp())
    charge = SandboxCharge.objects.get(id=payment.provider_id)
    body = webhook_body(charge, kind, event_id=event_id or f"evt_{uuid4().hex}", at=at).encode()
    return body, {HEADER: signature(secret or settings.WEBHOOK_SECRET, body, at)}


def send(client, body: bytes, headers: dict):
    return client.post("/webhooks/sandbox/", body, content_type="application/json", headers=headers)


def test_settle_captures_authorised_money_and_sells_the_seats():
    event = make_sale()
    placed = place(event, [4, 5])
    assert (placed.order.subtotal, placed.order.fees, placed.order.total) == (18000, 1000, 19000)
    use_card(placed.payment, SUCCESS)
    payment = process.settle(placed.payment.pk)
    assert (payment.state, payment.amount) == ("captured", 19000)
    assert Order.objects.get().state == "paid"
    assert states(event, 4, 5) == [3, 3]
    assert Ticket.objects.count() == 2
    assert SandboxCharge.objects.get().state == "captured"
    assert sorted(told()) == [("order.paid", "board"), ("order.paid", "mail")]


def test_settle_twenty_times_is_settle_once():
    placed = place(make_sale(), [0, 1])
    use_card(placed.payment, SUCCESS)
    for _ in range(20):
        process.settle(placed.payment.pk)
    assert (Ticket.objects.count(), len(told()), SandboxRefund.objects.count()) == (2, 2, 0)
    assert Payment.objects.get().state == "captured"


def test_settle_leaves_an_open_charge_alone():
    event = make_sale()
    placed = place(event, [0])
    assert process.settle(placed.payment.pk).state == "started"
    assert states(event, 0) == [2]


def test_a_declined_card_leaves_the_hold_to_its_end_and_another_card_pays_the_same_order():
    event = make_sale()
    fan = new_fan()
    placed = place(event, [7], fan=fan)
    use_card(placed.payment, POOR)
    failed = process.settle(placed.payment.pk)
    assert (failed.state, failed.reason) == ("failed", "Insufficient funds")
    assert states(event, 7) == [1]
    held = purchase.live_hold(event_id=event.pk, fan=fan)
    assert held is not None
    assert (held.indexes, held.is_paying) == ([7], False)

    again = purchase.place_order(hold_id=held.hold_id, fan=fan, name="Ada Lovelace", email="ada@example.org")
    assert again.order.pk == placed.order.pk
    assert again.payment.pk != placed.payment.pk
    process.open_payment(payment_id=again.payment.pk)
    again.payment.refresh_from_db()
    use_card(again.payment, SUCCESS)
    process.settle(again.payment.pk)
    assert Order.objects.get().state == "paid"
    assert sorted(SandboxCharge.objects.values_list("state", flat=True)) == ["captured", "declined"]


def test_the_time_out_card_is_captured_once_and_paid_by_reconciliation():
    event = make_sale()
    placed = place(event, [10, 11])
    use_card(placed.payment, TIME_OUT)
    with pytest.raises(GatewayUnreachable):
        process.settle(placed.payment.pk)
    assert Payment.objects.get().state == "authorised"
    assert SandboxCharge.objects.get().state == "captured"
    assert states(event, 10, 11) == [2, 2]

    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert process.reconcile() == 1
    assert process.reconcile() == 0
    assert Order.objects.get().state == "paid"
    assert states(event, 10, 11) == [3, 3]
    assert SandboxCharge.objects.filter(state="captured").count() == 1
    assert (Ticket.objects.count(), SandboxRefund.objects.count()) == (2, 0)


def test_the_buyers_return_survives_a_provider_that_does_not_answer():
    placed = place(make_sale(), [10])
    use_card(placed.payment, TIME_OUT)
    process.settle_order(placed.order.pk)
    assert Order.objects.get().state == "pending"
    process.settle_order(placed.order.pk)
    assert Order.objects.get().state == "paid"


def test_reconciliation_alone_repairs_the_loss_of_every_webhook():
    event = make_sale()
    payments = [place(event, [index]).payment for index in (0, 20, 30)]
    for payment in payments:
        use_card(payment, SILENT)
    assert process.reconcile() == 0, "too young: their buyers are still on the payment page"
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert process.reconcile() == 3
    assert states(event, 0, 20, 30) == [3, 3, 3]


def test_one_payment_that_cannot_be_reconciled_does_not_stop_the_others():
    event = make_sale()
    broken, good = place(event, [0]).payment, place(event, [20]).payment
    for payment in (broken, good):
        use_card(payment, SUCCESS)
    SandboxCharge.objects.filter(id=broken.provider_id).update(amount=1)
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert process.reconcile() == 1
    assert states(event, 0, 20) == [2, 3]
    assert SandboxCharge.objects.get(id=broken.provider_id).state == "authorised", "not what was asked for: not taken"


def test_a_late_payment_takes_the_same_seats_again_when_they_are_free():
    event = make_sale()
    placed = place(event, [4, 5])
    use_card(placed.payment, SUCCESS)
    run_out(placed.order.hold_id)
    purchase.expire_holds()
    assert states(event, 4, 5) == [0, 0]
    process.settle(placed.payment.pk)
    assert Order.objects.get().state == "paid"
    assert states(event, 4, 5) == [3, 3]


def test_a_late_payment_for_seats_that_are_gone_is_voided():
    event = make_sale()
    placed = place(event, [4, 5])
    use_card(placed.payment, SUCCESS)
    run_out(placed.order.hold_id)
    purchase.expire_holds()
    other = buy(event, [5], email="quick@example.org")
    payment = process.settle(placed.payment.pk)
    assert payment.state == "voided"
    assert SandboxCharge.objects.get(id=payment.provider_id).state == "voided"
    assert Order.objects.get(pk=placed.order.pk).state == "expired"
    assert Seat.objects.get(event=event, index=5).order == other.pk
    assert Ticket.objects.count() == 1

    process.settle(placed.payment.pk)
    assert Outbox.objects.filter(topic="order.lost").count() == 1
    while dispatch_due():
        pass
    (told,) = [sent for sent in mail.outbox if sent.to == ["ada@example.org"]]
    assert told.subject == f"Your seats for {event.name} were gone"
    assert "Nothing was charged" in told.body
    assert "- Stalls, row A, seats " in told.body


def test_money_captured_for_seats_that_are_gone_is_given_back_once():
    event = make_sale()
    placed = place(event, [4, 5])
    use_card(placed.payment, SUCCESS)
    book.capture(charge_id=placed.payment.provider_id)
    run_out(placed.order.hold_id)
    purchase.expire_holds()
    buy(event, [5])
    for _ in range(3):
        process.settle(placed.payment.pk)
    while dispatch_due():
        pass
    refund = Refund.objects.get()
    assert (refund.state, refund.amount) == ("done", 19000)
    assert list(SandboxRefund.objects.values_list("amount", flat=True)) == [19000]


def test_a_payment_whose_order_was_cancelled_is_closed_at_the_provider():
    placed = place(make_sale(), [4])
    purchase.cancel_order(order_id=placed.order.pk, actor="fan:x")
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    process.reconcile()
    assert SandboxCharge.objects.get().state == "voided"


def test_an_abandoned_payment_is_closed_after_half_an_hour():
    event = make_sale()
    placed = place(event, [4])
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=29))
    assert process.reconcile() == 0
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=31))
    assert process.reconcile() == 1
    assert SandboxCharge.objects.get().state == "voided"
    assert Payment.objects.get(pk=placed.payment.pk).state == "failed"


def test_webhooks_twenty_times_and_shuffled_have_one_effect(client, settings):
    event = make_sale()
    placed = place(event, [4, 5])
    use_card(placed.payment, SUCCESS)
    kinds = ("charge.refunded", "charge.captured", "charge.authorised")
    letters = [signed(settings, placed.payment, kind, event_id=f"evt_{kind}") for kind in kinds] * 20
    random.Random(7).shuffle(letters)
    for body, headers in letters:
        assert send(client, body, headers).status_code == 200
    assert WebhookReceipt.objects.count() == 3
    assert process.process_webhooks() == 3
    assert process.process_webhooks() == 0
    assert Order.objects.get().state == "paid"
    assert (Ticket.objects.count(), SandboxRefund.objects.count()) == (2, 0)
    assert told().count(("order.paid", "mail")) == 1
    body, headers = letters[0]
    send(client, body, headers)
    assert process.process_webhooks() == 0, "a repetition after the fact is the same receipt"


def test_a_webhook_that_claims_a_capture_is_not_believed(client, settings):
    event = make_sale()
    placed = place(event, [4])
    send(client, *signed(settings, placed.payment, "charge.captured"))
    assert process.process_webhooks() == 1
    assert Order.objects.get().state == "pending"
    assert states(event, 4) == [2]


@pytest.mark.parametrize("fault", ["forged", "old", "foreign", "unsigned"])
def test_a_webhook_that_is_not_the_providers_is_refused_and_not_stored(client, settings, fault):
    placed = place(make_sale(), [4])
    use_card(placed.payment, SUCCESS)
    now = int(timezone.now().timestamp())
    match fault:
        case "forged":
            body, headers = signed(settings, placed.payment, "charge.captured")
            body = body.replace(b"charge.captured", b"charge.declined")
        case "old":
            body, headers = signed(settings, placed.payment, "charge.captured", at=now - 301)
        case "foreign":
            body, headers = signed(settings, placed.payment, "charge.captured", secret=b"another shop's secret")
        case _:
            body, headers = signed(settings, placed.payment, "charge.captured")[0], {}
    assert send(client, body, headers).status_code == 400
    assert WebhookReceipt.objects.count() == 0
    assert Order.objects.get().state == "pending"


def test_a_webhook_of_nobody_here_is_put_aside(client, settings):
    placed = place(make_sale(), [4])
    SandboxCharge.objects.update(reference=str(uuid4()))
    assert send(client, *signed(settings, placed.payment, "charge.captured")).status_code == 200
    assert process.process_webhooks() == 1


def test_unknown_gateway_and_oversized_webhooks_are_refused(client):
    assert client.post("/webhooks/nobody/", b"{}", content_type="application/json").status_code == 404
    assert client.post("/webhooks/sandbox/", b"x" * 64_001, content_type="application/json").status_code == 413
    assert client.get("/webhooks/sandbox/").status_code == 405


def test_a_refund_is_sent_once_however_often_its_message_comes():
    order = buy(make_sale(), [4, 5])
    refund = purchase.refund_order(order_id=order.pk, reason="Ill", actor="staff:1")
    while dispatch_due():
        pass
    refund.refresh_from_db()
    assert (refund.state, refund.amount) == ("done", 19000)
    assert SandboxCharge.objects.get().refunded == 19000
    process.send_refund(type("Again", (), {"payload": {"refund": str(refund.pk)}})())
    assert SandboxRefund.objects.count() == 1


def test_a_cancelled_event_gives_every_buyer_the_money_back_once():
    event = make_sale()
    orders = [buy(event, [index]) for index in (0, 20, 30)]
    message = type("Message", (), {"payload": {"event": str(event.pk)}})()
    process.refund_event(message)
    process.refund_event(message)
    while dispatch_due():
        pass
    assert {order.state for order in Order.objects.filter(pk__in=[o.pk for o in orders])} == {"refunded"}
    assert list(SandboxRefund.objects.values_list("amount", flat=True)) == [9500, 9500, 9500]


@pytest.mark.django_db(transaction=True)
def test_return_webhooks_and_reconciliation_at_the_same_moment_take_the_money_once():
    event = make_sale()
    placed = place(event, [4, 5])
    use_card(placed.payment, SUCCESS)
    Payment.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    start = threading.Barrier(9)

    def act(n: int) -> None:
        start.wait(10)
        try:
            (process.settle, process.settle, lambda _: process.reconcile())[n % 3](placed.payment.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as threads:
        list(threads.map(act, range(9)))
    assert Order.objects.get().state == "paid"
    assert states(event, 4, 5) == [3, 3]
    assert (Ticket.objects.count(), Refund.objects.count()) == (2, 0)
    assert told().count(("order.paid", "mail")) == 1
    assert SandboxCharge.objects.get().state == "captured"
    assert AuditEntry.objects.filter(action="payment.captured").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_webhook_travels_by_http_signed_and_is_acted_on(live_server, settings):
    placed = place(make_sale(), [4])
    use_card(placed.payment, SILENT)
    settings.SITE_URL = live_server.url
    body, _ = signed(settings, placed.payment, "charge.authorised", event_id="evt_http")
    deliver.apply(args=[body.decode()], throw=True)
    assert WebhookReceipt.objects.get().provider_event_id == "evt_http"
    process.process_webhooks()
    assert Order.objects.get().state == "paid"
