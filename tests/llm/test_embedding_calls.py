"""Every call to an embedding endpoint is in the ledger, with whom it was made for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from documents.embeddings import wire
from llm.models import LLMCall
from tests.builders import document_of
from tests.embedding_server import EMBEDDING_KEY, embedded
from tests.provider_server import hang, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from documents.models import Document
    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import ProviderServer

TEXT = "Lamps may be returned within thirty days."
MODEL = "text-embedding-3-small"


@pytest.fixture
def lamps(alice: User, endpoint: EmbeddingServer) -> Document:
    """A document of alice's, embedded; the ledger begins after it."""
    document = document_of(alice, TEXT)
    LLMCall.objects.all()._raw_delete("default")
    return document


def test_indexing_is_booked_to_the_owner_with_tokens_and_time(alice: User, endpoint: EmbeddingServer) -> None:
    endpoint.will(embedded(after=0.05))
    document_of(alice, TEXT)

    row = LLMCall.objects.get()
    assert (row.user, row.conversation, row.message) == (alice, None, None)
    assert (row.purpose, row.provider, row.model) == ("embedding", "127.0.0.1", MODEL)
    assert (row.outcome, row.error, row.attempt) == ("ok", "", 1)
    assert (row.prompt_tokens, row.completion_tokens) == (8, 0)  # "notes" above seven words
    assert (row.cost, row.price) == (None, None)  # nobody knows what a server of one's own costs
    assert 50 <= row.latency_ms < 3000


def test_a_shared_document_is_booked_to_nobody(endpoint: EmbeddingServer, db: None) -> None:
    document_of(None, TEXT)
    assert LLMCall.objects.get().user is None


def test_openais_own_models_have_a_price(
    endpoint: EmbeddingServer, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMBEDDINGS_BASE_URL = "http://api.openai.com/v1"  # which the endpoint answers, as the proxy
    monkeypatch.setenv("HTTP_PROXY", endpoint.url)
    endpoint.will(embedded(usage={"prompt_tokens": 500_000, "total_tokens": 500_000}))
    wire.forget_client()
    try:
        document_of(alice, TEXT)
    finally:
        wire.forget_client()

    row = LLMCall.objects.get()
    assert (row.provider, row.prompt_tokens) == ("openai", 500_000)
    assert (row.cost, row.price) == (Decimal("0.01"), {"input_mtok": "0.02"})


def test_counts_that_no_column_holds_are_not_believed(endpoint: EmbeddingServer, alice: User) -> None:
    endpoint.will(embedded(usage={"prompt_tokens": 10**18, "total_tokens": 10**18}))
    document_of(alice, TEXT)
    assert LLMCall.objects.get().prompt_tokens == wire.MOST_TOKENS


def test_a_search_is_booked_to_who_asked(stranger: APIClient, bob: User, endpoint: EmbeddingServer) -> None:
    document_of(None, TEXT)
    response = stranger.post("/api/v1/documents/search", {"query": "lamps"}, format="json")
    assert response.status_code == 200
    row = LLMCall.objects.latest("id")
    assert (row.user, row.purpose, row.prompt_tokens) == (bob, "embedding", 1)
    assert row.request_id == response["x-request-id"]


def test_a_turns_question_is_booked_to_its_reply(
    api: APIClient, alice: User, groq: ProviderServer, lamps: Document
) -> None:
    response = api.post(
        "/api/v1/conversations",
        {"first_message": "returned lamps", "mode": "rag", "document_ids": [lamps.pk]},
        format="json",
    )
    assert response.status_code == 201, response.content
    embedding, reply = LLMCall.objects.order_by("id")
    assert (embedding.purpose, reply.purpose) == ("embedding", "reply")
    assert embedding.user == reply.user == alice
    assert embedding.conversation_id == reply.conversation_id == response.json()["id"]
    assert embedding.message_id == reply.message_id is not None
    assert embedding.request_id == reply.request_id != ""


def test_every_attempt_is_a_row_with_its_reason(endpoint: EmbeddingServer, alice: User) -> None:
    endpoint.will(status(429), embedded(data=[]), embedded())
    document_of(alice, TEXT)
    rows = LLMCall.objects.order_by("id")
    assert [(row.attempt, row.outcome, row.prompt_tokens) for row in rows] == [
        (1, "rate_limited", 0),
        (2, "invalid_response", 8),
        (3, "ok", 8),
    ]
    assert rows[0].error == "429 Too Many Requests: no"
    assert {row.user for row in rows} == {alice}


def test_a_timeout_is_booked_without_a_cost(endpoint: EmbeddingServer, lamps: Document, api: APIClient) -> None:
    endpoint.always(hang())
    api.post("/api/v1/documents/search", {"query": "lamps"}, format="json")
    assert {(row.outcome, row.cost, row.error) for row in LLMCall.objects.all()} >= {
        ("timeout", None, "No whole answer within 0.5 s.")
    }


def test_a_batch_is_a_row(endpoint: EmbeddingServer, alice: User, settings: Settings) -> None:
    settings.EMBEDDINGS_BATCH_SIZE = 1
    document_of(
        alice, "\n\n".join(f"Paragraph {n}. " + "Lamps may be returned within thirty days. " * 12 for n in range(4))
    )
    assert LLMCall.objects.count() == len(endpoint.requests) > 1


def test_no_row_holds_the_key(endpoint: EmbeddingServer, alice: User) -> None:
    endpoint.always(status(401, message=f"Wrong key {EMBEDDING_KEY}"))
    document_of(alice, TEXT)
    row = LLMCall.objects.get()
    assert (row.outcome, row.error) == ("unauthorized", "401 Unauthorized: Wrong key [key]")


def test_the_ledger_knows_every_outcome() -> None:
    assert {wire.OK, "rejected", *wire.STATUSES.values(), *wire.RETRYABLE} <= set(LLMCall.Outcome.values)
