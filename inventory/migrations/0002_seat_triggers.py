"""What the database itself guarantees about seats and the audit log, whoever writes to it.

- A seat moves only along the edges of the design, its version rises when it does, and no hold takes it from another in its time.
- Every statement that changes seats leaves its SeatChange rows (for the relay) and its AuditEntry (for people) in the same
  transaction, so that no writer can forget either. Creating and deleting stock leaves one SeatChange an event, with index -1:
  "read the whole plane again".
- The audit log can only grow.
"""

from django.db import migrations

EDGES = """
CREATE FUNCTION inventory_refuse_seat_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'seat % of % cannot go from state % (version %, hold %) to state % (version %, hold %)',
        OLD.index, OLD.event_id, OLD.state, OLD.version, OLD.hold, NEW.state, NEW.version, NEW.hold
        USING ERRCODE = 'check_violation', CONSTRAINT = 'inventory_seat_edge';
END $$;

-- The condition is evaluated without calling the function, so a legal move costs next to nothing.
CREATE TRIGGER inventory_seat_edge BEFORE UPDATE ON inventory_seat FOR EACH ROW
WHEN (
    (OLD.state <> NEW.state AND (
        NEW.version <= OLD.version
        OR NOT (OLD.state * 10 + NEW.state) IN (1, 4, 10, 12, 20, 21, 23, 30, 40)
    ))
    OR (NEW.hold <> OLD.hold AND OLD.held_until > clock_timestamp())
)
EXECUTE FUNCTION inventory_refuse_seat_edge();
"""

EDGES_UNDO = """
DROP TRIGGER inventory_seat_edge ON inventory_seat;
DROP FUNCTION inventory_refuse_seat_edge();
"""

CHANGES = """
CREATE FUNCTION inventory_seats_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor text := coalesce(nullif(current_setting('onsale.actor', true), ''),
                           'system:' || coalesce(nullif(current_setting('application_name'), ''), 'database'));
BEGIN
    -- held (1) and paying (2) look the same from outside.
    INSERT INTO inventory_seatchange (event_id, index, state, version, at)
    SELECT n.event_id, n.index, n.state, n.version, clock_timestamp()
    FROM new_seats n JOIN old_seats o USING (event_id, index)
    WHERE n.state <> o.state AND NOT (n.state IN (1, 2) AND o.state IN (1, 2));

    INSERT INTO inventory_auditentry (at, actor, event_id, action, subject, detail)
    SELECT clock_timestamp(), left(actor, 80), n.event_id,
           'seat.' || (ARRAY['freed', 'held', 'paying', 'sold', 'blocked'])[n.state + 1],
           coalesce(n.hold, n.order, o.hold, o.order, n.event_id)::text,
           jsonb_build_object('from', o.state, 'to', n.state, 'seats', jsonb_agg(n.index ORDER BY n.index))
    FROM new_seats n JOIN old_seats o USING (event_id, index)
    WHERE n.state <> o.state OR n.hold IS DISTINCT FROM o.hold
    GROUP BY n.event_id, o.state, n.state, coalesce(n.hold, n.order, o.hold, o.order, n.event_id);
    RETURN NULL;
END $$;

CREATE FUNCTION inventory_stock_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    actor text := coalesce(nullif(current_setting('onsale.actor', true), ''),
                           'system:' || coalesce(nullif(current_setting('application_name'), ''), 'database'));
BEGIN
    INSERT INTO inventory_seatchange (event_id, index, state, version, at)
    SELECT event_id, -1, 0, 0, clock_timestamp() FROM changed_seats GROUP BY event_id;

    INSERT INTO inventory_auditentry (at, actor, event_id, action, subject, detail)
    SELECT clock_timestamp(), left(actor, 80), event_id,
           CASE TG_OP WHEN 'INSERT' THEN 'stock.created' ELSE 'stock.deleted' END,
           event_id::text, jsonb_build_object('seats', count(*))
    FROM changed_seats GROUP BY event_id;
    RETURN NULL;
END $$;

CREATE TRIGGER inventory_seat_moved AFTER UPDATE ON inventory_seat
REFERENCING OLD TABLE AS old_seats NEW TABLE AS new_seats
FOR EACH STATEMENT EXECUTE FUNCTION inventory_seats_moved();

CREATE TRIGGER inventory_seat_created AFTER INSERT ON inventory_seat
REFERENCING NEW TABLE AS changed_seats
FOR EACH STATEMENT EXECUTE FUNCTION inventory_stock_changed();

CREATE TRIGGER inventory_seat_deleted AFTER DELETE ON inventory_seat
REFERENCING OLD TABLE AS changed_seats
FOR EACH STATEMENT EXECUTE FUNCTION inventory_stock_changed();
"""

CHANGES_UNDO = """
DROP TRIGGER inventory_seat_moved ON inventory_seat;
DROP TRIGGER inventory_seat_created ON inventory_seat;
DROP TRIGGER inventory_seat_deleted ON inventory_seat;
DROP FUNCTION inventory_seats_moved();
DROP FUNCTION inventory_stock_changed();
"""

APPEND_ONLY = """
CREATE FUNCTION inventory_refuse_audit_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log can only grow' USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER inventory_audit_append_only BEFORE UPDATE OR DELETE ON inventory_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION inventory_refuse_audit_rewrite();
"""

APPEND_ONLY_UNDO = """
DROP TRIGGER inventory_audit_append_only ON inventory_auditentry;
DROP FUNCTION inventory_refuse_audit_rewrite();
"""

# Room in every page lets a hold be a heap-only update. The two queue tables are emptied as fast as they fill, so they are
# vacuumed by count of dead rows, not by share of a table that is nearly always empty.
STORAGE = """
ALTER TABLE inventory_seat SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
ALTER TABLE inventory_seatchange SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE inventory_outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
"""

STORAGE_UNDO = """
ALTER TABLE inventory_seat RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay);
ALTER TABLE inventory_seatchange RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
ALTER TABLE inventory_outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]

    operations = [
        migrations.RunSQL(EDGES, EDGES_UNDO),
        migrations.RunSQL(CHANGES, CHANGES_UNDO),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(STORAGE, STORAGE_UNDO),
        # A provider may report two attempts at one order as captured. Both must be written down, so that the second is
        # given back: the payment verbs refund it under the fan's lock.
        migrations.RemoveConstraint("payment", "inventory_payment_captured_once"),
    ]
