"""The `inventory` app: who holds, who bought."""

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """Seats, holds, orders, payments and tickets."""

    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
