"""What a worker does with documents. Imported only by workers: Celery is in requirements-production.txt."""

from __future__ import annotations

from celery import shared_task

from .ingestion import process
from .models import Document
from .queue import READ_DOCUMENT, READ_VERSION
from .versions import read_staged


# Doing it twice is doing it once: a document is replaced whole.
@shared_task(name=READ_DOCUMENT)
def read_document(pk: int, sha256: str) -> None:
    """Read a stored file, unless that was done meanwhile, or the document is gone or has other bytes."""
    document = Document.objects.light().filter(pk=pk, sha256=sha256).exclude(status=Document.Status.READY).first()
    if document is not None:
        process(document)


@shared_task(name=READ_VERSION)
def read_version(pk: int, name: str) -> None:
    """Read the new version of a document that is stored as this file, unless that was done or overtaken."""
    read_staged(pk, name)
