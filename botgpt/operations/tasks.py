"""What a worker does by the clock. Imported only by workers: Celery is in requirements-production.txt."""

from __future__ import annotations

from celery import shared_task

from . import tidying


@shared_task(name="botgpt.operations.tasks.tidy")
def tidy() -> None:
    """Remove what is of no use any more."""
    tidying.tidy()
