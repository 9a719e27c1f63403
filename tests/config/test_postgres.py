"""The count of database reads: every SELECT of every connection, and nothing else."""

import threading

import pytest
from django.db import connection, transaction

from config import metrics
from config.postgres.base import is_read
from events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reads():
    tally = metrics.DATABASE_READS.labels("manage", "default")
    before = tally.value
    return lambda: tally.value - before


def test_every_select_is_counted(reads):
    list(Event.objects.all())
    Event.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert reads() == 3


def test_reads_of_other_threads_are_counted(reads):
    def read() -> None:
        Event.objects.exists()
        connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()

    assert reads() == 1


def test_writes_and_locks_are_not_counted(reads):
    Event.objects.update(name="x")
    with transaction.atomic():
        list(Event.objects.select_for_update())

    assert reads() == 0


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT 1", True),
        ("\n    select 1", True),
        ("SELECT id FROM seat FOR NO KEY UPDATE SKIP LOCKED", False),
        ("UPDATE seat SET state = (SELECT 1)", False),
        ("SAVEPOINT x", False),
        ("", False),
    ],
)
def test_is_read_knows_a_select_that_locks_nothing(sql, answer):
    assert is_read(sql) is answer
