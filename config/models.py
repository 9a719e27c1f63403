"""What is kept of how the site runs."""

from django.db import models


class KnobSetting(models.Model):
    """A knob that does not stand at its default; the knobs themselves, with their bounds, are in `config/knobs.py`."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.CharField(max_length=40)

    class Meta:
        db_table = "config_knob"
