"""The `inventory` app: who holds, who bought."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Seats, holds, orders, payments and tickets."""

    name = "inventory"
    verbose_name = "Box office"
    default_auto_field = "django.db.models.BigAutoField"
