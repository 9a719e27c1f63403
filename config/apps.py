"""The `config` app: how Onsale runs."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as BaseAdminConfig

from config.celery import app as celery_app

__all__ = ["AdminConfig", "ConfigConfig", "celery_app"]  # Every process sends its tasks to this Celery application.


class ConfigConfig(AppConfig):
    """Carries the commands that run the whole stack (`demo`, `test`)."""

    name = "config"


class AdminConfig(BaseAdminConfig):
    """Django's admin, on our own site."""

    default_site = "inventory.back_office.BackOffice"
