"""Telling the shop: signed webhooks by HTTP POST, tried again until the shop has answered 2xx.

As with a real provider they may come late, twice, out of order or never; `cards.py` has a card for each. A webhook
only says that something happened: the shop asks for the present state itself.
"""

import json
import logging
import time
import urllib.error
import urllib.request
from functools import partial
from uuid import uuid4

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from inventory.models import SandboxCharge
from inventory.payments.sandbox.cards import BY_LAST4, Act
from inventory.payments.sandbox.signatures import HEADER, signature

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 5
RETRY_SECONDS = (1, 2, 4, 8, 15, 30, 60, 120, 300)
COPIES_OF_A_REPEATED_WEBHOOK = 5


def announce(charge: SandboxCharge, kind: str) -> None:
    """Send a webhook about the charge once its transaction is committed, as often as its card says."""
    act = BY_LAST4[charge.card].act if charge.card in BY_LAST4 else Act.APPROVE
    if act == Act.LOSE_WEBHOOKS:
        return
    body = webhook_body(charge, kind, event_id=f"evt_{uuid4().hex}", at=int(time.time()))
    copies = COPIES_OF_A_REPEATED_WEBHOOK if act == Act.REPEAT_WEBHOOKS else 1
    for copy in range(copies):
        transaction.on_commit(partial(_enqueue, deliver, [body], copy))


def webhook_body(charge: SandboxCharge, kind: str, *, event_id: str, at: int) -> str:
    """Return the JSON a webhook carries."""
    return json.dumps(
        {
            "id": event_id,
            "type": kind,
            "created": at,
            "data": {
                "charge": charge.id,
                "reference": charge.reference,
                "state": charge.state,
                "amount": charge.amount,
                "currency": charge.currency,
                "refunded": charge.refunded,
            },
        }
    )


@shared_task(bind=True, max_retries=len(RETRY_SECONDS))
def deliver(self: Task, body: str) -> None:
    """POST one webhook, signed at the time of this try; tried again later unless the shop answers 2xx."""
    data = body.encode()
    request = urllib.request.Request(  # noqa: S310  The address is the shop's own, from the settings.
        f"{settings.SITE_URL}/webhooks/sandbox/",
        data=data,
        headers={
            "Content-Type": "application/json",
            HEADER: signature(settings.WEBHOOK_SECRET, data, int(time.time())),
            "User-Agent": "OnsaleSandbox/1",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS):  # noqa: S310
            return
    except (urllib.error.URLError, OSError) as error:
        log.warning("webhook not taken, try %s: %s", self.request.retries + 1, error)
        if self.request.retries < len(RETRY_SECONDS):
            raise self.retry(countdown=RETRY_SECONDS[self.request.retries], exc=error) from error


def _enqueue(task: Task, args: list, countdown: int) -> None:
    try:
        task.apply_async(args, countdown=countdown, retry=False)
    except OperationalError as error:
        # The broker is down: this webhook is lost, and the shop finds out by asking (reconciliation).
        log.warning("webhook lost, no broker: %s", error)
