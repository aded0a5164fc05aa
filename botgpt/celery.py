"""The Celery application: `celery --app botgpt.celery worker` reads documents, see decision 21."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botgpt.settings")

app = Celery("botgpt")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
