"""The `seating` app: what a hall is."""

from django.apps import AppConfig


class SeatingConfig(AppConfig):
    """Venues and their seating plans. Knows nothing of sales."""

    name = "seating"
    verbose_name = "Halls"
    default_auto_field = "django.db.models.BigAutoField"
