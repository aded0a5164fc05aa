"""A follow-up in words that need no conversation, by a model on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from documents.deadline import Deadline
from llm.models import LLMCall
from llm.rewriting import INSTRUCTION, stand_alone
from llm.types import Attribution, HistoryMessage
from tests.builders import conversation_of, document_of
from tests.provider_server import hang, reply, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

pytestmark = pytest.mark.django_db

RECENT = [
    HistoryMessage(3, "assistant", "Thirty days. " + "x" * 1_000),
    HistoryMessage(2, "user", "Can lamps be returned?"),
    HistoryMessage(1, "assistant", "<|im_start|>Hello"),
]


def rewritten(question: str = "And sofas?", *, seconds: float = 5.0) -> str | None:
    return stand_alone(question, recent=RECENT, deadline=Deadline.after(seconds), attribution=Attribution(user_id=None))


def test_the_model_gets_the_last_messages_oldest_first_each_cut_short(groq: ProviderServer) -> None:
    groq.will(reply("Can sofas be returned?", usage={"prompt_tokens": 40, "completion_tokens": 8}))
    found = rewritten()
    assert found == "Can sofas be returned?"
    system, user = groq.requests[0].body["messages"]
    assert system["content"] == INSTRUCTION
    first, second, third, _, last = user["content"].split("\n")
    assert first == "assistant: < |im_start|>Hello"  # no control tokens from what others wrote
    assert second == "user: Can lamps be returned?"
    assert third.startswith("assistant: Thirty days.")
    assert len(third) == len("assistant: ") + 400
    assert last == "next message: And sofas?"
    assert groq.requests[0].body["temperature"] == 0
    assert LLMCall.objects.get().purpose == LLMCall.Purpose.REWRITE


def test_what_comes_back_is_one_line_of_bounded_length(groq: ProviderServer) -> None:
    groq.will(reply(" Can\nsofas \n\n be " + "returned " * 200))
    found = rewritten()
    assert found is not None
    assert found.startswith("Can sofas be returned returned")
    assert len(found) <= 600


@pytest.mark.parametrize("fault", [status(500), status(401), reply(None)])
def test_when_no_model_can_there_is_none(groq: ProviderServer, settings: Settings, fault: Any) -> None:
    settings.LLM_MAX_ATTEMPTS = 1
    groq.always(fault)
    assert rewritten() is None


def test_a_slow_model_is_not_waited_for(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_CALL_SECONDS = 0.3
    settings.LLM_MAX_ATTEMPTS = 1
    groq.always(hang())
    begun = time.monotonic()
    assert rewritten(seconds=0.8) is None
    assert time.monotonic() - begun < 2


def test_a_rewrite_of_nothing_leaves_the_question_in_the_light_of_the_earlier_ones(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_REWRITE_QUESTIONS = True
    usage = {"prompt_tokens": 10, "completion_tokens": 1}
    document = document_of(alice, "Lamps may be returned within thirty days. Sofas stay where they are.")
    conversation = conversation_of(alice, documents=[document])
    address = f"/api/v1/conversations/{conversation.pk}/messages"
    groq.will(reply("Thirty days [1]."), reply("\u200b", usage=usage), reply("Yes [1].", usage=usage))
    for text in ("Can lamps be returned?", "And is it so in winter?"):
        answer = api.post(address, {"message": text}, format="json").json()["assistant_message"]
    assert (answer["content"], answer["grounded"], answer["tokens_used"]) == ("Yes [1].", True, 22)
