from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps


class OperationsConfig(AppConfig):
    name = "botgpt.operations"
    label = "operations"
    default = True

    def ready(self) -> None:
        from . import activity, metrics  # noqa: F401  receive signals from their import on

        if settings.CELERY_BROKER_URL:
            from botgpt import celery  # noqa: F401  tasks find it as the current application


class AdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in place of its own."""

    default = False
    default_site = "botgpt.operations.admin_site.AdminSite"
