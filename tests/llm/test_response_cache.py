"""The response cache: the same user's same question is answered again without a call, and nobody else's is."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from llm import privacy
from llm.ledger import spent_by_day
from llm.models import LLMCall
from llm.providers import registry
from llm.providers.caching import forget_user
from llm.providers.likeness import gist
from llm.types import Attribution, ChatMessage, Completion, Delta
from tests.builders import conversation_of, document_of
from tests.llm.requests import chat_request, passage
from tests.provider_server import chat_completion, reply, status, writes

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from llm.types import ChatRequest
    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import ProviderServer

BASE = "/api/v1/conversations"


@pytest.fixture(autouse=True)
def exact(settings: Settings, request: pytest.FixtureRequest) -> None:
    """A cache of the test's own, and exact caching."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": request.node.name}
    }
    settings.RESPONSE_CACHE = "exact"


def ask(user: User, question: str = "Why is the sky blue?", **changes: Any) -> Completion:
    return registry.chain().complete(chat_request(question, attribution=Attribution(user_id=user.pk), **changes))


def start(api: APIClient, text: str, **body: Any) -> dict[str, Any]:
    response = api.post(BASE, {"first_message": text, **body}, format="json")
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()["messages"][1]
    return answer


# --- Exact ------------------------------------------------------------------------------------


def test_the_same_question_again_is_answered_without_a_call(api: APIClient, groq: ProviderServer) -> None:
    groq.will(reply("Because of scattering."))
    first, second = start(api, "Why is the sky blue?"), start(api, "Why is the sky blue?")
    assert len(groq.requests) == 1
    assert first["content"] == second["content"] == "Because of scattering."
    assert (first["cached"], second["cached"]) == (False, True)
    assert (first["tokens_used"], second["tokens_used"]) == (120, 0)
    assert first["model_used"] == second["model_used"] == "small"


def test_a_hit_is_in_the_ledger_at_no_cost_and_is_no_failure(api: APIClient, groq: ProviderServer) -> None:
    for _ in range(2):
        answer = start(api, "Why is the sky blue?")
    usage = api.get("/api/v1/usage").json()
    assert (usage["totals"]["ok"], usage["totals"]["failed"]) == (2, 0)
    row = LLMCall.objects.get(outcome="cached")
    assert (row.provider, row.model, row.purpose, row.message_id) == ("groq", "small", "reply", answer["id"])
    assert (row.prompt_tokens, row.completion_tokens, row.cost) == (0, 0, Decimal(0))
    assert [(day.calls, day.failed) for day in spent_by_day(LLMCall.objects.all())] == [(2, 0)]


def test_a_grounded_answer_keeps_its_citations(api: APIClient, alice: User, groq: ProviderServer) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days.", filename="returns.txt")
    groq.will(reply("Thirty days [1]."))
    first, second = (start(api, "Can lamps be returned?", mode="rag", document_ids=[document.pk]) for _ in range(2))
    assert second["cached"]
    assert first["citations"] == second["citations"] != []


def test_what_another_user_asked_is_not_found(alice: User, bob: User, groq: ProviderServer) -> None:
    groq.will(reply("For alice"), reply("For bob"))
    assert (ask(alice).text, ask(bob).text) == ("For alice", "For bob")


def test_what_nobody_asked_for_is_not_kept(groq: ProviderServer, db: None) -> None:
    for _ in range(2):
        assert not registry.chain().complete(chat_request()).cached


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 0.4},
        {"max_tokens": 501},
        {"messages": (ChatMessage("system", "Be long."), ChatMessage("user", "Why is the sky blue?"))},
        {"messages": (ChatMessage("user", "Be brief."), ChatMessage("user", "Why is the sky blue?"))},
        {"messages": (ChatMessage("system", "Be brief."), ChatMessage("user", "why is the sky blue?"))},
        {
            "messages": (
                ChatMessage("system", "Be brief."),
                ChatMessage("user", "Hello"),
                ChatMessage("assistant", "Hello!"),
                ChatMessage("user", "Why is the sky blue?"),
            )
        },
    ],
    ids=["temperature", "length", "system prompt", "role", "question", "history"],
)
def test_a_request_that_differs_is_asked(alice: User, groq: ProviderServer, changes: dict[str, Any]) -> None:
    ask(alice)
    assert not ask(alice, **changes).cached
    assert ask(alice).cached


