"""Hands work to the workers where a broker is configured and answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.conf import settings

from .ingestion import process

if TYPE_CHECKING:
    from .models import Document

logger = logging.getLogger(__name__)

READ_DOCUMENT: Final = "documents.tasks.read_document"


def hand_over(task: str, *args: object) -> bool:
    """Have a worker run the task of this name, soon; False where there is no broker, or none that answers.

    The arguments are kept by the broker: ids, never what somebody wrote.
    """
    if not settings.CELERY_BROKER_URL:
        return False
    from celery import current_app
    from kombu.exceptions import OperationalError

    try:
        current_app.send_task(task, args)
    except OperationalError as exc:
        logger.warning("The broker does not answer, so this process does %s itself: %s", task, exc)
        return False
    return True


def read_soon(document: Document) -> Document:
    """Hand the document to a worker, and give it back as it is; without one read it now."""
    return document if hand_over(READ_DOCUMENT, document.pk, document.sha256) else process(document)
