"""The `config` app: how Onsale runs."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Carries the commands that run the whole stack (`demo`, `test`)."""

    name = "config"
