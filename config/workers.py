"""How gunicorn's `live` workers speak HTTP and WebSocket, and how they stop."""

import asyncio
import gc
import random
import sys
from socket import socket
from typing import Any, Final

from gunicorn.arbiter import Arbiter
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

from config.answers import AnswersProtocol
from config.frames import FramesProtocol

SLICES: Final = 100  # A hundredth of the sockets every hundredth of a second: however many, they are gone in one.
AWAY_MS: Final = 1000  # Nobody is to come back while this process still listens.
RETURNS_PER_SECOND: Final = 500  # A handshake costs half a millisecond wherever the sockets go.


class LiveServer(Server):
    """uvicorn's server, which on SIGTERM lets its sockets go before it stops."""

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Close the sockets, a few at a time while slots are answered; then stop as uvicorn does.

        Each is told its own moment to come back: all of a process go at once and must not return at once.
        """
        leaving = [one for one in self.server_state.connections if isinstance(one, FramesProtocol)]
        window_ms = 1000 * len(leaving) // RETURNS_PER_SECOND
        for number, one in enumerate(leaving, 1):
            one.dismiss(AWAY_MS + random.randint(0, window_ms))  # noqa: S311 spreads, hides nothing
            if number % (len(leaving) // SLICES + 1) == 0:
                await asyncio.sleep(1 / SLICES)
        await super().shutdown(sockets)


class LiveWorker(UvicornWorker):
    """uvicorn, set for many small answers and many quiet sockets.

    A browser sends next to nothing on a socket, so messages and queues are small; frames are a few bytes, which
    compression would only cost processor time for (40 us each, and 64 KB of memory per socket).
    """

    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "uvloop",
        "http": AnswersProtocol,
        "ws": FramesProtocol,
        "ws_per_message_deflate": False,
        "ws_max_size": 1024,
        "ws_max_queue": 4,
        "lifespan": "off",
        "access_log": False,
        "server_header": False,
        "forwarded_allow_ips": "*",  # Only the edge reaches the socket in its private folder.
    }

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        server = LiveServer(config=self.config)
        self._install_sigquit_handler()
        # What is loaded now stays, and no collection need look at it again: a pause of 100 ms for every socket.
        gc.collect()
        gc.freeze()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