@pytest.mark.parametrize(
    ("name", "value"), [("LLM_CHAIN", ["groq/large", "groq/small"]), ("LLM_REASONING_EFFORT", "high")]
)
def test_other_models_or_more_thought_are_asked_again(
    alice: User, groq: ProviderServer, settings: Settings, name: str, value: Any
) -> None:
    ask(alice)
    setattr(settings, name, value)
    assert not ask(alice).cached


def test_a_fresh_answer_is_asked_for_and_replaces_the_kept_one(alice: User, groq: ProviderServer) -> None:
    groq.will(reply("Old"), reply("New"))
    assert ask(alice).text == "Old"
    assert ask(alice, fresh=True).text == "New"
    again = ask(alice)
    assert (again.text, again.cached) == ("New", True)


def test_a_regenerated_reply_is_asked_for(api: APIClient, groq: ProviderServer) -> None:
    groq.will(reply("Old"), reply("New"))
    first = start(api, "Hello")
    url = f"{BASE}/{first['conversation_id']}/messages/{first['id']}/regenerate"
    again = api.post(url, {}, format="json").json()["assistant_message"]
    assert (again["content"], again["cached"]) == ("New", False)
    third = start(api, "Hello")
    assert (third["content"], third["cached"]) == ("New", True)


def cut_short(text: str) -> dict[str, Any]:
    body = chat_completion(text)
    body["choices"][0]["finish_reason"] = "length"
    return body


def test_an_answer_that_was_cut_short_is_not_kept(alice: User, groq: ProviderServer) -> None:
    groq.will(reply("Because of", choices=cut_short("Because of")["choices"]), reply("Because of scattering."))
    assert [ask(alice).text for _ in range(2)] == ["Because of", "Because of scattering."]


def test_a_failure_is_not_kept(api: APIClient, groq: ProviderServer) -> None:
    groq.will(status(401), status(401), reply("Better now"))
    failed, answered = start(api, "Hello"), start(api, "Hello")
    assert (failed["status"], answered["content"], answered["cached"]) == ("failed", "Better now", False)


def test_what_the_offline_provider_says_is_not_kept(alice: User) -> None:
    assert [ask(alice).cached for _ in range(2)] == [False, False]


def test_an_answer_is_kept_for_its_time_only(alice: User, groq: ProviderServer, settings: Settings) -> None:
    settings.RESPONSE_CACHE_SECONDS = 1
    ask(alice)
    assert ask(alice).cached
    time.sleep(1.1)
    assert not ask(alice).cached


def test_nothing_is_kept_unless_it_is_switched_on(api: APIClient, groq: ProviderServer, settings: Settings) -> None:
    settings.RESPONSE_CACHE = "off"
    assert [start(api, "Hello")["cached"] for _ in range(2)] == [False, False]
    assert len(groq.requests) == 2


def test_a_forgotten_users_answers_are_not_found_and_others_are(alice: User, bob: User, groq: ProviderServer) -> None:
    ask(alice)
    ask(bob)
    forget_user(alice.pk)
    assert (ask(alice).cached, ask(bob).cached) == (False, True)


def test_erasing_a_user_forgets_their_answers(alice: User, groq: ProviderServer) -> None:
    ask(alice)
    list(privacy.forget(alice.pk))
    assert not ask(alice).cached


def test_an_answer_that_arrives_after_its_user_was_forgotten_is_not_found(alice: User, groq: ProviderServer) -> None:
    def forget_then_reply(connection: Any) -> None:
        forget_user(alice.pk)
        reply("Too late")(connection)

    groq.will(forget_then_reply, reply("Anew"))
    ask(alice)
    assert ask(alice).text == "Anew"


