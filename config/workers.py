"""How gunicorn's `live` workers speak HTTP and WebSocket."""

from typing import Any

from uvicorn_worker import UvicornWorker


class LiveWorker(UvicornWorker):
    """uvicorn, set for many small answers and many quiet sockets.

    A browser sends next to nothing on a socket, so messages and queues are small; frames are a few bytes, which
    compression would only cost processor time for (40 us each, and 64 KB of memory per socket).
    """

    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "uvloop",
        "http": "httptools",
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "ws_max_size": 1024,
        "ws_max_queue": 4,
        "lifespan": "off",
        "access_log": False,
        "forwarded_allow_ips": "*",  # Only the edge reaches the socket in its private folder.
    }
