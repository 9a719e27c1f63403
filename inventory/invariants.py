"""What must always be true of seats, holds, orders, money and tickets, as statements that find the rows which break it.

The numbers are those of the project's list of invariants; what only a load test's own history or a reader of the copies
can see (I10, I11, I13 and others) is checked there.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from inventory.read_models import DRIFT_QUERIES


@dataclass(frozen=True, slots=True)
class Breach:
    """An invariant that does not hold: its number and sentence, and the first rows that break it."""

    number: str
    sentence: str
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Invariant:
    """One sentence that must always be true, and the statement that finds the rows for which it is not."""

    number: str
    sentence: str
    sql: str


SHOWN_ROWS = 20

INVARIANTS = (
    Invariant(
        "I1",
        "A held seat belongs to one live hold, which names it.",
        """
        SELECT s.event_id, s.index, s.state, s.hold, h.state AS hold_state
        FROM inventory_seat s LEFT JOIN inventory_hold h ON h.id = s.hold
        WHERE s.state IN (1, 2) AND (
            h.id IS NULL OR h.event_id <> s.event_id OR h.state NOT IN ('live', 'paying') OR NOT s.index = ANY(h.seats)
            OR h.expires_at <> s.held_until
        )
        """,
    ),
    Invariant(
        "I1",
        "A live hold in its time has every seat it names, in its own state.",
        """
        SELECT h.id AS hold, h.event_id, i AS index, s.state, s.hold AS seat_hold
        FROM inventory_hold h CROSS JOIN unnest(h.seats) i
        LEFT JOIN inventory_seat s ON s.event_id = h.event_id AND s.index = i
        WHERE h.state IN ('live', 'paying') AND h.expires_at > statement_timestamp()
            AND (s.hold IS DISTINCT FROM h.id OR s.state <> CASE h.state WHEN 'live' THEN 1 ELSE 2 END)
        """,
    ),
    Invariant(
        "I1",
        "A sold seat has exactly one active line, in the paid order it names.",
        """
        SELECT s.event_id, s.index, s.order, count(l.id) AS lines
        FROM inventory_seat s
        LEFT JOIN inventory_orderline l ON l.event_id = s.event_id AND l.index = s.index AND l.active
            AND l.order_id = s.order
        LEFT JOIN inventory_order o ON o.id = l.order_id AND o.state = 'paid'
        WHERE s.state = 3
        GROUP BY s.event_id, s.index, s.order HAVING count(l.id) <> 1 OR count(o.id) <> 1
        """,
    ),
    Invariant(
        "I1",
        "An active line has its seat, sold.",
        """
        SELECT l.event_id, l.index, l.order_id, s.state
        FROM inventory_orderline l LEFT JOIN inventory_seat s ON s.event_id = l.event_id AND s.index = l.index
        WHERE l.active AND (s.state IS DISTINCT FROM 3 OR s.order IS DISTINCT FROM l.order_id)
        """,
    ),
    Invariant(
        "I2",
        "An event with stock has every seat of its plan, in one state.",
        """
        SELECT e.id AS event_id, p.seat_count AS capacity, count(*) AS seats, min(s.index), max(s.index)
        FROM inventory_seat s
        JOIN events_event e ON e.id = s.event_id JOIN seating_seatingplan p ON p.id = e.plan_id
        GROUP BY e.id, p.seat_count
        HAVING count(*) <> p.seat_count OR min(s.index) <> 0 OR max(s.index) <> p.seat_count - 1
        """,
    ),
    Invariant(
        "I3",
        "A fan never holds and owns more than the event's limit.",
        """
        SELECT x.event_id, x.fan, sum(x.seats) AS seats, e.max_per_fan
        FROM (
            SELECT event_id, fan, cardinality(seats) AS seats FROM inventory_hold
            WHERE state IN ('live', 'paying') AND expires_at > statement_timestamp()
            UNION ALL
            SELECT o.event_id, o.fan, count(*) FROM inventory_order o JOIN inventory_orderline l ON l.order_id = o.id
            WHERE l.active GROUP BY o.event_id, o.fan
        ) x JOIN events_event e ON e.id = x.event_id
        WHERE x.fan <> ''
        GROUP BY x.event_id, x.fan, e.max_per_fan HAVING sum(x.seats) > e.max_per_fan
        """,
    ),
    Invariant(
        "I4",
        "Of every order, what was captured less what is given back is what its active lines cost.",
        """
        SELECT o.id AS order, o.state, o.currency, coalesce(p.captured, 0) AS captured, coalesce(r.given, 0) AS given,
            coalesce(l.due, 0) AS due
        FROM inventory_order o
        LEFT JOIN LATERAL (
            SELECT sum(amount) AS captured FROM inventory_payment WHERE order_id = o.id AND state = 'captured'
        ) p ON true
        LEFT JOIN LATERAL (
            SELECT sum(f.amount) AS given FROM inventory_refund f JOIN inventory_payment q ON q.id = f.payment_id
            WHERE q.order_id = o.id AND f.state <> 'failed'
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT sum(amount + fee) AS due FROM inventory_orderline WHERE order_id = o.id AND active
        ) l ON true
        WHERE coalesce(p.captured, 0) - coalesce(r.given, 0) <> coalesce(l.due, 0)
        """,
    ),
    Invariant(
        "I4",
        "Payments and refunds are in the currency of their order.",
        """
        SELECT o.id AS order, o.currency, p.id AS payment, p.currency AS paid_in, r.currency AS refunded_in
        FROM inventory_order o JOIN inventory_payment p ON p.order_id = o.id
        LEFT JOIN inventory_refund r ON r.payment_id = p.id
        WHERE p.currency <> o.currency OR r.currency <> p.currency
        """,
    ),
    Invariant(
        "I5",
        "A captured payment has a paid order, or goes back, within 10 minutes.",
        """
        SELECT p.id AS payment, p.order_id AS order, o.state, p.amount, p.captured_at
        FROM inventory_payment p JOIN inventory_order o ON o.id = p.order_id
        WHERE p.state = 'captured' AND p.captured_at < statement_timestamp() - interval '10 minutes'
            AND o.state <> 'paid' AND NOT EXISTS (SELECT FROM inventory_refund r WHERE r.payment_id = p.id)
        """,
    ),
    Invariant(
        "I5",
        "A paid order has a captured payment.",
        """
        SELECT o.id AS order, o.total FROM inventory_order o
        WHERE o.state IN ('paid', 'refunded')
            AND NOT EXISTS (SELECT FROM inventory_payment p WHERE p.order_id = o.id AND p.state = 'captured')
        """,
    ),
    Invariant(
        "I5",
        "What the sandbox provider has captured is captured here too, 10 minutes later at the latest.",
        """
        SELECT c.id AS charge, c.reference AS payment, c.amount, p.state, p.amount AS expected
        FROM inventory_sandboxcharge c LEFT JOIN inventory_payment p ON p.id::text = c.reference
        WHERE c.state = 'captured' AND c.created_at < statement_timestamp() - interval '10 minutes'
            AND (p.state IS DISTINCT FROM 'captured' OR p.amount <> c.amount)
        """,
    ),
    Invariant(
        "I6",
        "An active line has one ticket that is not void, and a line that is not active has none.",
        """
        SELECT l.id AS line, l.order_id AS order, l.index, l.active, t.state AS ticket
        FROM inventory_orderline l LEFT JOIN inventory_ticket t ON t.line_id = l.id
        WHERE l.active <> (t.state IS NOT NULL AND t.state <> 'void')
        """,
    ),
    Invariant(
        "I6",
        "A ticket was used by somebody at some time, or not at all.",
        """
        SELECT t.id AS ticket, t.state, t.used_at FROM inventory_ticket t
        WHERE (t.state = 'used' AND t.used_at IS NULL) OR (t.state = 'valid' AND t.used_at IS NOT NULL)
        """,
    ),
    Invariant(
        "I6",
        "A ticket is admitted once.",
        """
        SELECT subject AS ticket, count(*) AS times FROM inventory_auditentry
        WHERE action = 'ticket.admitted' GROUP BY subject HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I7",
        "An answered idempotency key has its whole answer.",
        """
        SELECT scope, key, status FROM inventory_idempotencykey
        WHERE (status IS NULL) <> (body IS NULL) OR status >= 500 OR status = 429
        """,
    ),
    Invariant(
        "I8",
        "Seats move only along the allowed edges.",
        """
        SELECT id, at, actor, event_id, action, subject, detail FROM inventory_auditentry
        WHERE action IN ('seat.freed', 'seat.held', 'seat.paying', 'seat.sold', 'seat.blocked')
            AND (detail->>'from')::int * 10 + (detail->>'to')::int
                NOT IN (1, 4, 10, 11, 12, 20, 21, 22, 23, 30, 40)
        """,
    ),
    Invariant(
        "I8",
        "An order is in the state that its hold allows.",
        """
        SELECT o.id AS order, o.state, h.id AS hold, h.state AS hold_state
        FROM inventory_order o JOIN inventory_hold h ON h.id = o.hold_id
        WHERE (o.state = 'paid' AND h.state <> 'bought') OR (o.state = 'pending' AND h.state NOT IN ('live', 'paying'))
        """,
    ),
    Invariant(
        "I9",
        "No hold lives longer than a minute past its end.",
        """
        SELECT h.id AS hold, h.event_id, h.fan, h.state, h.expires_at FROM inventory_hold h
        WHERE h.state IN ('live', 'paying') AND h.expires_at < statement_timestamp() - interval '1 minute'
        """,
    ),
    Invariant(
        "I12",
        "No message has waited longer than a minute for its first try.",
        """
        SELECT id, topic, subscriber, attempts, created_at FROM inventory_outbox
        WHERE attempts = 0 AND due_at < statement_timestamp() - interval '1 minute'
        """,
    ),
    Invariant(
        "I12",
        "No change of a seat has waited longer than a minute for the relay.",
        """
        SELECT event_id, count(*) AS changes, min(at) AS oldest FROM inventory_seatchange
        WHERE at < statement_timestamp() - interval '1 minute' GROUP BY event_id
        """,
    ),
    Invariant(
        "I12",
        "Every row of the programme is as it would be made now, unless a message about it waits.",
        DRIFT_QUERIES["programme"],
    ),
    Invariant(
        "I12",
        "The sales board and the messages waiting for it add up to the orders and refunds.",
        DRIFT_QUERIES["sales_board"],
    ),
    Invariant(
        "I17",
        "No payment gives back more than it took, nor what it never took.",
        """
        SELECT p.id AS payment, p.state, p.amount, sum(r.amount) AS given
        FROM inventory_payment p JOIN inventory_refund r ON r.payment_id = p.id AND r.state <> 'failed'
        GROUP BY p.id HAVING sum(r.amount) > p.amount OR p.state <> 'captured'
        """,
    ),
    Invariant(
        "I17",
        "The sandbox provider has given back no more than was asked for here.",
        """
        SELECT c.id AS charge, c.refunded, coalesce(sum(r.amount), 0) AS asked
        FROM inventory_sandboxcharge c
        JOIN inventory_payment p ON p.id::text = c.reference
        LEFT JOIN inventory_refund r ON r.payment_id = p.id
        GROUP BY c.id HAVING c.refunded > coalesce(sum(r.amount), 0)
        """,
    ),
)


def broken_invariants() -> list[Breach]:
    """Return the invariants that do not hold, in one snapshot of the database, each with its first rows.

    One REPEATABLE READ, READ ONLY transaction: it disturbs nobody, and a sale that goes on meanwhile cannot look like
    a breach. A full check reads every seat of every event: seconds for a million.
    """
    breaches = []
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = '120s'")
        for invariant in INVARIANTS:
            cursor.execute(f"SELECT * FROM ({invariant.sql}) breach LIMIT {SHOWN_ROWS}")  # noqa: S608  No input in it.
            names = [column.name for column in cursor.description]
            rows = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
            if rows:
                breaches.append(Breach(invariant.number, invariant.sentence, rows))
    return breaches
