"""The programme: one row per public event, complete in itself, for listing and search.

`events_similar` answers a misspelt search from a trigram index. The threshold belongs to the function, because it is an
operator's setting in pg_trgm: a session that forgot it would find too little without a word.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Upper

# word_similarity of a word with one slip in it ("hamlte") is about 0.5; of a stranger, under 0.3.
SIMILAR = """
CREATE FUNCTION events_similar(wanted text, since timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE SET pg_trgm.word_similarity_threshold = 0.42 AS $$
    SELECT event_id FROM events_programmerow WHERE words %> lower(unaccent(wanted)) AND over_at > since
$$;
"""

# A sale changes none of a row's indexed columns: with room in the page, its refresh is a heap-only update.
STORAGE = "ALTER TABLE events_programmerow SET (fillfactor = 80);"

SIMILAR_UNDO = "DROP FUNCTION events_similar(text, timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("events", "0002_search_and_version"), ("seating", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ProgrammeRow",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="events.event",
                    ),
                ),
                ("version", models.BigIntegerField(help_text="Of the event it was made from.")),
                ("slug", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=160)),
                ("subtitle", models.CharField(blank=True, max_length=200)),
                ("category", models.CharField(max_length=10)),
                ("image", models.CharField(blank=True, max_length=100)),
                ("status", models.CharField(max_length=10)),
                ("sale_switch", models.CharField(max_length=8)),
                ("max_per_fan", models.PositiveSmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("over_at", models.DateTimeField(help_text="When it is no longer to come: its end, or the usual one.")),
                ("local_day", models.DateField(help_text="The day it begins on the venue's calendar.")),
                ("venue_name", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=80)),
                ("timezone", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("unit", models.IntegerField(help_text="Minor units in one whole unit of the currency.")),
                ("tiers", models.JSONField(help_text="Number, name and amount of every price, in order.")),
                ("amounts", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("from_amount", models.IntegerField(null=True)),
                ("to_amount", models.IntegerField(null=True)),
                ("windows", models.JSONField(help_text="Name, access and times of every sale window, in order.")),
                (
                    "opens_at",
                    models.DateTimeField(
                        help_text="When the first public window that has not closed opens.", null=True
                    ),
                ),
                ("closes_at", models.DateTimeField(help_text="When the last public window closes.", null=True)),
                ("turns_at", models.DateTimeField(help_text="When the clock alone changes this row.", null=True)),
                ("places", models.IntegerField(help_text="All places of its stock.")),
                ("sold", models.IntegerField()),
                ("blocked", models.IntegerField()),
                (
                    "stock",
                    models.CharField(
                        choices=[("none", "None"), ("plenty", "Plenty"), ("few", "Few left"), ("sold_out", "Sold out")],
                        max_length=8,
                    ),
                ),
                ("words", models.TextField(help_text="The names people look for, in lower case without accents.")),
                ("search", django.contrib.postgres.search.SearchVectorField(null=True)),
                ("made_at", models.DateTimeField()),
                (
                    "organizer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="events.organizer",
                    ),
                ),
                (
                    "venue",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="seating.venue",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["over_at", "starts_at", "event"], name="events_row_coming"),
                    models.Index(Upper("city"), "over_at", name="events_row_city"),
                    models.Index(fields=["organizer", "over_at"], name="events_row_organizer"),
                    models.Index(fields=["venue", "over_at"], name="events_row_venue"),
                    models.Index(fields=["opens_at"], name="events_row_opens"),
                    models.Index(
                        condition=models.Q(("turns_at__isnull", False)), fields=["turns_at"], name="events_row_turns"
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["search"], name="events_row_search"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["words"], name="events_row_words", opclasses=["gin_trgm_ops"]
                    ),
                ],
            },
        ),
        migrations.RunSQL(SIMILAR, SIMILAR_UNDO),
        migrations.RunSQL(STORAGE, ""),
        # Nothing looks for events by these words any more; the column stays, as what the row's are copied from.
        migrations.RemoveIndex(model_name="event", name="events_event_search"),
    ]
