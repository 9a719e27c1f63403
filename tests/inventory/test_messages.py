"""The outbox: once published, delivered at least once, effective once; poison is put aside."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as policy

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from inventory import messages, purchase
from inventory.mail import send_tickets
from inventory.messages import Message, dispatch_due, publish, replay
from inventory.models import DeadLetter, Outbox, ProcessedMessage
from tests.inventory.sales import buy, make_sale

HEARD: list[tuple[str, dict]] = []


def hear(message: Message) -> None:
    HEARD.append((message.topic, message.payload))


def choke(message: Message) -> None:
    HEARD.append(("choke", message.payload))
    raise ValueError("This message is poison.")


@pytest.fixture(autouse=True)
def _subscribers(monkeypatch):
    HEARD.clear()
    here = __name__
    monkeypatch.setitem(messages.SUBSCRIBERS, "test.news", {"ears": f"{here}.hear"})
    monkeypatch.setitem(messages.SUBSCRIBERS, "test.poison", {"throat": f"{here}.choke"})
    monkeypatch.setitem(messages.SUBSCRIBERS, "test.both", {"ears": f"{here}.hear", "throat": f"{here}.choke"})


def tell(topic: str, **payload) -> None:
    with transaction.atomic():
        publish(topic, payload)


@pytest.mark.django_db
def test_publish_writes_a_row_for_each_subscriber_and_dispatch_delivers_it_once():
    tell("test.both", n=1)
    assert sorted(Outbox.objects.values_list("subscriber", flat=True)) == ["ears", "throat"]
    assert dispatch_due() == 2
    assert ("test.both", {"n": 1}) in HEARD
    assert list(Outbox.objects.values_list("subscriber", flat=True)) == ["throat"]
    assert list(ProcessedMessage.objects.values_list("subscriber", flat=True)) == ["ears"]
    assert dispatch_due() == 0, "what failed waits for its time"


@pytest.mark.django_db(transaction=True)
def test_publish_wants_a_transaction_and_a_rolled_back_one_says_nothing():
    with pytest.raises(RuntimeError):
        publish("test.news", {})
    with transaction.atomic():
        publish("test.news", {})
        transaction.set_rollback(True)
    assert Outbox.objects.count() == 0


@pytest.mark.django_db
def test_poison_becomes_a_dead_letter_after_five_tries_and_others_flow(monkeypatch):
    monkeypatch.setattr(messages, "JITTER", 0.0)
    tell("test.poison", n=1)
    waits = []
    for n in range(5):
        tell("test.news", n=n)
        before = timezone.now()
        dispatch_due()
        row = Outbox.objects.filter(topic="test.poison").first()
        if row:
            waits.append(round((row.due_at - before).total_seconds()))
            Outbox.objects.filter(pk=row.pk).update(due_at=Now())
    assert waits == [1, 2, 4, 8]
    assert [topic for topic, _ in HEARD] == ["choke", "test.news"] * 5
    letter = DeadLetter.objects.get()
    assert (letter.topic, letter.subscriber, letter.payload) == ("test.poison", "throat", {"n": 1})
    assert letter.reason == "ValueError: This message is poison."
    assert Outbox.objects.count() == 0


@pytest.mark.django_db
def test_a_dead_letter_is_replayed_under_its_own_id_with_a_corrected_payload(monkeypatch):
    tell("test.poison", n=1)
    Outbox.objects.update(attempts=9)
    dispatch_due()
    letter = DeadLetter.objects.get()
    monkeypatch.setitem(messages.SUBSCRIBERS, "test.poison", {"throat": f"{__name__}.hear"})
    HEARD.clear()
    replay(dead_letter_id=letter.pk, payload={"n": 2})
    assert dispatch_due() == 1
    assert HEARD == [("test.poison", {"n": 2})]
    assert not DeadLetter.objects.exists()
    assert ProcessedMessage.objects.get().message_id == letter.pk


@pytest.mark.django_db
def test_a_message_delivered_again_after_a_crash_has_no_second_effect():
    tell("test.news", n=1)
    row = Outbox.objects.get()
    dispatch_due()
    row.save(force_insert=True)  # As if the worker had died between the effect and the deletion.
    Outbox.objects.update(due_at=Now() - timedelta(seconds=1))
    assert dispatch_due() == 1
    assert HEARD == [("test.news", {"n": 1})]
    assert Outbox.objects.count() == 0


@pytest.mark.django_db
def test_a_message_whose_worker_died_comes_back_after_its_lease():
    tell("test.news", n=1)
    assert len(messages._claim(10)) == 1
    assert dispatch_due() == 0
    lease = Outbox.objects.get().due_at - timezone.now()
    assert timedelta(seconds=80) < lease <= timedelta(seconds=messages.LEASE_SECONDS)
    Outbox.objects.update(due_at=Now() - timedelta(seconds=1))
    assert dispatch_due() == 1
    assert len(HEARD) == 1


@pytest.mark.django_db
def test_an_unknown_topic_is_refused_at_once_and_a_vanished_subscriber_is_a_dead_letter():
    with pytest.raises(KeyError):
        tell("test.nobody")
    tell("test.news", n=1)
    Outbox.objects.update(subscriber="gone", attempts=9)
    dispatch_due()
    assert DeadLetter.objects.get().reason == "KeyError: 'gone'"


@pytest.mark.django_db(transaction=True)
def test_four_workers_share_the_messages_and_deliver_each_once():
    for n in range(40):
        tell("test.news", n=n)
    start = threading.Barrier(4)

    def work(_: int) -> int:
        start.wait(10)
        try:
            return sum(iter(lambda: dispatch_due(limit=5), 0))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == 40
    assert sorted(payload["n"] for _, payload in HEARD) == list(range(40))


@pytest.mark.django_db
def test_a_paid_order_is_mailed_with_its_tickets_and_the_calendar():
    event = make_sale(name="Nocturne")
    order = buy(event, [12, 13])
    assert dispatch_due() == 1
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["ada@example.org"], "Your tickets for Nocturne")
    names = [attachment[0] for attachment in sent.attachments]
    assert names == [f"tickets-{order.reference}.pdf", "event.ics"]
    assert sent.attachments[0][1].startswith(b"%PDF-")
    parsed = message_from_bytes(sent.message().as_bytes(), policy=policy)
    assert parsed["Message-ID"].endswith("@onsale.example>")
    text = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    for body in (text, html):
        assert order.reference in body
        assert "Stalls, row B, seat 3" in body
        assert "€190.00" in body
        assert "/orders/" in body
    assert "Service fees: €10.00" in text


@pytest.mark.django_db
def test_a_refund_is_mailed_with_its_amount():
    order = buy(make_sale(name="Nocturne"), [12, 13])
    dispatch_due()
    purchase.refund_order(order_id=order.pk, reason="Ill", actor="staff:1")
    while dispatch_due():
        pass
    assert [m.subject for m in mail.outbox] == ["Your tickets for Nocturne", "Your refund for Nocturne"]
    assert "€190.00" in mail.outbox[1].body
    assert "Reason: Ill" in mail.outbox[1].body


@pytest.mark.django_db
def test_a_name_cannot_add_headers_or_markup_to_a_mail():
    event = make_sale(name="Nocturne\nBcc: eve@example.org")
    buy(event, [12])
    dispatch_due()
    (sent,) = mail.outbox
    assert sent.message()["Bcc"] is None
    assert sent.subject == "Your tickets for NocturneBcc: eve@example.org"


@pytest.mark.django_db
def test_mail_is_not_sent_inside_a_transaction():
    order = buy(make_sale(), [12])
    row = Outbox.objects.get(subscriber="mail")
    with pytest.raises(RuntimeError), transaction.atomic():
        send_tickets(Message(row.pk, row.topic, {"order": str(order.pk)}))
    assert mail.outbox == []
