"""Celery's doors to the work that nobody waits for; config/settings.py says how often each is run.

Every task may be run twice at once or again after a crash: what it calls claims its rows or repeats harmlessly. What a
lost message would have started, the next run finds in the database.
"""

from datetime import timedelta
from time import monotonic

from celery import shared_task
from django.db.models.functions import Now

from inventory import backlog, messages, purchase, read_models
from inventory.models import IdempotencyKey, ProcessedMessage, WebhookReceipt
from inventory.payments import process
from inventory.payments.sandbox import book
from inventory.payments.sandbox.webhooks import deliver
from inventory.warmup import opening, recording

__all__ = ["deliver"]  # The sandbox provider's own task, found here by Celery.

KEEP_KEYS = timedelta(hours=24)
KEEP_PROOFS = timedelta(days=7)  # A message may be replayed by hand days later, and must still take effect once.
KEEP_WEBHOOKS = timedelta(days=30)
# A run that is killed has claimed one small batch only, and stays well below the task's time limit; the next run is a
# second away.
BATCH = 10
RUN_SECONDS = 20


@shared_task
def dispatch_messages() -> None:
    """Deliver what is due in the outbox."""
    end = monotonic() + RUN_SECONDS
    while monotonic() < end:
        if messages.dispatch_due(limit=BATCH) < BATCH:
            return


@shared_task
def feed_read_models() -> None:
    """Bring the programme and the sales boards up to date."""
    read_models.feed()


@shared_task
def measure_drift() -> None:
    """Compare the read models with the truth, for the metrics."""
    read_models.measure_drift()


@shared_task
def measure_backlog() -> None:
    """See how long messages wait, for the metrics."""
    backlog.measure()


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
def forget_old_records() -> None:
    """Forget answers, proofs of delivery and webhooks that nobody can ask for any more."""
    IdempotencyKey.objects.filter(created_at__lt=Now() - KEEP_KEYS).delete()
    ProcessedMessage.objects.filter(at__lt=Now() - KEEP_PROOFS).delete()
    WebhookReceipt.objects.filter(received_at__lt=Now() - KEEP_WEBHOOKS).exclude(processed_at=None).delete()


@shared_task
def keep_warm() -> None:
    """Have every process ready for the sales that are about to open."""
    opening.keep_warm()


@shared_task
def record_traffic() -> None:
    """Keep the shape of the traffic of sales that have just opened."""
    recording.record_due()
