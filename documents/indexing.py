"""Makes a document searchable: cuts its text, indexes the chunks, and stores all of it in one short transaction."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.db import transaction

from .chunking import split
from .embeddings import embedder
from .embeddings.base import EmbeddingsUnavailable
from .embeddings.calls import booked_to
from .errors import DocumentChanged
from .models import Chunk, Document
from .search import lexical, vectors
from .search.analysis import language_of, terms
from .token_estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .types import Extracted

logger = logging.getLogger(__name__)

TITLE_CHARS = 255
BATCH = 2_000  # chunks that are rows in memory at a time
LANGUAGE_SAMPLE = 50_000  # characters; more of a document does not change its language


def index_document(document: Document, extracted: Extracted, *, new_version: Sequence[str] = ()) -> None:
    """Replace the document's text, chunks, keyword index and vectors, and mark it ready.

    Everything is computed before the transaction begins, so that the write lock is held for the writes alone.

    Args:
        new_version: the fields of `document` that the text's new file has changed; they are written along.

    Raises:
        DocumentChanged: it was deleted, or got a new version, since `document` was read; nothing was written.
    """
    drafts = split(extracted)
    title = title_of(document)
    passages = [indexed_text(title, heading=draft.heading, text=draft.text) for draft in drafts]
    language = language_of(extracted.text[:LANGUAGE_SAMPLE])
    keyword_index = lexical.build(
        (terms(passage, language=language, singles=True) for passage in passages), language=language
    )
    model, matrix = _embedded(passages, owner_id=document.owner_id)

    document.content = extracted.text
    document.char_count = len(extracted.text)
    document.page_count = len(extracted.pages) or None
    document.chunk_count = len(drafts)
    document.media_type = extracted.media_type
    document.keyword_index = keyword_index
    document.embedding_model = model
    document.status = Document.Status.READY
    document.progress = 100
    document.error = ""
    with transaction.atomic():
        version = document.version + bool(new_version)
        if not Document.objects.filter(pk=document.pk, version=document.version).update(version=version):
            raise DocumentChanged
        document.chunks.all().delete()
        rows = (
            Chunk(
                document=document,
                position=position,
                start=draft.start,
                end=draft.end,
                page=draft.page,
                page_breaks=draft.page_breaks,
                heading=draft.heading,
                text=draft.text,
                token_count=estimate(draft.text),
            )
            for position, draft in enumerate(drafts)
        )
        while batch := list(islice(rows, BATCH)):  # bulk_create alone would hold all rows at once
            Chunk.objects.bulk_create(batch)
        vectors.store(document, model=document.embedding_model, matrix=matrix)
        document.save(
            update_fields=[
                "content",
                "char_count",
                "page_count",
                "chunk_count",
                "media_type",
                "keyword_index",
                "embedding_model",
                "status",
                "progress",
                "error",
                "updated_at",
                *new_version,
            ]
        )
    document.version = version


def _embedded(passages: Sequence[str], *, owner_id: int | None) -> tuple[str, NDArray[np.float32] | None]:
    """The model and its vectors; without an engine, or while it is away, keywords alone must do until `reindex`."""
    engine = embedder()
    if engine is None:
        return "", None
    try:
        with booked_to(owner_id):
            return engine.name, engine.embed_passages(passages) if passages else None
    except EmbeddingsUnavailable as exc:
        logger.warning("A document is indexed by keywords alone, as %s does not answer: %s", engine.name, exc)
        return "", None


def title_of(document: Document) -> str:
    """What the document is called: `metadata["title"]` if there is one, else its file name without the ending.

    Its beginning, if it is long: it is indexed with every chunk.
    """
    title = document.metadata.get("title") if isinstance(document.metadata, dict) else None
    return (title if isinstance(title, str) else PurePath(document.filename).stem)[:TITLE_CHARS]


def indexed_text(title: str, *, heading: str, text: str) -> str:
    """The text of a chunk as it is indexed: under its title and headings, which questions often name."""
    path = " > ".join(part for part in (title, heading) if part)
    return f"{path}\n{text}" if path else text
