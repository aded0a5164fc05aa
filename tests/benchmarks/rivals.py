"""What is raced: the search, its parts, and what else an operator could use on the same store and the same scope."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bm25s
import Stemmer
from django.conf import settings
from tqdm import tqdm

from documents.embeddings import embedder
from documents.models import Chunk
from documents.search import search_chunks, vectors
from documents.search.analysis import is_stop_word, tokens
from documents.search.languages import ENGLISH
from documents.vector_field import vector

from .databases import POSTGRESQL, SQLITE, execute, using
from .timing import Rival

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

LIMIT = 10
SEARCH, KEYWORDS, VECTORS = "search_chunks", "keywords alone", "vectors alone"

FTS5 = """
    SELECT chunks.id FROM bench_fts JOIN chunks ON chunks.id = bench_fts.rowid
    WHERE bench_fts MATCH %s AND chunks.document_id IN (SELECT value FROM json_each(%s))
    ORDER BY bm25(bench_fts) LIMIT 10
"""
TS_RANK = """
    SELECT chunk_id FROM bench_terms, to_tsquery('english', %s) AS question
    WHERE terms @@ question AND document_id = ANY(%s) ORDER BY ts_rank_cd(terms, question) DESC LIMIT 10
"""
PGVECTOR = """
    SELECT document_id, position FROM bench_vectors
    WHERE document_id = ANY(%s) ORDER BY embedding <#> %s::halfvec LIMIT 10
"""
PREPARATIONS = {
    SQLITE: (
        "CREATE VIRTUAL TABLE bench_fts USING fts5(heading, text, content='chunks', content_rowid='id',"
        " tokenize='porter unicode61')",
        "INSERT INTO bench_fts(bench_fts) VALUES ('rebuild')",
        "ANALYZE",
    ),
    POSTGRESQL: (
        "SET maintenance_work_mem = '512MB'",
        "CREATE TABLE bench_terms (chunk_id bigint, document_id bigint, position int, terms tsvector)",
        "INSERT INTO bench_terms SELECT id, document_id, position, to_tsvector('english', heading || ' ' || text)"
        " FROM chunks WHERE document_id NOT IN (SELECT id FROM bench_copies)",
        "CREATE INDEX ON bench_terms (document_id)",
        "INSERT INTO bench_terms SELECT c.id, c.document_id, c.position, t.terms FROM bench_copies n"
        " JOIN bench_terms t ON t.document_id = n.original"
        " JOIN chunks c ON c.document_id = n.id AND c.position = t.position",
        "CREATE INDEX ON bench_terms USING gin (terms)",
        "CREATE TABLE bench_vectors AS SELECT document_id, place - 1 AS position, embedding"
        " FROM document_vectors, unnest(matrix) WITH ORDINALITY AS u(embedding, place)",
        "CREATE INDEX ON bench_vectors (document_id)",
        "VACUUM ANALYZE",
    ),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: as text, embedded, and its words without stop words for those that cannot drop them."""

    text: str
    embedded: NDArray[np.float32]
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Asked:
        engine = embedder()
        if engine is None:
            raise RuntimeError("The embeddings of the settings cannot be loaded.")
        words = tuple(token for token in tokens(text) if not is_stop_word(token, ENGLISH))
        return cls(text=text, embedded=engine.embed([text])[0], words=words)


@dataclass(frozen=True, slots=True)
class Scope:
    """The documents that are searched: id and number of chunks, in id order."""

    documents: tuple[tuple[int, int], ...]

    @property
    def ids(self) -> list[int]:
        return [key for key, _ in self.documents]

    @property
    def chunks(self) -> int:
        return sum(chunks for _, chunks in self.documents)


def prepare(alias: str) -> None:
    """Give the rivals their tables and indexes in a filled store."""
    with using(alias):
        for statement in tqdm(PREPARATIONS[alias], desc=f"{alias}: rivals' tables", leave=False):
            execute(statement)


def on_engine(alias: str, scope: Scope) -> list[Rival[Asked]]:
    """Ours on this engine, and what the engine itself offers."""

    def here(name: str, run: Callable[[Asked], object], *, beside: str) -> Rival[Asked]:
        def run_here(asked: Asked) -> object:
            with using(alias):
                return run(asked)

        return Rival(name=f"{alias}: {name}", run=run_here, beside=f"{alias}: {beside}")

    ids = scope.ids
    id_list = json.dumps(ids)
    ours = [
        here(SEARCH, lambda asked: search_chunks(asked.text, document_ids=ids, limit=LIMIT), beside=SEARCH),
        here(KEYWORDS, lambda asked: _without_vectors(asked.text, ids), beside=SEARCH),
        here(VECTORS, lambda asked: _cosines(asked, scope), beside=SEARCH),
    ]
    if alias == SQLITE:
        theirs = [here("FTS5", lambda asked: execute(FTS5, (_any(asked, " OR "), id_list)), beside=KEYWORDS)]
    else:
        theirs = [
            here("ts_rank_cd", lambda asked: execute(TS_RANK, (_any(asked, " | "), ids)), beside=KEYWORDS),
            here("pgvector", lambda asked: execute(PGVECTOR, (ids, vector(asked.embedded))), beside=VECTORS),
        ]
    return ours + theirs


def in_memory(alias: str, scope: Scope) -> tuple[Rival[Asked], float]:
    """bm25s on the scope's texts, and the seconds that its index took; it stays in memory, and knows just this scope.

    It is compared with our keywords on this engine, where the texts are read from.
    """
    with using(alias):
        chunks = Chunk.objects.filter(document_id__in=scope.ids).order_by("document_id", "position")
        texts = [f"{heading}\n{text}" for heading, text in chunks.values_list("heading", "text")]
    stemmer = Stemmer.Stemmer("english")
    begun = time.perf_counter()
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index(_tokens(texts, stemmer), show_progress=False)
    seconds = time.perf_counter() - begun

    def run(asked: Asked) -> object:
        return index.retrieve(_tokens([asked.text], stemmer), k=LIMIT, show_progress=False)

    return Rival(name="bm25s, in memory", run=run, beside=f"{alias}: {KEYWORDS}"), seconds


def _tokens(texts: Sequence[str], stemmer: Stemmer.Stemmer) -> bm25s.tokenization.Tokenized | list[list[str]]:
    return bm25s.tokenize(list(texts), stopwords="en", stemmer=stemmer, return_ids=len(texts) > 1, show_progress=False)


def _without_vectors(question: str, ids: Sequence[int]) -> object:
    configured, settings.EMBEDDINGS = settings.EMBEDDINGS, "none"
    try:
        return search_chunks(question, document_ids=ids, limit=LIMIT)
    finally:
        settings.EMBEDDINGS = configured


def _cosines(asked: Asked, scope: Scope) -> object:
    return vectors.cosines(asked.embedded, model=_model(), documents=scope.documents)


def _model() -> str:
    engine = embedder()
    return engine.name if engine else ""


def _any(asked: Asked, between: str) -> str:
    """The query of an engine for chunks with any of the words."""
    return between.join(f'"{word}"' if between.strip() == "OR" else word for word in asked.words)
