    -- SKIP LOCKED: seats that somebody else is deciding about now are passed over, so that a thousand fans who all want
    -- "the best two" spread over the hall and none of them waits.
    SELECT s.index, s.tier, s.state, s.hold, s.held_until
    FROM inventory_seat s
    WHERE s.event_id = %(event)s AND s.index = ANY(%(indexes)s)
        AND (s.state = 0 OR (s.state IN (1, 2) AND s.held_until <= statement_timestamp()))
    ORDER BY s.index
    LIMIT %(quantity)s
    FOR UPDATE SKIP LOCKED
