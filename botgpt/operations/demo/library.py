"""The demo's documents: four of one company that does not exist, so that one answers what another leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.files import File

from documents.ingestion import add_document
from documents.models import Document

from . import FOLDER

if TYPE_CHECKING:
    from botgpt.accounts.models import User


class DemoDocumentFailed(Exception):
    """One of our own files could not be read."""


def ensure_documents(user: User) -> tuple[dict[str, Document], int]:
    """The documents by file name, read and indexed by the usual way in; and how many of them are new.

    Raises:
        DemoDocumentFailed: reading one failed.
    """
    documents, added = {}, 0
    for path in sorted(FOLDER.iterdir()):
        with path.open("rb") as stream:
            document, created = add_document(owner=user, file=File(stream), filename=path.name, metadata={})
        if document.status != Document.Status.READY:
            raise DemoDocumentFailed(f"{path.name}: {document.error or document.status}")
        documents[path.name] = document
        added += created
    return documents, added
