"""Celery's doors to the work that nobody waits for; config/settings.py says how often each is run.

Every task may be run twice at once or again after a crash: what it calls claims its rows or repeats harmlessly. What a
lost message would have started, the next run finds in the database.
"""

from datetime import timedelta

from celery import shared_task
from django.db.models.functions import Now

from inventory import messages, purchase
from inventory.models import IdempotencyKey
from inventory.payments import process
from inventory.payments.sandbox import book
from inventory.payments.sandbox.webhooks import deliver

__all__ = ["deliver"]  # The sandbox provider's own task, found here by Celery.

KEEP_KEYS = timedelta(hours=24)
FULL_BATCH = 50
BATCHES = 20  # One run stays below the task's time limit; the next one is a second away.


@shared_task
def dispatch_messages() -> None:
    """Deliver what is due in the outbox."""
    for _ in range(BATCHES):
        if messages.dispatch_due(limit=FULL_BATCH) < FULL_BATCH:
            return


@shared_task
def process_webhooks() -> None:
    """Act on webhooks in the inbox."""
    process.process_webhooks()


@shared_task
def expire_holds() -> None:
    """Free the seats of holds whose time has run out, so that everybody sees them."""
    purchase.expire_holds(limit=500)


@shared_task
def reconcile_payments() -> None:
    """Ask the payment providers about every payment still open."""
    process.reconcile()


@shared_task
def hear_slow_banks() -> None:
    """Let the sandbox's slow banks answer."""
    book.hear_due_banks()


@shared_task
def drop_idempotency_keys() -> None:
    """Forget answers that are older than a day."""
    IdempotencyKey.objects.filter(created_at__lt=Now() - KEEP_KEYS).delete()
