"""What Celery runs: every scheduled name exists, and each does its one thing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from config.celery import app
from inventory import messages, purchase, tasks
from inventory.fan import new_fan
from inventory.models import IdempotencyKey, Outbox, ProcessedMessage, SandboxCharge, WebhookReceipt
from tests.inventory.box_office import run_out, states
from tests.inventory.sales import SLOW, make_sale, place, use_card

pytestmark = pytest.mark.django_db


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert "inventory.payments.sandbox.webhooks.deliver" in app.tasks


def test_dispatch_messages_delivers_more_than_one_batch(monkeypatch):
    monkeypatch.setitem(messages.SUBSCRIBERS, "test.news", {"ears": f"{__name__}.ignore"})
    with transaction.atomic():
        for n in range(tasks.BATCH * 2 + 1):
            messages.publish("test.news", {"n": n})
    tasks.dispatch_messages()
    assert Outbox.objects.count() == 0


def ignore(_message: messages.Message) -> None:
    return None


def test_expire_holds_frees_the_seats_of_holds_that_ran_out():
    event = make_sale()
    held = purchase.hold_seats(event_id=event.pk, fan=new_fan(), indexes=[4, 5])
    run_out(held.hold_id)
    tasks.expire_holds()
    assert states(event, 4, 5) == [0, 0]


def test_slow_banks_are_heard_and_reconciled():
    placed = place(make_sale(), [4])
    use_card(placed.payment, SLOW)
    SandboxCharge.objects.update(ready_at=timezone.now() - timedelta(seconds=1))
    type(placed.payment).objects.update(created_at=timezone.now() - timedelta(minutes=1))
    tasks.hear_slow_banks()
    tasks.reconcile_payments()
    placed.order.refresh_from_db()
    assert placed.order.state == "paid"


def test_forget_old_records_keeps_what_may_still_be_asked_for():
    now = timezone.now()
    for n, age in enumerate((timedelta(hours=23), timedelta(hours=25))):
        key = IdempotencyKey.objects.create(scope="fan", key=str(n), request_hash="x")
        IdempotencyKey.objects.filter(pk=key.pk).update(created_at=now - age)
    for age in (timedelta(days=6), timedelta(days=8)):
        proof = ProcessedMessage.objects.create(subscriber="mail", message_id=uuid4())
        ProcessedMessage.objects.filter(pk=proof.pk).update(at=now - age)
    for n, (age, done) in enumerate(((29, now), (31, now), (31, None))):
        receipt = WebhookReceipt.objects.create(gateway="sandbox", provider_event_id=str(n), body={}, processed_at=done)
        WebhookReceipt.objects.filter(pk=receipt.pk).update(received_at=now - timedelta(days=age))
    tasks.forget_old_records()
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["0"]
    assert ProcessedMessage.objects.count() == 1
    assert sorted(WebhookReceipt.objects.values_list("provider_event_id", flat=True)) == ["0", "2"]
