-- Locks seats that are the caller's business already (his hold, his order, the organiser's stock): in index order, so that
-- two transactions after overlapping seats wait for each other and never in a circle.
SELECT
    s.index, s.tier, s.state, s.hold, s."order",
    s.held_until <= statement_timestamp() AS is_over
FROM inventory_seat s
WHERE s.event_id = %(event)s AND s.index = ANY(%(indexes)s)
ORDER BY s.index
FOR UPDATE
