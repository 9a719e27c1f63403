"""What waits to be sent, and what could not be: the figures of the outbox."""

from dataclasses import dataclass
from typing import Final

from django.db import connection
from prometheus_client import Gauge

# Any worker may measure; the latest word counts.
WAITING: Final = Gauge(
    "onsale_outbox_waiting_seconds", "Age of the oldest message that is due.", multiprocess_mode="mostrecent"
)
DEAD: Final = Gauge("onsale_dead_letters", "Messages that failed every try.", multiprocess_mode="mostrecent")


@dataclass(frozen=True)
class Backlog:
    """How long the oldest due message has waited, in seconds of the database's clock, and how many failed every try."""

    waiting_seconds: float
    dead_letters: int


def backlog() -> Backlog:
    """Return what waits and what failed, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(0, extract(epoch FROM clock_timestamp() - (SELECT min(due_at) FROM inventory_outbox)))"
            "::float8, (SELECT count(*) FROM inventory_deadletter)"
        )
        waiting, dead = cursor.fetchone()
    return Backlog(waiting or 0.0, dead)


def measure() -> None:
    """Set the metrics to what is true now."""
    now = backlog()
    WAITING.set(now.waiting_seconds)
    DEAD.set(now.dead_letters)
