"""Fills a store with a million chunks in minutes: some documents are indexed for real, then copied under new ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from tqdm import tqdm

from documents.indexing import index_document
from documents.models import Chunk, Document, DocumentVectors

from .databases import execute, using

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model

    from .texts import Writer

BATCH = 500  # documents


@dataclass(frozen=True, slots=True)
class Store:
    """What was filled in.

    Attributes:
        originals: the sizes in chunks of the documents that were indexed, by id.
        copies: (id, that of the original) of the others.
    """

    originals: dict[int, int]
    copies: tuple[tuple[int, int], ...]

    @property
    def sizes(self) -> dict[int, int]:
        """Chunks by document id."""
        return self.originals | {key: self.originals[original] for key, original in self.copies}


def index_originals(writer: Writer, *, chunks: int) -> dict[int, int]:
    """Index new documents with at least so many chunks in the default database; chunks by document id."""
    sizes: dict[int, int] = {}
    with tqdm(total=chunks, desc="indexing", unit="chunk", leave=False) as progress:
        while progress.n < chunks:
            text = writer.document()
            number = str(len(sizes))  # stands for the digest: unique among an owner's
            document = Document.objects.create(filename=f"{number}.txt", metadata={"title": text.title}, sha256=number)
            index_document(document, text.extracted())
            sizes[document.pk] = document.chunk_count
            progress.update(document.chunk_count)
    return sizes


def plan(originals: dict[int, int], writer: Writer, *, chunks: int) -> Store:
    """Which originals to copy, in random order, until there are so many chunks."""
    copies = []
    keys = list(originals)
    free, size = max(keys) + 1, sum(originals.values())
    while size < chunks:
        original = keys[writer.draw(1, of=len(keys))[0]]
        copies.append((free, original))
        free += 1
        size += originals[original]
    return Store(originals=originals, copies=tuple(copies))


def transfer(source: str, target: str) -> None:
    """Write the documents of one database into another."""
    with using(source):
        keys = list(Document.objects.order_by("id").values_list("id", flat=True))
    for first in tqdm(range(0, len(keys), BATCH), desc="transferring", leave=False):
        batch = keys[first : first + BATCH]
        with using(source):
            documents = list(Document.objects.filter(id__in=batch).order_by("id"))
            chunks = list(Chunk.objects.filter(document_id__in=batch).order_by("id"))
            vectors = list(DocumentVectors.objects.filter(document_id__in=batch))
        for chunk in chunks:
            chunk.pk = None  # the copies' keys come from the same sequence
        for one in vectors:
            one.matrix = np.frombuffer(one.matrix, dtype="<f4").reshape(-1, one.dimension)
        with using(target):
            Document.objects.bulk_create(documents)
            Chunk.objects.bulk_create(chunks, batch_size=2_000)
            DocumentVectors.objects.bulk_create(vectors)


def copy(store: Store) -> None:
    """Copy the originals in the default database: rows, keyword indexes and vectors, under new ids.

    The table `bench_copies` (id, original) stays, for the rivals' own tables.
    """
    execute("CREATE TABLE bench_copies (id BIGINT PRIMARY KEY, original BIGINT NOT NULL)")
    statements = (
        _copying(Document, key="id", instead={"id": "n.id", "sha256": "CAST(n.id AS TEXT)"}),
        _copying(Chunk, key="document_id", instead={"document_id": "n.id"}, without={"id"}),
        _copying(DocumentVectors, key="document_id", instead={"document_id": "n.id"}),
    )
    for first in tqdm(range(0, len(store.copies), BATCH), desc="copying", leave=False):
        batch = store.copies[first : first + BATCH]
        with transaction.atomic():
            execute(f"INSERT INTO bench_copies VALUES {', '.join(map(str, batch))}")
            for statement in statements:
                execute(statement, (batch[0][0],))


def _copying(model: type[Model], *, key: str, instead: dict[str, str], without: Iterable[str] = ()) -> str:
    """The statement that copies the rows of the originals for the copies from a given id on.

    Args:
        key: the column that names the original.
        instead: what a column gets in place of the original's value.
    """
    columns = [field.column for field in model._meta.concrete_fields if field.column and field.column not in without]
    quoted = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(instead.get(column, f'o."{column}"') for column in columns)
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({quoted}) SELECT {values} FROM bench_copies n "
        f'JOIN {table} o ON o."{key}" = n.original WHERE n.id >= %s ORDER BY n.id'
        + (', o."position"' if "position" in columns else "")
    )
