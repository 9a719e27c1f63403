-- A fan's live hold with what its seats cost now; no row if there is none or its time has passed.
SELECT
    h.id, h.event_id, h.state, h.expires_at, h.extended, o.currency, clock_timestamp(),
    (
        SELECT json_agg(json_build_array(s.index, s.tier, t.amount) ORDER BY s.index)
        FROM inventory_seat s JOIN events_pricetier t ON t.event_id = s.event_id AND t.number = s.tier
        WHERE s.event_id = h.event_id AND s.index = ANY(h.seats)
    ) AS seats
FROM inventory_hold h
JOIN events_event e ON e.id = h.event_id
JOIN events_organizer o ON o.id = e.organizer_id
WHERE h.event_id = %(event)s AND h.fan = %(fan)s AND h.state IN ('live', 'paying') AND h.expires_at > statement_timestamp()
