"""Brings documents up to the current index and embedding model, from what is stored of them.

The text of a document never changes by this, since answers cite it by offsets. Where headings and pages lie is read
from the stored file once more; if that is gone or gives another text now, it is recovered from the chunks.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import BinaryField
from django.db.models.functions import Substr

from .embeddings import embedder
from .embeddings.calls import booked_to
from .errors import DocumentChanged, ExtractionError
from .extraction.stored import extract_stored
from .indexing import index_document, indexed_text, title_of
from .models import Document
from .search import lexical, vectors
from .types import Extracted, Heading, PageSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .embeddings.base import Embedder
    from .models import Chunk

logger = logging.getLogger(__name__)


def outdated() -> list[int]:
    """The ids of the ready documents whose index is of another version or whose vectors are of another model.

    Without an engine, vectors that are there do no harm and are left.
    """
    engine = embedder()
    head = Substr("keyword_index", 1, lexical.HEADER.size, output_field=BinaryField())
    rows = Document.objects.ready().order_by("id").values_list("id", "chunk_count", "embedding_model", head)
    return [
        key
        for key, chunks, model, index in rows.iterator()
        if not lexical.is_current(index, chunks=chunks) or (engine is not None and chunks and model != engine.name)
    ]


def reindex(document: Document, *, all_of_it: bool = False) -> None:
    """Index a ready document anew: its vectors alone if its chunks and keyword index are current, else everything.

    Raises:
        EmbeddingsUnavailable: the engine is away; the vectors are as they were.
        DocumentChanged: it was deleted or changed meanwhile; nothing was written.
    """
    engine = embedder()
    if not all_of_it and lexical.is_current(document.keyword_index, chunks=document.chunk_count):
        if engine is not None:
            _embed_again(document, engine)
        return
    chunks = list(document.chunks.order_by("position"))
    index_document(document, _read_again(document) or _recovered(document, chunks))


def _embed_again(document: Document, engine: Embedder) -> None:
    title = title_of(document)
    chunks = document.chunks.order_by("position")
    passages = [indexed_text(title, heading=chunk.heading, text=chunk.text) for chunk in chunks]
    with booked_to(document.owner_id):
        matrix = engine.embed_passages(passages) if passages else None
    with transaction.atomic():
        # Whatever indexes a document touches this time.
        unchanged = Document.objects.filter(pk=document.pk, updated_at=document.updated_at)
        if not unchanged.update(embedding_model=engine.name):
            raise DocumentChanged
        vectors.store(document, model=engine.name, matrix=matrix)


def _read_again(document: Document) -> Extracted | None:
    """What the stored file holds; None if it is gone, cannot be read, or gives another text than is stored."""
    if not document.file:
        return None
    with suppress(OSError, ExtractionError):
        extracted = extract_stored(document)
        if extracted.text == document.content:
            return extracted
    logger.info("Document %s is indexed from its stored text: its file does not give it any more", document.pk)
    return None


def _recovered(document: Document, chunks: Iterable[Chunk]) -> Extracted:
    """The stored text, with the pages and the heading paths that its chunks know."""
    chunks = list(chunks)
    return Extracted(
        text=document.content,
        media_type=document.media_type,
        headings=tuple(_recovered_headings(chunks)),
        pages=_recovered_pages(document, chunks),
    )


def _recovered_headings(chunks: Iterable[Chunk]) -> Iterator[Heading]:
    """A heading with the whole path where the path changes from one chunk to the next."""
    path = ""
    for chunk in chunks:
        if chunk.heading != path:
            path = chunk.heading
            yield Heading(start=chunk.start, level=1, text=path)


def _recovered_pages(document: Document, chunks: Iterable[Chunk]) -> tuple[PageSpan, ...]:
    """All pages of the document; one that no chunk knows of is empty, and lies before the next."""
    starts: dict[int, int] = {}
    for chunk in chunks:
        if chunk.page is not None:
            starts.setdefault(chunk.page, chunk.start)
            for number, start in enumerate(chunk.page_breaks, start=chunk.page + 1):
                starts[number] = min(start, starts.get(number, start))
    pages: list[PageSpan] = []
    end = len(document.content)
    for number in range(document.page_count or 0, 0, -1):
        start = starts.get(number, end) if number > 1 else 0
        pages.insert(0, PageSpan(number=number, start=start, end=end))
        end = start
    return tuple(pages)
