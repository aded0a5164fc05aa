"""The Celery application: `celery --app botgpt.celery worker`, see decisions 21 and 25."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_ready, worker_shutdown
from django.apps import apps

from botgpt.operations import worker_metrics

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")

if "worker" in sys.argv and not apps.apps_ready:
    worker_metrics.share()  # Celery has the applications loaded before it sends the first signal

app = Celery("botgpt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """A worker logs as the settings say; Celery would set a level and a format of its own."""


@worker_ready.connect
def serve_metrics(**_: Any) -> None:
    """The worker's first process answers Prometheus."""
    worker_metrics.serve()


@worker_process_init.connect
def warm(**_: Any) -> None:
    """Build the provider's client before the first reply needs it, as the web processes do."""
    from llm.providers import registry

    registry.warm()


@worker_shutdown.connect
def leave_no_metrics(**_: Any) -> None:
    """The last that it does."""
    worker_metrics.leave()
