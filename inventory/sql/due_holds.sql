-- Takes the turns of fans whose holds have run out, oldest first. A fan who is in the middle of something keeps his turn
-- and is left for the next sweep, so the sweeper waits for nobody and nobody can wait for it in a circle.
SELECT h.id, h.event_id, set_config('onsale.actor', %(actor)s, true)
FROM inventory_hold h JOIN inventory_fanlimit f ON f.event_id = h.event_id AND f.fan = h.fan
WHERE h.state IN ('live', 'paying') AND h.expires_at <= statement_timestamp()
ORDER BY h.expires_at
LIMIT %(limit)s
FOR UPDATE OF f SKIP LOCKED
