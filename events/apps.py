"""The `events` app: what is on, when it goes on sale, who gets in."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Organizers, events, price tiers and sale windows."""

    name = "events"
    verbose_name = "Programme"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of `manage.py check`."""
        from events import checks  # noqa: F401
