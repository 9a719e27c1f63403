"""How gunicorn runs both pools: `gunicorn -c python:config.gunicorn config.wsgi`, or `config.asgi` for `live`.

What differs between the pools (worker class, number of workers, address) is said on the command line.
"""

import os
import sys

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from prometheus_client import multiprocess

from config import pulse

loglevel = "warning"
graceful_timeout = 5  # Closing ten thousand sockets takes one second, of a machine that has time.
keepalive = 75  # Longer than the edge keeps an idle connection: it never sends into one just closing.
forwarded_allow_ips = "*"  # Only the edge reaches the pools.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Let the worker tell its figures and warm itself: here, because threads do not survive the fork.

    The worker accepts nothing until this returns, so that nobody meets a cold one: the sockets' queue keeps him, or the
    edge asks another.
    """
    pulse.start()
    # Named by the application's own module; a baseline of the bench has none.
    if warm_up := getattr(sys.modules.get(worker.app.app_uri), "warm_up", None):
        warm_up(worker)


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Hand over what the worker counted last, and take its pulse off."""
    pulse.stop()


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Forget the gauges of a worker that has died, however it died; what it counted stays in the sums."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.mark_process_dead(worker.pid)
