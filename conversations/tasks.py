"""What a worker does for conversations. Imported only by workers: Celery is in requirements-production.txt."""

from __future__ import annotations

import datetime as dt
import logging

from celery import shared_task

from . import summarizing, working
from .jobs import ANSWER
from .privacy import PURGE, delete, inactive_since
from .summarizing import FOLD

logger = logging.getLogger(__name__)


@shared_task(name=ANSWER)
def answer(reply_id: int) -> None:
    """Generate a reply."""
    working.answer(reply_id)


@shared_task(name=FOLD)
def fold(reply_id: int, request_id: str) -> None:
    """Fold the older messages before a reply into the conversation's summary."""
    summarizing.fold_before(reply_id, request_id=request_id)


@shared_task(name=PURGE)
def purge(moment: str) -> None:
    """Delete the conversations without activity since that moment, in ISO 8601."""
    done = sum(len(ids) for ids in delete(inactive_since(dt.datetime.fromisoformat(moment))))
    logger.info("Deleted %s conversations without activity since %s", done, moment)
