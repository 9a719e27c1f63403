"""What waits in the outbox, as operators are told of it."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from uuid6 import uuid7

from inventory import backlog
from inventory.models import DeadLetter, Outbox

pytestmark = pytest.mark.django_db


def wait(seconds):
    due_at = Now() - timedelta(seconds=seconds)
    Outbox.objects.create(topic="order.paid", payload={}, subscriber="mail", due_at=due_at)


def test_backlog_of_nothing():
    assert backlog.backlog() == backlog.Backlog(0.0, 0)


def test_backlog_tells_the_oldest_due_message_and_the_dead(django_assert_num_queries):
    wait(7)
    wait(2)
    DeadLetter.objects.create(id=uuid7(), topic="order.paid", payload={}, subscriber="mail", reason="No such address.")

    with django_assert_num_queries(1):
        found = backlog.backlog()

    assert 7.0 <= found.waiting_seconds < 12.0
    assert found.dead_letters == 1


def test_a_message_for_later_does_not_wait():
    wait(-60)

    assert backlog.backlog().waiting_seconds == 0.0


def test_measure_sets_the_metrics():
    wait(7)

    backlog.measure()

    assert 7.0 <= backlog.WAITING._value.get() < 12.0
    assert backlog.DEAD._value.get() == 0
