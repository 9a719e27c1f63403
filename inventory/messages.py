"""The outbox: what must leave because of a change is written in the transaction of the change, and sent afterwards.

Every subscriber has a row of its own, so that a mail server that is down delays no refund. A message is delivered at
least once and takes effect once: `ProcessedMessage` is written in the transaction of the effect, and a subscriber that
must reach outside (mail, a payment provider) does so before that transaction, under a key that makes a repetition
harmless. A message that fails every try becomes a DeadLetter with its reason, and the others go on.

A subscriber whose effect stays in Postgres (`BATCHED`) is handed everything that waits at once, in the transaction that
deletes the messages: it takes effect once without a proof, and a burst costs it one effect.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from inventory.models import DeadLetter, Outbox, ProcessedMessage

log = logging.getLogger(__name__)

# Who hears of what: topic -> subscriber -> the function called with the payload. Named by path, so that the verbs
# which publish need not import what hears them. Payloads carry ids only; a subscriber reads the present state.
SUBSCRIBERS: dict[str, dict[str, str]] = {
    "order.paid": {"mail": "inventory.mail.send_tickets", "board": "inventory.sales_board.add"},
    "order.resend": {"mail": "inventory.mail.send_tickets"},
    "order.lost": {"mail": "inventory.mail.send_loss_notice"},
    "order.refunded": {"mail": "inventory.mail.send_refund_notice"},
    "refund.requested": {
        "provider": "inventory.payments.process.send_refund",
        "board": "inventory.sales_board.add",
    },
    "event.cancelled": {"refunds": "inventory.payments.process.refund_event"},
    "sale.changed": {},
    # Written by triggers, whoever changed the event or its stock.
    "event.changed": {"listing": "inventory.read_models.refresh_listing"},
    "stock.changed": {"listing": "inventory.read_models.refresh_listing"},
}
# Their functions take a list of messages; the number is the advisory lock that lets one batch at a time be applied.
BATCHED = {"listing": 1, "board": 2}
_BATCH_LOCK = 0x6F6E_7361  # "onsa"

RETRY_SECONDS = (1, 2, 4, 8)
JITTER = 0.25  # Spread, so that what failed together does not come back together.
# How long a worker may keep a message before another takes it over: longer than any task may run
# (CELERY_TASK_TIME_LIMIT), so that it means the worker died.
LEASE_SECONDS = 90


@dataclass(frozen=True)
class Message:
    """What a subscriber's function is called with; `id` is the same at every try."""

    id: UUID
    topic: str
    payload: dict


