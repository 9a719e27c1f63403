"""The traffic of a sale's opening, kept to warm a later sale with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0003_programme"), ("inventory", "0005_read_models")]

    operations = [
        migrations.CreateModel(
            name="TrafficShape",
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
                ("opened_at", models.DateTimeField(db_index=True)),
                (
                    "rows",
                    models.JSONField(help_text="[address template, encoding, [requests in each ten seconds]] each."),
                ),
            ],
        ),
    ]
