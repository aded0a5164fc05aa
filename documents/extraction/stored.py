"""The text of a stored file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.connections import release_connection
from documents.files import local_path

from .sandbox import extract

if TYPE_CHECKING:
    from documents.models import Document
    from documents.types import Extracted


def extract_stored(document: Document) -> Extracted:
    """What a document's file holds. No connection to the database is held while it is fetched and read.

    Raises:
        ExtractionError, OSError: as `sandbox.extract`, and the storage.
    """
    release_connection()
    with local_path(document.file.storage, document.file.name or "") as path:
        return extract(path, media_type=document.media_type)
