"""Documents are brought up to the current index and embedding model, at any time and as often as one likes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from documents.errors import DocumentChanged
from documents.ingestion import add_document
from documents.models import Chunk, Document, DocumentVectors
from documents.reindexing import outdated, reindex
from documents.search import lexical, search_chunks
from documents.search.lexical import is_current
from documents.types import Heading, PageSpan
from tests.documents import files
from tests.documents.passages import ids, indexed
from tests.embedding_server import embedded
from tests.provider_server import status

if TYPE_CHECKING:
    from pytest_django import Settings

    from documents.search import SearchResult
    from tests.embedding_server import EmbeddingServer

pytestmark = pytest.mark.django_db

WORDLLAMA, NONE, ENDPOINT = "wordllama", "none", "openai/text-embedding-3-small"
FERRY = "The ferry leaves the northern harbour at seven in the morning. Tickets are sold on board in winter."
LIBRARY = "The library lends three books to each reader. A fine of ten cents a day is due when they come back late."


def run(*arguments: Any, **options: Any) -> str:
    out = io.StringIO()
    call_command("reindex", *map(str, arguments), stdout=out, stderr=out, **options)
    return out.getvalue()


def vectors_of(document: Document) -> str | None:
    return DocumentVectors.objects.filter(document=document).values_list("model", flat=True).first()


def search(question: str, *documents: Document) -> SearchResult:
    return search_chunks(question, document_ids=ids(*documents))


def fingerprint(document: Document) -> tuple[Any, ...]:
    """What search depends on, but for the keys of the chunks."""
    document.refresh_from_db()
    fields = ("position", "start", "end", "page", "page_breaks", "heading", "text")
    return bytes(document.keyword_index), document.content, list(document.chunks.values_list(*fields))


# --- After a change of model --------------------------------------------------------------------


def test_vectors_of_another_model_are_not_compared_and_search_goes_on_by_keywords(
    endpoint: EmbeddingServer, settings: Settings
) -> None:
    settings.EMBEDDINGS = WORDLLAMA
    old = indexed(FERRY)
    settings.EMBEDDINGS = ENDPOINT
    new = indexed(LIBRARY)
    result = search("the ferry in winter", old, new)
    assert result.hits[0].document_id == old.pk
    assert result.hits[0].vector_rank is None  # of the other model
    assert search("three books", old, new).hits[0].vector_rank == 1
    assert outdated() == [old.pk]
    assert run() == "1 of 1 documents were indexed anew.\n"
    assert search("the ferry in winter", old, new).hits[0].vector_rank == 1
    old.refresh_from_db()
    assert old.embedding_model == vectors_of(old) == new.embedding_model
    assert outdated() == []


def test_a_change_of_model_leaves_chunks_and_their_keys_alone(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS = WORDLLAMA
    document = indexed(FERRY)
    keys = list(document.chunks.values_list("pk", flat=True))
    settings.EMBEDDINGS = ENDPOINT
    run()
    assert list(document.chunks.values_list("pk", flat=True)) == keys


def test_without_an_engine_vectors_that_are_there_are_left(settings: Settings) -> None:
    settings.EMBEDDINGS = WORDLLAMA
    document = indexed(FERRY)
    settings.EMBEDDINGS = NONE
    assert outdated() == []
    run()
    assert vectors_of(document) == "wordllama-256"
    assert search("ferry", document).cosine is None


def test_documents_that_were_indexed_by_keywords_alone_get_their_vectors(settings: Settings) -> None:
    settings.EMBEDDINGS = NONE
    document = indexed(FERRY)
    assert vectors_of(document) is None
    settings.EMBEDDINGS = WORDLLAMA
    run()
    assert vectors_of(document) == "wordllama-256"


def test_a_document_without_chunks_is_never_outdated_for_its_model(settings: Settings) -> None:
    settings.EMBEDDINGS = NONE
    indexed("")
    settings.EMBEDDINGS = WORDLLAMA
    assert outdated() == []


# --- Resumed --------------------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_with_what_is_left(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS = WORDLLAMA
    documents = [indexed(f"{FERRY} Number {number}.") for number in range(4)]
    settings.EMBEDDINGS = ENDPOINT
    settings.EMBEDDINGS_SECONDS = 1.0
    endpoint.will(embedded(), embedded())
    endpoint.always(status(503))
    with pytest.raises(CommandError, match=f"{documents[2].pk}: .*Run this again"):
        run()
    assert outdated() == ids(*documents[2:])
    # Those that are left can be found meanwhile.
    assert {hit.document_id for hit in search("number", *documents).hits} == set(ids(*documents))
    endpoint.always(embedded())
    spent = len(endpoint.requests)
    assert run() == "2 of 2 documents were indexed anew.\n"
    assert outdated() == []
    assert len(endpoint.requests) - spent == 2  # the first two were not embedded again


def test_a_second_run_has_nothing_to_do(settings: Settings) -> None:
    indexed(FERRY)
    assert run() == "0 of 0 documents were indexed anew.\n"


# --- After a change of the index --------------------------------------------------------------------


def test_an_index_of_another_version_is_built_again_from_the_file() -> None:
    data = files.pdf("Lamps may be returned.", "Bulbs may not.")
    document, _ = add_document(owner=None, file=ContentFile(data), filename="policy.pdf", metadata={})
    before = fingerprint(document)
    outdate(document)
    assert [hit.keyword_rank for hit in search("lamps", document).hits] == [None]  # found by its vector alone
    assert outdated() == [document.pk]
    run()
    assert fingerprint(document) == before
    assert search("lamps", document).hits[0].keyword_rank == 1


def test_a_file_that_is_gone_leaves_text_pages_and_headings_as_they_were() -> None:
    text = "\n\n".join(f"Part {n}. " + f"The ferry number {n} leaves the harbour. " * 40 for n in range(6))
    middle = len(text) // 2
    document = indexed(
        text,
        headings=[Heading(0, 1, "Ferries"), Heading(middle, 1, "Later ferries")],
        pages=[PageSpan(1, 0, middle), PageSpan(2, middle, len(text))],
    )
    Document.objects.filter(pk=document.pk).update(page_count=2)
    before = fingerprint(document)
    outdate(document)
    run()
    index, content, chunks = fingerprint(document)
    assert content == before[1]
    assert [chunk[:5] for chunk in chunks] == [chunk[:5] for chunk in before[2]]  # offsets, pages and their breaks
    assert {chunk[5] for chunk in chunks} == {"Ferries", "Later ferries"}
    assert is_current(index, chunks=len(chunks))
    assert document.page_count == 2


def test_a_file_that_gives_another_text_now_does_not_change_the_one_that_is_cited(settings: Settings) -> None:
    document, _ = add_document(owner=None, file=ContentFile(FERRY.encode()), filename="ferry.txt", metadata={})
    (Path(settings.MEDIA_ROOT) / (document.file.name or "")).write_text(LIBRARY)
    outdate(document)
    run()
    document.refresh_from_db()
    assert document.content == FERRY
    assert search("ferry", document).hits


def test_named_documents_and_all_are_done_though_they_are_current(settings: Settings) -> None:
    first, second = indexed(FERRY), indexed(LIBRARY)
    key = first.chunks.get().pk
    assert run(first.pk) == "1 of 1 documents were indexed anew.\n"
    assert first.chunks.get().pk != key
    assert second.chunks.count() == 1
    assert run(all=True) == "2 of 2 documents were indexed anew.\n"


def test_what_cannot_be_done_is_refused() -> None:
    waiting = Document.objects.create(filename="a.txt", sha256="a")
    with pytest.raises(CommandError, match=f"Not there, or not ready: {waiting.pk}, 999999"):
        run(waiting.pk, 999_999)
    with pytest.raises(CommandError, match="not both"):
        run(waiting.pk, all=True)


def test_a_document_that_changed_meanwhile_is_left_alone(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS = WORDLLAMA
    document = indexed(FERRY)
    read_before = Document.objects.get(pk=document.pk)
    document.change(metadata={"title": "Another"})
    settings.EMBEDDINGS = ENDPOINT
    with pytest.raises(DocumentChanged):
        reindex(read_before)
    assert vectors_of(document) == "wordllama-256"


def outdate(document: Document) -> None:
    """Give the document an index as an older version of this code wrote it."""
    index = bytearray(document.keyword_index)
    index[0] = lexical.VERSION + 1
    Document.objects.filter(pk=document.pk).update(keyword_index=bytes(index))
    assert Chunk.objects.filter(document=document).exists()
