"""While the embeddings are away, or another model has come, keywords find what they find alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from documents.ingestion import process
from documents.models import DocumentVectors
from documents.search import search_chunks
from tests.builders import document_of
from tests.provider_server import hang, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from documents.search import SearchResult
    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import Behaviour

LAMPS = "Lamps may be returned within thirty days."
BULBS = "Bulbs are never taken back by anyone."


def search(*documents: int, question: str = "returned lamps") -> SearchResult:
    return search_chunks(question, document_ids=documents)


def test_a_document_is_embedded_and_found_by_its_vectors(alice: User, endpoint: EmbeddingServer) -> None:
    lamps, bulbs = document_of(alice, LAMPS), document_of(alice, BULBS)

    result = search(lamps.pk, bulbs.pk, question="anyone")

    assert (lamps.embedding_model, lamps.vectors.dimension) == ("openai/text-embedding-3-small", 64)
    assert result.hits[0].document_id == bulbs.pk
    assert result.hits[0].vector_rank == 1
    assert result.cosine is not None
    assert result.cosine > 0


def test_a_document_becomes_ready_by_keywords_alone_while_the_endpoint_is_down(
    alice: User, endpoint: EmbeddingServer, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.always(status(503))
    document = document_of(alice, LAMPS)

    assert (document.status, document.embedding_model) == ("ready", "")
    assert not DocumentVectors.objects.exists()
    assert "indexed by keywords alone" in caplog.text
    (hit,) = search(document.pk).hits
    assert (hit.document_id, hit.vector_rank) == (document.pk, None)


def test_the_vectors_come_when_it_is_processed_again(
    alice: User, endpoint: EmbeddingServer, settings: Settings
) -> None:
    address = settings.EMBEDDINGS_BASE_URL
    settings.EMBEDDINGS_BASE_URL = "http://127.0.0.1:9/v1"
    document = document_of(alice, LAMPS)
    assert document.embedding_model == ""

    settings.EMBEDDINGS_BASE_URL = address
    process(document)

    document.refresh_from_db()
    assert document.embedding_model == "openai/text-embedding-3-small"
    assert search(document.pk).hits[0].vector_rank == 1


def test_a_document_that_is_read_again_while_the_endpoint_is_down_loses_its_stale_vectors(
    alice: User, endpoint: EmbeddingServer
) -> None:
    document = document_of(alice, LAMPS)
    endpoint.always(status(400))
    process(document)
    document.refresh_from_db()
    assert (document.status, document.embedding_model) == ("ready", "")
    assert not DocumentVectors.objects.exists()


@pytest.mark.parametrize("fault", [hang(), status(401), status(500)], ids=["hangs", "401", "500"])
def test_a_question_is_searched_by_keywords_alone_and_soon(
    api: APIClient, alice: User, endpoint: EmbeddingServer, fault: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    document = document_of(alice, LAMPS)
    endpoint.always(fault)
    began = time.monotonic()

    response = api.post("/api/v1/documents/search", {"query": "returned lamps"}, format="json")

    assert time.monotonic() - began < 2
    assert response.status_code == 200
    assert [hit["chunk"]["document_id"] for hit in response.json()["hits"]] == [document.pk]
    assert "Searching by keywords alone" in caplog.text


def test_after_a_change_of_model_old_documents_take_part_by_keywords_alone(
    alice: User, endpoint: EmbeddingServer, settings: Settings
) -> None:
    old, other = document_of(alice, LAMPS), document_of(alice, BULBS)
    settings.EMBEDDINGS = "none"
    by_keywords = search(old.pk, other.pk)
    settings.EMBEDDINGS = "openai/text-embedding-3-large"

    result = search(old.pk, other.pk)
    assert [(h.document_id, h.score, h.vector_rank) for h in result.hits] == [
        (h.document_id, h.score, None) for h in by_keywords.hits
    ]
    assert result.cosine is None

    process(other)
    found = {hit.document_id: hit for hit in search(old.pk, other.pk, question="lamps or bulbs").hits}
    assert found[old.pk].vector_rank is None
    assert found[other.pk].vector_rank == 1
    process(old)
    assert {hit.vector_rank for hit in search(old.pk, other.pk, question="lamps or bulbs").hits} == {1, 2}


def test_a_change_of_dimensions_under_the_same_name_is_noticed(
    alice: User, endpoint: EmbeddingServer, settings: Settings
) -> None:
    settings.EMBEDDINGS_DIMENSIONS = 8
    document = document_of(alice, LAMPS)
    DocumentVectors.objects.update(model="openai/text-embedding-3-small")
    settings.EMBEDDINGS_DIMENSIONS = 0
    assert [hit.vector_rank for hit in search(document.pk).hits] == [None]


@pytest.mark.parametrize("engine", ["fastembed", "word2vec", "openai/", "openai"])
def test_an_engine_that_cannot_be_loaded_leaves_keywords(
    alice: User, settings: Settings, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMBEDDINGS = engine
    settings.EMBEDDINGS_MODEL_PATH = f"/nowhere/{engine}"
    document = document_of(alice, LAMPS)
    assert (document.status, document.embedding_model) == ("ready", "")
    assert [hit.document_id for hit in search(document.pk).hits] == [document.pk]
    assert "by keywords alone" in caplog.text
