-- Moves locked seats along one edge; the conditions repeat what the lock already promises, so that a mistake elsewhere
-- ends in a wrong row count and a rolled-back transaction, never in a second sale.
UPDATE inventory_seat s
SET state = %(to)s, hold = %(new_hold)s, held_until = %(held_until)s, "order" = %(new_order)s, version = s.version + 1
WHERE s.event_id = %(event)s AND s.index = ANY(%(indexes)s) AND s.state = %(from)s
    AND s.hold IS NOT DISTINCT FROM %(old_hold)s AND s."order" IS NOT DISTINCT FROM %(old_order)s
