"""The Celery application: `celery --app botgpt.celery worker`, see decisions 21 and 25."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")

app = Celery("botgpt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """A worker logs as the settings say; Celery would set a level and a format of its own."""
