"""The demo's documents: four of one company that does not exist, so that one answers what another leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.files import File

from documents.ingestion import add_document
from documents.models import Document

from . import FOLDER

if TYPE_CHECKING:
    from botgpt.accounts.models import User


# What a client may suggest to ask; the chat page does.
QUESTIONS: dict[str, list[str]] = {
    "alta-user-manual.pdf": ["How long is the warranty on the Alta?", "How often is the Alta descaled?"],
    "employee-handbook.md": [
        "How long may I work from another country?",
        "What may a hotel in London cost?",
    ],
    "returns-and-refunds.html": ["Until when can a machine be returned?", "Who pays for the shipping of a return?"],
    "service-and-spare-parts.docx": ["What does a repair outside the warranty cost?", "How long does a repair take?"],
}


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
            metadata = {"questions": QUESTIONS[path.name]}
            document, created = add_document(owner=user, file=File(stream), filename=path.name, metadata=metadata)
        if document.status != Document.Status.READY:
            raise DemoDocumentFailed(f"{path.name}: {document.error or document.status}")
        documents[path.name] = document
        added += created
    return documents, added
