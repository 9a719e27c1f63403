"""The live side: availability and fan state as plain ASGI, sockets through Channels.

Django's ASGI handler answers 140-300 requests a second where a plain callable answers thousands, so `/live/` never
passes through it. With ONSALE_ONE_PROCESS=1 (no nginx to be had) Django serves everything else from here as well.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

# The models must be ready before these are imported.
from config import knob_board  # noqa: E402
from inventory.live import application as live  # noqa: E402
from inventory.sockets import application as sockets  # noqa: E402
from inventory.warmup.tiers import warm_slots  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Any], Awaitable[None]]

_SERVES_PAGES = os.environ.get("ONSALE_ONE_PROCESS") == "1"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand a connection to whoever serves it."""
    if scope["type"] == "http":
        if _SERVES_PAGES and not scope["path"].startswith("/live/"):
            await pages(scope, receive, send)
        else:
            await live(scope, receive, send)
    elif scope["type"] == "websocket":
        await sockets(scope, receive, send)
    else:
        await _live_and_die(receive, send)


async def _live_and_die(receive: Receive, send: Send) -> None:
    """Warm the process before a server other than gunicorn listens; there is nothing to stop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            knob_board.start()
            await asyncio.to_thread(warm_slots)
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def warm_up(worker: Any) -> None:
    """Warm this process before it accepts; gunicorn's hook, as its worker has no lifespan."""
    knob_board.start()
    warm_slots()