def test_a_cache_that_is_away_costs_a_warning_and_no_turn(
    alice: User, groq: ProviderServer, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("where a folder should be")
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(blocked / "x")}
    }
    assert [ask(alice).text for _ in range(2)] == ["Hello.", "Hello."]
    assert "response cache cannot be used" in caplog.text
    assert LLMCall.objects.filter(outcome="ok").count() == 2


def test_an_entry_of_another_shape_costs_a_warning_and_no_turn(alice: User, groq: ProviderServer) -> None:
    place = registry.chain().place(_asked(alice))  # type: ignore[attr-defined]
    cache.set(place.key, {"words": "Hello"})
    assert ask(alice).text == "Hello."


def _asked(user: User) -> ChatRequest:
    return chat_request(attribution=Attribution(user_id=user.pk))


def test_a_streamed_answer_is_kept_and_comes_back_in_one_piece(alice: User, groq: ProviderServer) -> None:
    groq.will(writes("Because ", "of scattering."))
    first = list(registry.chain().stream(_asked(alice)))
    second = list(registry.chain().stream(_asked(alice)))
    assert [piece.text for piece in first if isinstance(piece, Delta)] == ["Because ", "of scattering."]
    delta, completion = second
    assert delta == Delta("Because of scattering.")
    assert isinstance(completion, Completion)
    assert (completion.cached, completion.usage.total_tokens) == (True, 0)
    assert len(groq.requests) == 1


def test_a_stream_that_was_not_read_to_its_end_is_not_kept(alice: User, groq: ProviderServer) -> None:
    groq.will(writes("Because ", "of scattering."))
    pieces = registry.chain().stream(_asked(alice))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert not ask(alice).cached


# --- Similar ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("How do I reset my password?", "How can I reset my password?"),
        ("What is the capital of France?", "what's the capital of France"),
        ("How do I delete my account?", "How can I delete my account, please?"),
        ("Why is the sky blue?", "Why is the sky blue"),
    ],
)
def test_a_question_in_nearly_the_same_words_is_answered_without_a_call(
    api: APIClient, groq: ProviderServer, settings: Settings, first: str, second: str
) -> None:
    settings.RESPONSE_CACHE = "similar"
    groq.will(reply("The answer"))
    start(api, first)
    answer = start(api, second)
    assert (answer["content"], answer["cached"], len(groq.requests)) == ("The answer", True, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Can lamps be returned?", "Can lamps not be returned?"),
        ("Is it safe to eat?", "Isn't it safe to eat?"),
        ("Is Paris north of London?", "Is London north of Paris?"),
        ("Convert 5 km to miles", "Convert 5 miles to km"),
        ("What is 17 * 3?", "What is 17 / 3?"),
        ("What is 1.5 percent of 20?", "What is 15 percent of 20?"),
        ("What happened in 1914?", "What happened in 1915?"),
        ("Who was the president of the United States?", "Who will be the president of the United States?"),
        ("Is it legal to record a call in Texas?", "Is it illegal to record a call in Texas?"),
        (
            "My doctor prescribed me 500 mg of aspirin twice a day against headaches, should I take it before a meal?",
            "My doctor prescribed me 500 mg of aspirin twice a day against headaches, should I take it after a meal?",
        ),
    ],
)
def test_a_question_that_only_looks_alike_is_asked(
    alice: User, groq: ProviderServer, settings: Settings, first: str, second: str
) -> None:
    settings.RESPONSE_CACHE = "similar"
    settings.RESPONSE_CACHE_SIMILARITY = 0.5
    ask(alice, first)
    assert not ask(alice, second).cached


def test_the_same_words_in_a_conversation_are_asked(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE = "similar"
    start(api, "How do I reset it?")
    conversation = conversation_of(alice, turns=1)
    body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "How can I reset it?"}, format="json").json()
    assert not body["assistant_message"]["cached"]


