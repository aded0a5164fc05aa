"""Hands work to the workers where a broker is configured and answers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone

from .ingestion import STUCK_AFTER, process
from .models import Document
from .versions import replace_file, replace_later

if TYPE_CHECKING:
    from django.core.files import File

logger = logging.getLogger(__name__)

READ_DOCUMENT: Final = "documents.tasks.read_document"
READ_VERSION: Final = "documents.tasks.read_version"


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


def replace_soon(
    document: Document, *, file: File[bytes], filename: str, metadata: dict[str, Any] | None
) -> tuple[Document, bool]:
    """Have a worker read a new version; without one read it now. The document, and whether it has the new version.

    Raises:
        RejectedFile, ExtractionError, DocumentChanged: see `versions`.
    """
    new: dict[str, Any] = {"file": file, "filename": filename, "metadata": metadata}
    if settings.CELERY_BROKER_URL and replace_later(document, **new, hand_over=_order_version):
        return document, False
    return replace_file(document, **new), True


def read_forgotten() -> int:
    """Tell the workers again of documents that no work was noted on for long: a queue may have been lost; how many."""
    silent = Document.objects.light().filter(updated_at__lt=timezone.now() - STUCK_AFTER)
    told = [
        hand_over(READ_DOCUMENT, document.pk, document.sha256)
        for document in silent.filter(status__in=[Document.Status.PENDING, Document.Status.PROCESSING])
    ]
    told += [
        hand_over(READ_VERSION, document.pk, document.staged["file"])
        for document in silent.filter(staged__isnull=False)
        if document.staged
    ]
    return sum(told)


def _order_version(pk: int, name: str) -> bool:
    return hand_over(READ_VERSION, pk, name)
