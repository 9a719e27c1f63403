"""The read models: how they are fed, made anew and compared with the truth.

- The programme (`events.programme`): one row per public event. Triggers leave a message for whatever changes it; a
  batch of messages costs one refresh per event, however many orders they tell of.
- The sales board (`inventory.sales_board`): one row per price and minute, added to by paid orders and refunds.

Neither is written in a sale's own transaction, and both can be made from nothing while the sale goes on.
"""

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from uuid import UUID

from django.db import connection, transaction
from prometheus_client import Gauge

from events import programme
from events.models import Event
from inventory import messages, sales_board
from inventory.models import Order, SalesMinute

DRIFT = Gauge(
    "onsale_read_model_drift",
    "Rows of a read model that were not as they should be when they were last compared.",
    ["model"],
    multiprocess_mode="mostrecent",
)

CHUNK = 100  # Events made anew in one transaction: a second's work, after which the feed has its turn.

_STOCK = """
SELECT event_id, count(*)::int AS places, count(*) FILTER (WHERE state = 3)::int AS sold,
    count(*) FILTER (WHERE state = 4)::int AS blocked
FROM inventory_seat {where} GROUP BY event_id
"""
_STOCK_OF_CHOSEN = _STOCK.format(where="WHERE event_id = ANY(%(events)s)")

# The queries that find what has drifted; what a waiting message will put right has not.
DRIFT_QUERIES = {
    "programme": f"""
        SELECT d.event_id, d.differs FROM ({programme.drift(_STOCK.format(where=""))}) d
        WHERE NOT EXISTS (
            SELECT FROM inventory_outbox WHERE subscriber = 'listing' AND payload->>'event' = d.event_id::text
        )
    """,  # noqa: S608  No input in it.
    "sales_board": sales_board.DRIFT,
}


def refresh_listing(batch: Sequence[messages.Message]) -> None:
    """Make the programme's rows of these events anew, each once, in the caller's transaction."""
    programme.refresh(sorted({UUID(message.payload["event"]) for message in batch}), _STOCK_OF_CHOSEN)


def feed(*, seconds: float = 20) -> int:
    """Bring the read models up to what has been committed, and return how many messages that took.

    Any number of workers may call this at once; one works, the others find nothing to do. After `seconds` it leaves
    the rest to the next run, so that no time limit ends it in the middle.
    """
    end, taken = monotonic() + seconds, 0
    for subscriber in messages.BATCHED:
        while monotonic() < end and (count := messages.drain(subscriber)):
            taken += count
    _turn()
    return taken


def _turn() -> None:
    """Make those rows anew that only the clock has changed: a sale window has closed, another comes next."""
    if not programme.turned(limit=1):  # Nearly always; looked up in an index that holds only what will turn.
        return
    with transaction.atomic(durable=True):
        if messages.take_alone("listing", wait=False):
            programme.refresh(programme.turned(limit=CHUNK), _STOCK_OF_CHOSEN)


def rebuild(event_ids: Sequence[UUID] | None = None, progress: Callable[[int, int], object] | None = None) -> int:
    """Make every row of these events (or of all) from nothing, and return how many events that were.

    Each event's rows are replaced in one transaction, so readers see the old ones or the new; sales go on meanwhile.
    """
    chosen = list(Event.objects.order_by("id").values_list("id", flat=True) if event_ids is None else event_ids)
    sold = set(Order.objects.filter(event__in=chosen, paid_at__isnull=False).values_list("event", flat=True).distinct())
    sold |= set(SalesMinute.objects.filter(event__in=chosen).values_list("event", flat=True).distinct())
    done = 0
    for chunk in _chunks(chosen):
        with transaction.atomic(durable=True):
            messages.take_alone("listing")
            programme.refresh(chunk, _STOCK_OF_CHOSEN)
        for event_id in chunk:
            if event_id in sold:
                sales_board.rebuild(event_id)
        done += len(chunk)
        if progress:
            progress(done, len(chosen))
    return done


def _chunks(event_ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(event_ids), CHUNK):
        yield event_ids[start : start + CHUNK]


def measure_drift() -> dict[str, int]:
    """Return how many rows of each read model are not as they should be, in one snapshot, and tell the metrics."""
    found = {}
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = '50s'")
        for model, query in DRIFT_QUERIES.items():
            cursor.execute(f"SELECT count(*) FROM ({query}) drifted")  # noqa: S608  No input in it.
            found[model] = cursor.fetchone()[0]
            DRIFT.labels(model).set(found[model])
    return found