def grounded(user: User, question: str, text: str) -> Completion:
    """The answer to a question about one passage."""
    messages = (ChatMessage("system", "Be brief."), ChatMessage("user", f"{text}\n{question}"))
    return ask(user, question, messages=messages, passages=(passage(text),), grounded_mode=True)


def test_a_grounded_question_is_alike_only_about_the_same_passages(
    alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE = "similar"
    grounded(alice, "How do I return a lamp?", "Within thirty days.")
    assert not grounded(alice, "How can I return a lamp?", "Within forty days.").cached
    assert not ask(alice, "How can I return a lamp?").cached
    assert grounded(alice, "How can I return a lamp?", "Within thirty days.").cached


def test_a_threshold_that_is_not_reached_means_asking(alice: User, groq: ProviderServer, settings: Settings) -> None:
    settings.RESPONSE_CACHE = "similar"
    settings.RESPONSE_CACHE_SIMILARITY = 0.9999
    ask(alice, "How do I reset my password?")
    assert not ask(alice, "How can I reset my password?").cached


def test_another_users_similar_question_is_not_found(
    alice: User, bob: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE = "similar"
    ask(alice, "How do I reset my password?")
    assert not ask(bob, "How can I reset my password?").cached


def test_without_an_embedder_only_the_exact_question_is_found(
    alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE, settings.EMBEDDINGS = "similar", "none"
    ask(alice, "How do I reset my password?")
    assert not ask(alice, "How can I reset my password?").cached
    assert ask(alice, "How do I reset my password?").cached


def test_embedding_a_question_is_booked_to_who_asked(
    alice: User, groq: ProviderServer, endpoint: EmbeddingServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE, settings.RESPONSE_CACHE_SIMILARITY = "similar", 0.7
    ask(alice, "How do I reset my password?")
    assert ask(alice, "How can I reset my password?").cached
    rows = LLMCall.objects.order_by("id").values_list("user_id", "purpose", "outcome")
    assert list(rows) == [
        (alice.pk, "reply", "ok"), (alice.pk, "embedding", "ok"),
        (alice.pk, "embedding", "ok"), (alice.pk, "reply", "cached"),
    ]  # fmt: skip


def test_an_exact_hit_embeds_nothing(
    alice: User, groq: ProviderServer, endpoint: EmbeddingServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE = "similar"
    ask(alice)
    embedded = len(endpoint.batches)
    assert embedded
    assert ask(alice).cached
    assert len(endpoint.batches) == embedded


def test_an_embedding_endpoint_that_is_away_leaves_the_exact_cache(
    alice: User, groq: ProviderServer, endpoint: EmbeddingServer, settings: Settings
) -> None:
    settings.RESPONSE_CACHE = "similar"
    endpoint.always(status(401))
    ask(alice)
    assert ask(alice).cached


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Tell me about lamps.", "tell me about Lamps!"),
        ("Wo liegt Köln?", "wo liegt köln"),
        ("काम क्या है?", "काम क्या है"),
    ],
)
def test_case_and_punctuation_say_nothing(first: str, second: str) -> None:
    assert gist(first) == gist(second)


@pytest.mark.parametrize(("first", "second"), [("What is C?", "What is C#?"), ("3 - 4", "3 + 4"), ("-5", "5")])
def test_signs_say_something(first: str, second: str) -> None:
    assert gist(first) != gist(second)


# --- Budgets ----------------------------------------------------------------------------------


def test_a_kept_answer_is_given_also_to_whom_no_budget_is_left_and_nothing_else_is(
    api: APIClient, groq: ProviderServer, settings: Settings
) -> None:
    start(api, "Why is the sky blue?")
    settings.LLM_BUDGET_DAY_TOKENS = 1
    assert start(api, "Why is the sky blue?")["cached"] is True
    refused = api.post(BASE, {"first_message": "Why is the sea blue?"}, format="json")
    assert (refused.status_code, len(groq.requests)) == (429, 1)
    assert list(LLMCall.objects.order_by("id").values_list("outcome", flat=True)) == ["ok", "cached"]
