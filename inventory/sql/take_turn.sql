-- Locks the row that a fan's transactions for one event queue up on, and reads the terms of the sale by this server's
-- clock. No row: there is no such event. A new fan's row is made here, so one statement serves first and later times.
-- Whatever counts the fan's seats must be a later statement: this one's snapshot is older than its lock.
-- The rule of `sale` is that of events/sale_state.py; tests/inventory/test_purchase_terms.py compares the two.
WITH turn AS (
    INSERT INTO inventory_fanlimit AS f (event_id, fan)
    SELECT id, %(fan)s FROM events_event WHERE id = %(event)s
    ON CONFLICT (event_id, fan) DO UPDATE SET fan = excluded.fan
    RETURNING
        f.id,
        f.event_id,
        f.presale_code_id,
        set_config('onsale.actor', %(actor)s, true),
        CASE WHEN %(lazy)s THEN set_config('synchronous_commit', 'off', true) END
)
SELECT
    turn.id,
    CASE
        WHEN e.status <> 'published' THEN e.status
        WHEN e.sale_switch = 'closed' OR w.remaining IS NOT TRUE THEN 'closed'
        WHEN e.sale_switch = 'paused' THEN 'paused'
        WHEN w.public THEN 'open'
        WHEN w.presale THEN 'presale'
        ELSE 'upcoming'
    END AS sale,
    EXISTS (
        SELECT FROM events_presalecode c JOIN events_salewindow s ON s.id = c.window_id
        WHERE c.id = turn.presale_code_id AND s.event_id = turn.event_id
            AND s.opens_at <= statement_timestamp() AND s.closes_at > statement_timestamp()
    ) AS has_code,
    e.max_per_fan,
    e.hold_seconds,
    e.extend_seconds,
    e.organizer_id,
    o.currency,
    p.content_hash,
    p.seat_count,
    statement_timestamp() AS now
FROM turn
JOIN events_event e ON e.id = turn.event_id
JOIN events_organizer o ON o.id = e.organizer_id
JOIN seating_seatingplan p ON p.id = e.plan_id
CROSS JOIN LATERAL (
    SELECT
        bool_or(closes_at > statement_timestamp()) AS remaining,
        bool_or(access = 'public' AND opens_at <= statement_timestamp() AND closes_at > statement_timestamp()) AS public,
        bool_or(access = 'presale' AND opens_at <= statement_timestamp() AND closes_at > statement_timestamp()) AS presale
    FROM events_salewindow WHERE event_id = e.id
) w
