"""Reads an upload on a worker when there is one, else at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings

from .ingestion import process

if TYPE_CHECKING:
    from .models import Document

logger = logging.getLogger(__name__)


def read_soon(document: Document) -> Document:
    """Hand the document to a worker, and give it back as it is; without a broker that answers, read it now."""
    if not settings.CELERY_BROKER_URL:
        return process(document)
    from kombu.exceptions import OperationalError

    from .tasks import read_document

    try:
        read_document.delay(document.pk, document.sha256)
    except OperationalError as exc:
        logger.warning("The broker does not answer, so document %s is read at once: %s", document.pk, exc)
        return process(document)
    return document
