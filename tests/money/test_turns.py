"""A budget in the way of a turn: 429, nothing stored; and every token of a reply is on it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import F, Sum

from conversations.models import Conversation, Message
from llm.models import Allowance, Hold, LLMCall
from tests.builders import conversation_of, document_of
from tests.provider_server import body, chat_completion, reply, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import ProviderServer

BASE = "/api/v1/conversations"


def booked(**where: Any) -> int:
    return int(LLMCall.objects.filter(**where).aggregate(n=Sum(F("prompt_tokens") + F("completion_tokens")))["n"] or 0)


def test_a_new_conversation_beyond_the_budget_is_429_and_leaves_nothing(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 100
    response = api.post(BASE, {"first_message": "Hello"}, format="json")
    answer = response.json()
    assert (response.status_code, answer["code"], answer["error"]) == (429, "budget_exceeded", "Budget exceeded")
    assert (answer["scope"], answer["limit"], answer["used"]) == ("day_tokens", 100, 0)
    resets_at = dt.datetime.fromisoformat(answer["resets_at"])
    assert resets_at.timetz() == dt.time(tzinfo=dt.UTC)
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert (Conversation.objects.count(), Message.objects.count(), Hold.objects.count()) == (0, 0, 0)
    alice.refresh_from_db()
    assert alice.conversation_count == 0
    assert groq.requests == []


def test_a_message_beyond_the_budget_leaves_the_conversation_as_it_was(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    conversation = conversation_of(alice, turns=1)
    before = api.get(f"{BASE}/{conversation.pk}").json()
    row = Conversation.objects.values().get()
    settings.LLM_BUDGET_DAY_TOKENS = 100
    for call in (api.put, api.post):
        path = f"{BASE}/{conversation.pk}" + ("/messages" if call == api.post else "")
        assert call(path, {"message": "More"}, format="json").status_code == 429
    assert api.get(f"{BASE}/{conversation.pk}").json() == before
    assert Conversation.objects.values().get() == row
    settings.LLM_BUDGET_DAY_TOKENS = None
    assert api.put(f"{BASE}/{conversation.pk}", {"message": "More"}, format="json").status_code == 200


def test_a_budget_of_money_is_reserved_at_the_price_of_the_dearest_model(
    api: APIClient, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_CHAIN = ["groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b"]
    settings.LLM_BUDGET_MONTH_COST = Decimal("0.0012")  # 2,000 tokens of an answer at 0.6 a million, and no prompt
    answer = api.post(BASE, {"first_message": "Hello"}, format="json").json()
    assert (answer["scope"], answer["limit"], answer["used"]) == ("month_cost", "0.0012", "0")
    settings.LLM_BUDGET_MONTH_COST = Decimal("0.0014")
    assert api.post(BASE, {"first_message": "Hello"}, format="json").status_code == 201


def test_tokens_of_failed_attempts_rewrites_and_embeddings_are_on_the_reply_and_the_allowance(
    api: APIClient, alice: User, groq: ProviderServer, endpoint: EmbeddingServer, settings: Settings
) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days.")
    conversation = conversation_of(alice, turns=1, documents=[document])
    settings.LLM_REWRITE_QUESTIONS = True
    settings.LLM_BUDGET_DAY_TOKENS = 100_000
    groq.will(
        reply("How long can lamps be returned?"),
        body(chat_completion("", choices=[{"index": 0, "message": {"content": ""}, "finish_reason": "stop"}])),
        status(500),
        reply("Thirty days [1]."),
    )
    answer = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "And lamps?"}, format="json").json()
    reply_id = answer["assistant_message"]["id"]
    rows = LLMCall.objects.filter(message=reply_id)
    assert set(rows.values_list("purpose", "outcome")) >= {
        ("rewrite", "ok"), ("embedding", "ok"), ("reply", "invalid_response"), ("reply", "ok"),
    }  # fmt: skip
    assert answer["assistant_message"]["tokens_used"] == booked(message=reply_id) > 360
    allowance = Allowance.objects.get(user=alice)
    assert (allowance.day_tokens, allowance.reserved_tokens) == (booked(user=alice), 0)


@pytest.mark.usefixtures("endpoint")
def test_a_rewrite_is_refused_too_before_it_costs_anything(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days.")
    conversation = conversation_of(alice, turns=1, documents=[document])
    settings.LLM_REWRITE_QUESTIONS = True
    settings.LLM_BUDGET_DAY_TOKENS = 300
    response = api.put(f"{BASE}/{conversation.pk}", {"message": "And lamps?"}, format="json")
    assert response.status_code == 429
    assert groq.requests == []


def test_a_reply_that_no_model_gave_holds_nothing_and_counts_what_it_cost(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 100_000
    settings.LLM_MAX_ATTEMPTS = 1
    empty = chat_completion("", choices=[{"index": 0, "message": {"content": ""}, "finish_reason": "stop"}])
    groq.will(body(empty), body(empty))
    failed = api.post(BASE, {"first_message": "Hello"}, format="json").json()["messages"][1]
    assert (failed["status"], failed["tokens_used"]) == ("failed", 240)
    allowance = Allowance.objects.get(user=alice)
    assert (allowance.day_tokens, allowance.reserved_tokens) == (240, 0)
