from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class OperationsConfig(AppConfig):
    name = "botgpt.operations"
    label = "operations"
    default = True

    def ready(self) -> None:
        from . import activity, metrics  # noqa: F401  receive signals from their import on


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in place of its own."""

    default = False
    default_site = "botgpt.operations.admin_site.AdminSite"
