"""The dry run: what would be sent with a question, to the letter, without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from conversations.models import Conversation, Message
from llm.models import LLMCall
from tests.builders import add_turn, conversation_of, document_of

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import ProviderServer

BASE = "/api/v1/conversations"


@pytest.fixture(autouse=True)
def nothing_learned() -> None:
    """No model has told yet how wrong the estimates are."""
    cache.clear()


def dry_run(api: APIClient, conversation: Conversation, question: str = "And now?") -> dict[str, Any]:
    response = api.get(f"{BASE}/{conversation.pk}/context", {"message": question})
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def test_it_shows_what_is_then_sent_and_asks_nobody(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = conversation_of(alice, turns=2)
    shown = dry_run(api, conversation)
    assert groq.requests == []
    assert (conversation.messages.count(), LLMCall.objects.count()) == (4, 0)
    body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "And now?"}, format="json").json()
    assert shown["messages"] == groq.requests[0].body["messages"]
    stored = Message.objects.get(pk=body["assistant_message"]["id"]).context
    assert stored is not None
    for name, count in stored["tokens"].items():
        assert shown["tokens"][name] == count
    assert {name: shown[name] for name in ("limit", "history_sent", "dropped_through", "summarized_through")} == {
        name: stored[name] for name in ("limit", "history_sent", "dropped_through", "summarized_through")
    }
    assert (shown["history_sent"], shown["passages"], shown["model"]) == (4, None, "groq/small")
    assert shown["tokens"]["total"] == sum(stored["tokens"].values())


def test_a_grounded_question_shows_its_passages_and_the_same_prompt(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days.", filename="returns.txt")
    conversation = conversation_of(alice, documents=[document])
    shown = dry_run(api, conversation, "Can lamps be returned?")
    api.post(f"{BASE}/{conversation.pk}/messages", {"message": "Can lamps be returned?"}, format="json")
    assert shown["messages"] == groq.requests[0].body["messages"]
    assert shown["tokens"]["passages"] > 0
    (passage,) = shown["passages"]
    assert 0 < passage.pop("score") <= 1
    assert passage == {
        "number": 1,
        "document_id": document.pk,
        "filename": "returns.txt",
        "start": 0,
        "end": 41,
        "text": "Lamps may be returned within thirty days.",
        "chunk_ids": [document.chunks.get().pk],
        "flags": [],
    }


def test_what_the_documents_do_not_say_shows_no_passage(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, documents=[document_of(alice, "Lamps may be returned.")])
    assert dry_run(api, conversation, "Who won the chess championship?")["passages"] == []


def test_it_shows_what_is_dropped(api: APIClient, alice: User, groq: ProviderServer, settings: Settings) -> None:
    settings.MAX_CONTEXT_TOKENS = 150
    conversation = conversation_of(alice, turns=30)
    shown = dry_run(api, conversation)
    assert shown["messages"][-2]["content"] == "Answer 29"
    assert Message.objects.get(pk=shown["dropped_through"]).content == f"Answer {29 - shown['history_sent'] // 2}"
    assert shown["tokens"]["total"] <= 150


def test_it_shows_the_summary_and_how_far_it_reaches(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = conversation_of(alice, turns=3)
    through = conversation.messages.order_by("id")[1].pk
    Conversation.objects.filter(pk=conversation.pk).update(summary="They spoke of lamps.", summarized_through=through)
    shown = dry_run(api, conversation)
    assert (shown["summarized_through"], shown["dropped_through"], shown["history_sent"]) == (through, None, 4)
    assert shown["tokens"]["summary"] > 0
    assert "> They spoke of lamps." in shown["messages"][1]["content"]


def test_the_first_question_of_an_empty_conversation(api: APIClient, alice: User) -> None:
    shown = dry_run(api, conversation_of(alice), "Hello")
    assert [message["content"] for message in shown["messages"][1:]] == ["Hello"]
    assert (shown["tokens"]["history"], shown["model"]) == (0, "offline")


def test_no_model_rewrites_the_question(api: APIClient, alice: User, groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_REWRITE_QUESTIONS = True
    conversation = conversation_of(alice, documents=[document_of(alice, "Lamps may be returned within thirty days.")])
    add_turn(conversation, question="Can lamps be returned?", answer="Thirty days.")
    shown = dry_run(api, conversation, "And how long does that take?")
    assert groq.requests == []
    assert shown["passages"]


def test_embedding_the_question_is_booked_to_who_asked(
    api: APIClient, alice: User, groq: ProviderServer, endpoint: EmbeddingServer
) -> None:
    conversation = conversation_of(alice, documents=[document_of(alice, "Lamps may be returned within thirty days.")])
    LLMCall.objects.all()._raw_delete(LLMCall.objects.db)
    dry_run(api, conversation, "Can lamps be returned?")
    row = LLMCall.objects.filter(outcome="ok").get()
    assert (row.purpose, row.user_id, row.conversation_id, row.message_id) == (
        "embedding", alice.pk, conversation.pk, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", [{}, {"message": ""}, {"message": " \n"}, {"message": "x\x00"}, {"message": "x" * 1_301}]
)
def test_a_bad_question_is_refused_by_its_field(api: APIClient, alice: User, query: dict[str, str]) -> None:
    response = api.get(f"{BASE}/{conversation_of(alice).pk}/context", query)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert set(response.json()["fields"]) == {"message"}


def test_a_question_that_could_never_be_sent_is_refused(api: APIClient, alice: User, settings: Settings) -> None:
    settings.MAX_CONTEXT_TOKENS = 200
    response = api.get(f"{BASE}/{conversation_of(alice).pk}/context", {"message": "word " * 250})
    assert response.status_code == 400
    assert "tokens" in response.json()["fields"]["message"][0]


def test_a_strangers_conversation_does_not_exist(stranger: APIClient, alice: User) -> None:
    response = stranger.get(f"{BASE}/{conversation_of(alice).pk}/context", {"message": "Hello"})
    assert response.status_code == 404


def test_a_long_question_is_posted(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = conversation_of(alice, turns=1)
    question = "All about lamps. " * 200
    response = api.post(f"{BASE}/{conversation.pk}/context", {"message": question}, format="json")
    assert response.status_code == 200
    assert response.json()["messages"][-1]["content"] == question
    assert (groq.requests, conversation.messages.count()) == ([], 2)


@pytest.mark.parametrize("body", [{}, {"message": " "}, {"message": "x" * 32_001}, {"message": 3}])
def test_a_bad_question_that_is_posted_is_refused_by_its_field(
    api: APIClient, alice: User, body: dict[str, Any]
) -> None:
    response = api.post(f"{BASE}/{conversation_of(alice).pk}/context", body, format="json")
    assert (response.status_code, set(response.json()["fields"])) == (400, {"message"})


def test_other_methods_are_not_allowed(api: APIClient, alice: User) -> None:
    response = api.put(f"{BASE}/{conversation_of(alice).pk}/context", {"message": "Hello"}, format="json")
    assert (response.status_code, response["Allow"].removesuffix(", HEAD, OPTIONS")) == (405, "GET, POST")


def test_it_takes_two_queries_however_long_the_conversation(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=20)
    with django_assert_num_queries(2):
        dry_run(api, conversation)
