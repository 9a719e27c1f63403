-- Frees the seats that still belong to holds which ran out. Seats that somebody else has taken over since are not theirs.
WITH locked AS (
    SELECT s.event_id, s.index
    FROM inventory_hold h
    JOIN inventory_seat s ON s.event_id = h.event_id AND s.index = ANY(h.seats) AND s.hold = h.id
    WHERE h.id = ANY(%(holds)s)
    ORDER BY s.event_id, s.index
    FOR UPDATE OF s
)
UPDATE inventory_seat s
SET state = 0, hold = NULL, held_until = NULL, version = s.version + 1
FROM locked
WHERE s.event_id = locked.event_id AND s.index = locked.index AND s.hold = ANY(%(holds)s)
