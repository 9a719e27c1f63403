"""What the database itself keeps true of an event, whoever writes to it.

- `version` rises in the transaction of every change that the event's public page shows: of the event, its prices, its
  sale windows, its venue and its organizer. It never falls, so a stale `save()` cannot bring an old cached page back.
- `search` is built of the words people look for, weighted, and is rebuilt whenever `version` rises.

Seats are not among its sources: a sale never touches the event's row.
"""

from django.db import migrations

# Accents are folded and words are stemmed, but no word is left out: "The Who" consists of stop words.
CONFIGURATION = """
CREATE TEXT SEARCH DICTIONARY onsale_stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION onsale (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION onsale
    ALTER MAPPING FOR asciiword, word, hword, hword_part, asciihword, hword_asciipart WITH unaccent, onsale_stem;
"""

CONFIGURATION_UNDO = """
DROP TEXT SEARCH CONFIGURATION onsale;
DROP TEXT SEARCH DICTIONARY onsale_stem;
"""

EVENT = """
CREATE FUNCTION events_event_written() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own constant text[] := '{version,search}';
    place record;
    host text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.version := greatest(NEW.version, OLD.version);
        IF to_jsonb(NEW) - own IS DISTINCT FROM to_jsonb(OLD) - own THEN
            NEW.version := NEW.version + 1;
        END IF;
        IF NEW.version = OLD.version AND OLD.search IS NOT NULL THEN
            NEW.search := OLD.search;
            RETURN NEW;
        END IF;
    END IF;
    SELECT name, city INTO place FROM seating_venue WHERE id = NEW.venue_id;
    SELECT name INTO host FROM events_organizer WHERE id = NEW.organizer_id;
    NEW.search :=
        setweight(to_tsvector('onsale', NEW.name), 'A')
        || setweight(to_tsvector('onsale', NEW.subtitle || ' ' || NEW.category), 'B')
        || setweight(to_tsvector('onsale', concat_ws(' ', place.name, place.city, host)), 'C')
        || setweight(to_tsvector('onsale', NEW.description), 'D');
    RETURN NEW;
END $$;

CREATE TRIGGER events_event_written BEFORE INSERT OR UPDATE ON events_event
FOR EACH ROW EXECUTE FUNCTION events_event_written();
"""

EVENT_UNDO = """
DROP TRIGGER events_event_written ON events_event;
DROP FUNCTION events_event_written();
"""

# Events are locked in the order of their ids: two writers of venues and organizers cannot wait for each other in a ring.
SOURCES = """
CREATE FUNCTION events_part_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE events_event SET version = version + 1 WHERE id = OLD.event_id;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.event_id <> OLD.event_id THEN
        UPDATE events_event SET version = version + 1 WHERE id = NEW.event_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION events_venue_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM events_event WHERE venue_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE events_event SET version = version + 1 WHERE venue_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION events_organizer_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM events_event WHERE organizer_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE events_event SET version = version + 1 WHERE organizer_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER events_tier_inserted_or_deleted AFTER INSERT OR DELETE ON events_pricetier
FOR EACH ROW EXECUTE FUNCTION events_part_written();
CREATE TRIGGER events_tier_updated AFTER UPDATE ON events_pricetier
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION events_part_written();

CREATE TRIGGER events_window_inserted_or_deleted AFTER INSERT OR DELETE ON events_salewindow
FOR EACH ROW EXECUTE FUNCTION events_part_written();
CREATE TRIGGER events_window_updated AFTER UPDATE ON events_salewindow
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION events_part_written();

CREATE TRIGGER events_venue_updated AFTER UPDATE ON seating_venue
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION events_venue_written();

CREATE TRIGGER events_organizer_updated AFTER UPDATE ON events_organizer
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION events_organizer_written();
"""

SOURCES_UNDO = """
DROP TRIGGER events_organizer_updated ON events_organizer;
DROP TRIGGER events_venue_updated ON seating_venue;
DROP TRIGGER events_window_updated ON events_salewindow;
DROP TRIGGER events_window_inserted_or_deleted ON events_salewindow;
DROP TRIGGER events_tier_updated ON events_pricetier;
DROP TRIGGER events_tier_inserted_or_deleted ON events_pricetier;
DROP FUNCTION events_organizer_written();
DROP FUNCTION events_venue_written();
DROP FUNCTION events_part_written();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial"), ("seating", "0001_initial")]

    operations = [
        migrations.RunSQL(CONFIGURATION, CONFIGURATION_UNDO),
        migrations.RunSQL(EVENT, EVENT_UNDO),
        migrations.RunSQL(SOURCES, SOURCES_UNDO),
        # Events that were there before the trigger.
        migrations.RunSQL("UPDATE events_event SET version = version + 1 WHERE search IS NULL", ""),
    ]
