"""A user's documents, to hand over or to erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .batches import in_batches
from .models import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.db.models.fields.files import FieldFile

BATCH = 20  # deleting one loads its chunks
COLUMNS = (
    *("id", "filename", "media_type", "size", "sha256", "version", "status", "error", "char_count", "page_count"),
    *("chunk_count", "metadata", "created_at", "updated_at"),
)


class FilesLeft(Exception):
    """Stored files that could not be deleted; their rows are gone."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"The storage did not delete {', '.join(names)}.")


def owned_by(user_id: int) -> QuerySet[Document]:
    """Those of the user; what is shared with everyone is nobody's."""
    return Document.objects.light().filter(owner=user_id)


def exported(user_id: int) -> Iterator[tuple[dict[str, Any], FieldFile]]:
    """Each document as a dict, and its file as it was uploaded."""
    for batch in in_batches(owned_by(user_id), size=BATCH):
        for document in batch:
            yield {name: getattr(document, name) for name in COLUMNS}, document.file


def erase(user_id: int) -> Iterator[list[int]]:
    """Delete the documents with their text, chunks, vectors, indexes and files; gives the ids of each batch.

    Raises:
        FilesLeft: at the end; everything else is gone.
    """
    left: list[str] = []
    for batch in in_batches(owned_by(user_id), size=BATCH):
        ids = [document.pk for document in batch]
        Document.objects.light().filter(pk__in=ids).delete()
        stored = [document.file for document in batch if document.file]
        left += [str(file.name) for file in stored if file.storage.exists(str(file.name))]
        yield ids
    if left:
        raise FilesLeft(left)
