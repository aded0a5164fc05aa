"""Ingests a collection into a database of its own and asks its questions."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from environ import Env

from documents.extraction.sandbox import extract
from documents.indexing import index_document
from documents.models import Document
from documents.search import search_chunks
from documents.search.packing import pack
from documents.types import Extracted

from .measures import ndcg, recall, reciprocal_rank, span_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from documents.search.types import Hit

    from .collections import Entry, Question

DEPTH = 10  # documents that are ranked
HITS = 20  # chunks that a turn asks for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one question came to; a measure that its collection does not have is None.

    Attributes:
        passages: the chunks that were found, best first, as `entry#position`: the same on every engine.
        characters: of the packed passages.
        ms: of the search, without packing.
    """

    collection: str
    id: str
    corpus: str
    ndcg: float | None
    recall: float | None
    mrr: float | None
    span_share: float | None
    spans: int
    relevant: bool
    passages: tuple[str, ...]
    characters: int
    ms: float


@contextmanager
def scratch_database(*, embeddings: str | None = None, server: str | None = None) -> Iterator[str]:
    """Within it, this thread's default database is a new one, migrated and empty; it is gone afterwards.

    Args:
        embeddings: replaces the setting for as long; None leaves it. Yields what is in force.
        server: the URL of a PostgreSQL database whose user may create another beside it; None takes a SQLite file.
    """
    configured, engine = connections["default"], settings.EMBEDDINGS
    name = configured.settings_dict["NAME"]
    with TemporaryDirectory(prefix="evaluate-") as folder:
        database = (
            Env.db_url_config(server) | {"TEST": {"NAME": f"evaluate_{token_hex(4)}"}}
            if server
            else {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(Path(folder) / "scratch.sqlite3"),
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"},
            }
        )
        connections.settings["scratch"] = connections.configure_settings({"default": database})["default"]
        scratch = connections.create_connection("scratch")
        scratch.alias = "default"
        beside = scratch.settings_dict["NAME"]
        connections["default"] = scratch
        settings.EMBEDDINGS = engine if embeddings is None else embeddings
        try:
            if server:
                scratch.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            else:
                call_command("migrate", verbosity=0)
            yield settings.EMBEDDINGS
        finally:
            if server and scratch.settings_dict["NAME"] != beside:
                scratch.creation.destroy_test_db(beside, verbosity=0)
            scratch.close()
            connections["default"] = configured
            configured.settings_dict["NAME"] = name  # making a test database renames the one of its alias
            del connections.settings["scratch"]
            settings.EMBEDDINGS = engine


def ingest(entries: Iterable[Entry]) -> dict[str, int]:
    """Index every entry as an upload would be; files are read in a process of their own. Entry id to document id."""
    return {entry.id: _ingest(entry, number) for number, entry in enumerate(entries)}


def _ingest(entry: Entry, number: int) -> int:
    document = Document.objects.create(
        filename=entry.path.name if entry.path else f"{entry.id}.txt"[-255:],
        metadata={"title": entry.title},
        sha256=str(number),  # stands for the digest: unique among an owner's
    )
    if entry.path:
        extracted = extract(entry.path, media_type="text/markdown")
    else:
        extracted = Extracted(text=entry.text, media_type="text/plain")
    index_document(document, extracted)
    return document.pk


def ask(questions: Iterable[Question], *, collection: str, documents: Mapping[str, int]) -> Iterator[Outcome]:
    """Search for each question, as a turn of a conversation would.

    Documents are ranked by their best chunk.
    """
    entry_of = {document: entry for entry, document in documents.items()}
    everything = list(documents.values())
    for question in questions:
        scope = [documents[question.corpus]] if question.corpus else everything
        begun = time.perf_counter()
        result = search_chunks(question.text, document_ids=scope, limit=HITS, history=question.history)
        ms = (time.perf_counter() - begun) * 1000
        packed = pack(result.hits)
        passages = tuple(f"{entry_of[hit.document_id]}#{hit.position}" for hit in result.hits)
        graded, ranking = question.relevant, list[str]()
        if graded:
            ranking = _ranking(result.hits, entry_of)
            deeper = HITS
            while len(ranking) < DEPTH and len(result.hits) == deeper:
                deeper *= 4
                result = search_chunks(question.text, document_ids=scope, limit=deeper, history=question.history)
                ranking = _ranking(result.hits, entry_of)
        yield Outcome(
            collection=collection,
            id=question.id,
            corpus=question.corpus,
            ndcg=ndcg(ranking, graded) if graded else None,
            recall=recall(ranking, graded) if graded else None,
            mrr=reciprocal_rank(ranking, graded) if graded else None,
            span_share=span_share(packed, question.spans) if question.spans else None,
            spans=len(question.spans),
            relevant=result.relevant,
            passages=passages,
            characters=sum(passage.end - passage.start for passage in packed),
            ms=ms,
        )


def _ranking(hits: Iterable[Hit], entry_of: Mapping[int, str]) -> list[str]:
    return list(dict.fromkeys(entry_of[hit.document_id] for hit in hits))
