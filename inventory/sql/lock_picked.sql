    -- NOWAIT: somebody else is deciding about one of these seats now, so this fan is told at once and waits for nobody.
    -- In one order for everybody, so that of many fans after the same seats one wins.
    SELECT s.index, s.tier, s.state, s.hold, s.held_until
    FROM inventory_seat s
    WHERE s.event_id = %(event)s AND s.index = ANY(%(indexes)s)
    ORDER BY s.index
    FOR UPDATE NOWAIT
