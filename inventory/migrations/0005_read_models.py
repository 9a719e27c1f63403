"""What feeds the read models: the sales board's table, which refund gave a line back, and triggers that write messages.

The programme's row is made from events, prices, windows, venues, organizers and stock. Whoever changes one of them, a verb,
the back office or a psql session, leaves a message in the same transaction; a sale leaves one a statement, when seats
become or cease to be sold or blocked, and none for a hold.
"""

import django.db.models.deletion
from django.db import migrations, models

MESSAGES = """
CREATE FUNCTION inventory_event_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inventory_outbox (id, topic, payload, subscriber, attempts, due_at, created_at)
    SELECT gen_random_uuid(), 'event.changed', jsonb_build_object('event', id), 'listing', 0, now(), now()
    FROM new_events;
    RETURN NULL;
END $$;

CREATE FUNCTION inventory_event_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inventory_outbox (id, topic, payload, subscriber, attempts, due_at, created_at)
    SELECT gen_random_uuid(), 'event.changed', jsonb_build_object('event', n.id), 'listing', 0, now(), now()
    FROM new_events n JOIN old_events o USING (id) WHERE n.version <> o.version;
    RETURN NULL;
END $$;

CREATE FUNCTION inventory_stock_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two looks at a few rows: all that a hold pays.
    IF NOT EXISTS (SELECT FROM new_seats WHERE state IN (3, 4))
        AND NOT EXISTS (SELECT FROM old_seats WHERE state IN (3, 4)) THEN
        RETURN NULL;
    END IF;
    INSERT INTO inventory_outbox (id, topic, payload, subscriber, attempts, due_at, created_at)
    SELECT gen_random_uuid(), 'stock.changed', jsonb_build_object('event', event_id), 'listing', 0, now(), now()
    FROM (
        SELECT DISTINCT n.event_id FROM new_seats n JOIN old_seats o USING (event_id, index)
        WHERE (n.state IN (3, 4)) <> (o.state IN (3, 4))
    ) moved;
    RETURN NULL;
END $$;

CREATE FUNCTION inventory_stock_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inventory_outbox (id, topic, payload, subscriber, attempts, due_at, created_at)
    SELECT gen_random_uuid(), 'stock.changed', jsonb_build_object('event', event_id), 'listing', 0, now(), now()
    FROM changed_seats GROUP BY event_id;
    RETURN NULL;
END $$;

CREATE TRIGGER inventory_event_inserted AFTER INSERT ON events_event
REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION inventory_event_changed();
CREATE TRIGGER inventory_event_updated AFTER UPDATE ON events_event
REFERENCING OLD TABLE AS old_events NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION inventory_event_updated();
CREATE TRIGGER inventory_stock_moved AFTER UPDATE ON inventory_seat
REFERENCING OLD TABLE AS old_seats NEW TABLE AS new_seats FOR EACH STATEMENT EXECUTE FUNCTION inventory_stock_moved();
CREATE TRIGGER inventory_stock_inserted AFTER INSERT ON inventory_seat
REFERENCING NEW TABLE AS changed_seats FOR EACH STATEMENT EXECUTE FUNCTION inventory_stock_made();
CREATE TRIGGER inventory_stock_deleted AFTER DELETE ON inventory_seat
REFERENCING OLD TABLE AS changed_seats FOR EACH STATEMENT EXECUTE FUNCTION inventory_stock_made();
"""

MESSAGES_UNDO = """
DROP TRIGGER inventory_event_inserted ON events_event;
DROP TRIGGER inventory_event_updated ON events_event;
DROP TRIGGER inventory_stock_moved ON inventory_seat;
DROP TRIGGER inventory_stock_inserted ON inventory_seat;
DROP TRIGGER inventory_stock_deleted ON inventory_seat;
DROP FUNCTION inventory_event_changed();
DROP FUNCTION inventory_event_updated();
DROP FUNCTION inventory_stock_moved();
DROP FUNCTION inventory_stock_made();
"""

# The log is the only place that knows which refund a line went back with.
LINES_OF_OLD_REFUNDS = """
UPDATE inventory_orderline l SET refund_id = (a.detail->>'refund')::uuid
FROM inventory_auditentry a
WHERE a.action = 'order.refunded' AND a.detail ? 'refund' AND a.subject = l.order_id::text AND NOT l.active
    AND a.detail->'seats' @> to_jsonb(l.index)
"""

# What was there before the triggers: the first run of the feed makes these rows.
ASK_FOR_EVERY_ROW = """
INSERT INTO inventory_outbox (id, topic, payload, subscriber, attempts, due_at, created_at)
SELECT gen_random_uuid(), 'event.changed', jsonb_build_object('event', id), 'listing', 0, now(), now() FROM events_event
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0004_webhook_inbox"), ("events", "0003_programme")]

    operations = [
        migrations.AddField(
            model_name="orderline",
            name="refund",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="inventory.refund"
            ),
        ),
        migrations.CreateModel(
            name="SalesMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event", "tier", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tier", models.SmallIntegerField(help_text="PriceTier.number.")),
                ("minute", models.DateTimeField()),
                ("sold", models.IntegerField(help_text="Tickets.")),
                ("taken", models.BigIntegerField(help_text="Their prices.")),
                ("fees", models.BigIntegerField(help_text="Their fees.")),
                ("refunded", models.IntegerField(help_text="Tickets given back.")),
                ("returned", models.BigIntegerField(help_text="Their prices.")),
                ("fees_returned", models.BigIntegerField(help_text="Their fees.")),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="events.event"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="outbox",
            index=models.Index(
                condition=models.Q(("subscriber__in", ["listing", "board"])),
                fields=["subscriber", "due_at"],
                name="outbox_batched",
            ),
        ),
        migrations.RunSQL(MESSAGES, MESSAGES_UNDO),
        migrations.RunSQL(LINES_OF_OLD_REFUNDS, ""),
        migrations.RunSQL(ASK_FOR_EVERY_ROW, ""),
    ]
