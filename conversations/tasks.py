"""What a worker does for conversations. Imported only by workers: Celery is in requirements-production.txt."""

from __future__ import annotations

from celery import shared_task

from . import working
from .jobs import ANSWER


@shared_task(name=ANSWER)
def answer(reply_id: int) -> None:
    """Generate a reply."""
    working.answer(reply_id)
