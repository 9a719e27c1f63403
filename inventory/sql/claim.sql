-- The claim: lock, judge, take all or nothing, and write the hold, in one statement. The caller has the fan's turn.
-- `locked` is one of lock_picked.sql and lock_any.sql. A hold whose time has passed is taken over in place, swept or not.
-- One row comes back, whatever was decided; `taken` names the seats that cannot be had.
WITH mine AS (
    SELECT id, state, seats, expires_at, extended, expires_at <= statement_timestamp() AS is_over
    FROM inventory_hold
    WHERE event_id = %(event)s AND fan = %(fan)s AND state IN ('live', 'paying')
), owned AS (
    SELECT count(*)::int AS seats
    FROM inventory_order o JOIN inventory_orderline l ON l.order_id = o.id
    WHERE o.event_id = %(event)s AND o.fan = %(fan)s AND l.active
), locked AS (
{locked}
), seen AS (
    SELECT
        l.index,
        l.state = 1 AND l.hold = mine.id AND NOT mine.is_over AS is_mine,
        l.state = 0 OR (l.state IN (1, 2) AND l.held_until <= statement_timestamp()) AS is_open
    FROM locked l LEFT JOIN mine ON true
), counted AS (
    SELECT
        count(*) FILTER (WHERE is_mine OR is_open)::int AS usable,
        coalesce(array_agg(index ORDER BY index) FILTER (WHERE is_open AND is_mine IS NOT TRUE), '{}') AS fresh,
        coalesce(array_agg(index ORDER BY index) FILTER (WHERE NOT is_open AND is_mine IS NOT TRUE), '{}') AS taken
    FROM seen
), judged AS (
    SELECT
        coalesce(mine.id, %(new_hold)s) AS hold,
        mine.state AS mine_state,
        mine.is_over AS mine_is_over,
        coalesce(cardinality(mine.seats), 0) AS held,
        owned.seats AS owned,
        coalesce(mine.expires_at, statement_timestamp() + make_interval(secs => %(hold_seconds)s)) AS until,
        coalesce(mine.extended, false) AS extended,
        counted.usable,
        counted.fresh,
        counted.taken,
        counted.usable = %(quantity)s
            AND mine.state IS DISTINCT FROM 'paying'
            AND mine.is_over IS NOT TRUE
            AND coalesce(cardinality(mine.seats), 0) + owned.seats + cardinality(counted.fresh) <= %(max_per_fan)s
            AS is_granted
    FROM counted CROSS JOIN owned LEFT JOIN mine ON true
), moved AS (
    UPDATE inventory_seat s
    SET state = 1, hold = j.hold, held_until = j.until, version = s.version + 1
    FROM judged j
    -- No condition on the state here: this scan sees the rows as of the statement's start, and would pass over a seat that
    -- was given back between then and the lock. What was judged is the locked row; the edge trigger judges it again.
    WHERE j.is_granted AND s.event_id = %(event)s AND s.index = ANY(j.fresh)
    RETURNING s.index, s.tier
), kept AS (
    INSERT INTO inventory_hold AS h (id, event_id, fan, state, seats, expires_at, extended, created_at)
    SELECT j.hold, %(event)s, %(fan)s, 'live', j.fresh, j.until, false, statement_timestamp()
    FROM judged j WHERE j.is_granted
    ON CONFLICT (id) DO UPDATE SET seats = (SELECT array_agg(i ORDER BY i) FROM unnest(h.seats || excluded.seats) i)
    RETURNING h.id
)
SELECT
    j.is_granted, j.hold, j.mine_state, j.mine_is_over, j.held, j.owned, j.until, j.extended, clock_timestamp(),
    j.usable, j.fresh, j.taken,
    (SELECT count(*) FROM moved)::int AS moved,
    (SELECT count(*) FROM kept)::int AS kept,
    (
        SELECT json_agg(json_build_array(x.index, x.tier, t.amount) ORDER BY x.index)
        FROM (
            SELECT index, tier FROM moved
            UNION ALL
            SELECT s.index, s.tier FROM inventory_seat s JOIN mine ON s.index = ANY(mine.seats)
            WHERE s.event_id = %(event)s
        ) x
        JOIN events_pricetier t ON t.event_id = %(event)s AND t.number = x.tier
    ) AS seats
FROM judged j
