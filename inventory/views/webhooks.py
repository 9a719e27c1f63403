"""Where payment providers tell what happened."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError

from inventory import tasks
from inventory.payments import process
from inventory.payments.gateway import WebhookRefused
from inventory.payments.gateways import GATEWAYS

log = logging.getLogger(__name__)

LARGEST_BODY = 64_000


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, gateway: str) -> HttpResponse:
    """Store an authentic webhook and answer 200 at once; what it means is found out afterwards.

    400 for one that is forged, stale or unreadable: nothing is stored of it.
    """
    provider = GATEWAYS.get(gateway)
    if provider is None:
        return JsonResponse({"detail": "There is no such gateway."}, status=404)
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        return JsonResponse({"detail": "The body is too large."}, status=413)
    try:
        announcement = provider.parse_webhook(headers=request.headers, body=request.body)
    except WebhookRefused as refused:
        log.warning("webhook for %s refused: %s", gateway, refused)
        return JsonResponse({"detail": str(refused)}, status=400)
    receipt = process.store_webhook(gateway, announcement)
    if receipt.processed_at is None:
        try:
            tasks.process_webhooks.delay()
        except OperationalError:
            log.warning("no broker: webhook %s waits for the sweep", receipt)
    return JsonResponse({"received": True})
