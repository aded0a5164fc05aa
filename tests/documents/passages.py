"""Documents for tests of search, indexed without a file: as quick to make as they are to read."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from documents.indexing import index_document
from documents.models import Document
from documents.types import Extracted, Heading, PageSpan

if TYPE_CHECKING:
    from collections.abc import Sequence

_digests = count()


def indexed(
    text: str, *, title: str = "", headings: Sequence[Heading] = (), pages: Sequence[PageSpan] = ()
) -> Document:
    """A ready document that everyone sees."""
    document = Document.objects.create(
        filename="notes.txt", metadata={"title": title}, sha256=f"passages-{next(_digests)}"
    )
    index_document(
        document, Extracted(text=text, media_type="text/plain", headings=tuple(headings), pages=tuple(pages))
    )
    return document


def ids(*documents: Document) -> list[int]:
    return [document.pk for document in documents]
