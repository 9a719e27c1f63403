"""The organiser's sales board: what every price of an event sold and gave back, minute by minute, in ready rows.

Fed by the outbox: a paid order and a refund are each added once, in the transaction that deletes their message. A
rebuild counts an event anew and drops, in the same statement, the messages whose orders it has just counted; so it may
run in the middle of a sale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Sum

from inventory import messages
from inventory.models import SalesMinute

_COLUMNS = "event_id, tier, minute, sold, taken, fees, refunded, returned, fees_returned"

# What some orders and refunds come to. An order's lines are all sold in the minute it was paid, whatever became of
# them later; a refund gives back the lines that name it (none, if the money came for seats that were gone).
_EFFECT = f"""
SELECT event_id, tier, minute, sum(sold)::int AS sold, sum(taken)::bigint AS taken, sum(fees)::bigint AS fees,
    sum(refunded)::int AS refunded, sum(returned)::bigint AS returned, sum(fees_returned)::bigint AS fees_returned
FROM (
    SELECT o.event_id, l.tier, date_trunc('minute', o.paid_at, 'UTC') AS minute, count(*), sum(l.amount), sum(l.fee),
        0, 0, 0
    FROM inventory_order o JOIN inventory_orderline l ON l.order_id = o.id
    WHERE o.paid_at IS NOT NULL AND {{orders}} GROUP BY 1, 2, 3
    UNION ALL
    SELECT l.event_id, l.tier, date_trunc('minute', r.created_at, 'UTC'), 0, 0, 0, count(*), sum(l.amount), sum(l.fee)
    FROM inventory_refund r JOIN inventory_orderline l ON l.refund_id = r.id
    WHERE {{refunds}} GROUP BY 1, 2, 3
) moved ({_COLUMNS}) GROUP BY 1, 2, 3
"""  # noqa: S608  Names of columns, no input.

_ADD = f"""
INSERT INTO inventory_salesminute AS b ({_COLUMNS}) SELECT {_COLUMNS} FROM ({{effect}}) effect
ON CONFLICT (event_id, tier, minute) DO UPDATE SET
    sold = b.sold + excluded.sold, taken = b.taken + excluded.taken, fees = b.fees + excluded.fees,
    refunded = b.refunded + excluded.refunded, returned = b.returned + excluded.returned,
    fees_returned = b.fees_returned + excluded.fees_returned
"""  # noqa: S608

# One statement, one snapshot: an order is counted exactly if its message, should it still wait, is dropped here.
_RECOUNT = f"""
WITH heard AS (
    DELETE FROM inventory_outbox WHERE subscriber = 'board' AND payload->>'event' = %(event)s::text
), refused AS (
    DELETE FROM inventory_deadletter WHERE subscriber = 'board' AND payload->>'event' = %(event)s::text
)
INSERT INTO inventory_salesminute ({_COLUMNS}) SELECT {_COLUMNS} FROM ({{effect}}) effect
"""  # noqa: S608

_WAITING = "SELECT (payload->>'{kind}')::uuid FROM inventory_outbox WHERE subscriber = 'board' AND payload ? '{kind}'"

# The board with what still waits for it, against the orders and refunds themselves. A dead letter waits for a person,
# so what it tells of is drift.
DRIFT = """
SELECT event_id, tier, minute, coalesce(to_jsonb(have) - 'event_id' - 'tier' - 'minute', '{{}}') AS has,
    coalesce(to_jsonb(want) - 'event_id' - 'tier' - 'minute', '{{}}') AS should
FROM (
    SELECT event_id, tier, minute, sum(sold)::int AS sold, sum(taken)::bigint AS taken, sum(fees)::bigint AS fees,
        sum(refunded)::int AS refunded, sum(returned)::bigint AS returned, sum(fees_returned)::bigint AS fees_returned
    FROM (SELECT {columns} FROM inventory_salesminute UNION ALL SELECT {columns} FROM ({waiting}) waiting) parts
    GROUP BY 1, 2, 3
) have FULL JOIN ({truth}) want USING (event_id, tier, minute)
WHERE to_jsonb(have) IS DISTINCT FROM to_jsonb(want)
""".format(  # noqa: S608  No input in it.
    columns=_COLUMNS,
    waiting=_EFFECT.format(
        orders=f"o.id IN ({_WAITING.format(kind='order')})", refunds=f"r.id IN ({_WAITING.format(kind='refund')})"
    ),
    truth=_EFFECT.format(orders="true", refunds="true"),
)  # fmt: skip


def add(batch: Sequence[messages.Message]) -> None:
    """Count these paid orders and refunds, in the caller's transaction."""
    told = {
        "orders": [message.payload["order"] for message in batch if "order" in message.payload],
        "refunds": [message.payload["refund"] for message in batch if "refund" in message.payload],
    }
    effect = _EFFECT.format(orders="o.id = ANY(%(orders)s::uuid[])", refunds="r.id = ANY(%(refunds)s::uuid[])")
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(effect=effect), told)


def rebuild(event_id: UUID) -> int:
    """Count an event's sales anew from its orders and refunds, and return how many rows that made."""
    effect = _EFFECT.format(orders="o.event_id = %(event)s", refunds="l.event_id = %(event)s")
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        messages.take_alone("board")
        cursor.execute("DELETE FROM inventory_salesminute WHERE event_id = %s", [event_id])
        cursor.execute(_RECOUNT.format(effect=effect), {"event": event_id})
        return cursor.rowcount


@dataclass(frozen=True, slots=True)
class Sold:
    """What one price has sold, less what went back: tickets, their prices, their fees. `returned` is what went back."""

    tickets: int = 0
    revenue: int = 0
    fees: int = 0
    returned: int = 0


def by_tier(event_id: UUID) -> dict[int, Sold]:
    """Return what each price of an event that sold anything comes to, by its number."""
    rows = SalesMinute.objects.filter(event=event_id).order_by().values("tier")
    rows = rows.annotate(
        tickets=Sum(F("sold") - F("refunded")),
        revenue=Sum(F("taken") - F("returned")),
        net_fees=Sum(F("fees") - F("fees_returned")),
        back=Sum(F("returned") + F("fees_returned")),
    )
    return {row["tier"]: Sold(row["tickets"], row["revenue"], row["net_fees"], row["back"]) for row in rows}