def publish(topic: str, payload: dict) -> None:
    """Write one row per subscriber of the topic, inside the caller's transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A message is published inside the transaction of what it tells of.")
    Outbox.objects.bulk_create(
        Outbox(topic=topic, payload=payload, subscriber=name, due_at=Now()) for name in SUBSCRIBERS[topic]
    )


def dispatch_due(*, limit: int = 50) -> int:
    """Deliver the messages that are due, oldest first, each on its own; return how many were taken up.

    Any number of workers may call this at once. A row is claimed by moving its `due_at` past the lease and the claim
    is committed before the work, so that no transaction is open while mail is sent.
    """
    claimed = _claim(limit)
    for row in claimed:
        _deliver(row)
    return len(claimed)


def drain(subscriber: str, *, limit: int = 1000) -> int:
    """Hand what waits for a batched subscriber to it, and return how many messages were taken up; 0 if it is busy.

    Deleted and applied in one transaction: exactly once, whenever the worker dies. If the batch fails, its messages are
    tried one by one, so that poison is put aside and the others flow.
    """
    rows: list[Outbox] = []
    try:
        with transaction.atomic(durable=True):
            if not take_alone(subscriber, wait=False):
                return 0
            waiting = Outbox.objects.select_for_update(skip_locked=True).filter(subscriber=subscriber)
            rows = list(waiting.filter(due_at__lte=Now()).order_by("due_at")[:limit])
            _apply(rows)
    except Exception:  # Whatever one message broke with, the others must flow; alone, each tells its own reason.
        if not rows:
            raise
        log.exception("A batch of %s messages for %s failed; trying one by one.", len(rows), subscriber)
        for row in rows:
            _apply_alone(row)
    return len(rows)


def take_alone(subscriber: str, *, wait: bool = True) -> bool:
    """Be the only one who writes what this batched subscriber makes, until the transaction ends; tell whether so.

    A second writer would put what it read before the first committed over what the first wrote.
    """
    function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_BATCH_LOCK, BATCHED[subscriber]])
        return wait or bool(cursor.fetchone()[0])


def replay(*, dead_letter_id: UUID, payload: dict | None = None) -> None:
    """Put a dead letter back into the outbox, with a corrected payload if one is given."""
    with transaction.atomic(durable=True):
        letter = DeadLetter.objects.select_for_update().get(id=dead_letter_id)
        Outbox.objects.create(
            id=letter.id,
            topic=letter.topic,
            payload=letter.payload if payload is None else payload,
            subscriber=letter.subscriber,
            due_at=Now(),
        )
        letter.delete()


def _claim(limit: int) -> list[Outbox]:
    with transaction.atomic(durable=True):
        rows = list(
            Outbox.objects.select_for_update(skip_locked=True)
            .filter(due_at__lte=Now())
            .exclude(subscriber__in=BATCHED)
            .order_by("due_at")[:limit]
        )
        Outbox.objects.filter(id__in=[row.id for row in rows]).update(
            due_at=Now() + timedelta(seconds=LEASE_SECONDS), attempts=F("attempts") + 1
        )
    for row in rows:
        row.attempts += 1
    return rows


def _deliver(row: Outbox) -> None:
    try:
        if not ProcessedMessage.objects.filter(subscriber=row.subscriber, message_id=row.id).exists():
            handler: Callable[[Message], None] = import_string(SUBSCRIBERS[row.topic][row.subscriber])
            handler(Message(row.id, row.topic, row.payload))
    except Exception as error:
        _put_off(row, error)
    else:
        with transaction.atomic(durable=True):
            ProcessedMessage.objects.get_or_create(subscriber=row.subscriber, message_id=row.id)
            Outbox.objects.filter(id=row.id).delete()


def _apply(rows: list[Outbox]) -> None:
    """Give the messages to their functions, and delete them, in the caller's transaction."""
    batches: dict[str, list[Message]] = {}
    for row in rows:
        batches.setdefault(SUBSCRIBERS[row.topic][row.subscriber], []).append(Message(row.id, row.topic, row.payload))
    for path, batch in batches.items():
        import_string(path)(batch)
    Outbox.objects.filter(id__in=[row.id for row in rows]).delete()


def _apply_alone(row: Outbox) -> None:
    row.attempts += 1
    try:
        with transaction.atomic(durable=True):
            take_alone(row.subscriber)
            if Outbox.objects.select_for_update().filter(id=row.id).update(attempts=row.attempts):
                _apply([row])
    except Exception as error:  # Whatever the message broke: the reason is kept with it.
        _put_off(row, error)


def _put_off(row: Outbox, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"
    with transaction.atomic(durable=True):
        if row.attempts > len(RETRY_SECONDS):
            log.error("message %s (%s) is a dead letter: %s", row.id, row, reason)
            DeadLetter.objects.get_or_create(
                id=row.id,
                defaults={
                    "topic": row.topic,
                    "payload": row.payload,
                    "subscriber": row.subscriber,
                    "reason": reason[:2000],
                },
            )
            Outbox.objects.filter(id=row.id).delete()
            return
        wait = RETRY_SECONDS[row.attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
        log.warning("message %s (%s) failed, again in %.1f s: %s", row.id, row, wait, reason)
        Outbox.objects.filter(id=row.id).update(due_at=Now() + timedelta(seconds=wait), attempts=row.attempts)
