"""Long conversations: what no longer fits is in the summary, on its own branch only, and folded once."""

from __future__ import annotations

import re
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connections

from conversations import summarizing
from conversations.history import summary_for
from conversations.models import Conversation, Message
from llm import tokens
from llm.models import LLMCall
from llm.types import ChatMessage
from tests.builders import add_turn, context_of, conversation_of
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.provider_server import Connection, ProviderServer, Received

BASE = "/api/v1/conversations"
ANSWER = "This is an answer of some length, about lamps and sofas. " * 4 + "That is it."


def is_fold(request: Received) -> bool:
    return "keep the notes" in request.body["messages"][0]["content"]


def honest_usage(request: Received) -> dict[str, int]:
    """As many prompt tokens as are estimated, so that the windows of a test are all alike."""
    messages = [ChatMessage(message["role"], message["content"]) for message in request.body["messages"]]
    return {"prompt_tokens": tokens.estimate_messages(messages), "completion_tokens": 20}


def answering() -> Any:
    """Answers questions, and folds with notes of the numbers that were asked."""

    def behave(connection: Connection) -> None:
        usage = honest_usage(connection.received)
        if not is_fold(connection.received):
            return reply(ANSWER, usage=usage)(connection)
        numbers = re.findall(r"number (\d+)", connection.received.body["messages"][1]["content"])
        asked = "Asked: " + ", ".join(f"number {number}" for number in numbers) + "."
        return reply(asked, usage=usage)(connection)

    return behave


@pytest.fixture(autouse=True)
def small_window(settings: Settings, groq: ProviderServer) -> None:
    cache.clear()  # what models have told of the estimates
    settings.MAX_CONTEXT_TOKENS = 1_200
    settings.SUMMARY_TOKENS = 200
    groq.always(answering())


def ask(api: APIClient, conversation: Conversation, text: str) -> dict[str, Any]:
    response = api.post(f"{BASE}/{conversation.pk}/messages", {"message": text}, format="json")
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()["assistant_message"]
    return answer


def long_talk(user: User, *, turns: int) -> Conversation:
    """A conversation of turns that are about 100 tokens long."""
    conversation = conversation_of(user)
    for number in range(turns):
        add_turn(conversation, question=f"This is number {number}.", answer=ANSWER)
    return conversation


def sent_to_answer(groq: ProviderServer) -> list[list[dict[str, str]]]:
    return [request.body["messages"] for request in groq.requests if not is_fold(request)]


def test_a_long_conversation_loses_nothing_and_is_folded_now_and_then(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = conversation_of(alice)
    answers = [ask(api, conversation, f"This is number {number}.") for number in range(30)]
    for number, messages in enumerate(sent_to_answer(groq)):
        whole = " ".join(message["content"] for message in messages)
        assert all(f"number {earlier}." in whole or f"number {earlier}," in whole for earlier in range(number + 1))
    assert all(context_of(answer)["dropped_through"] is None for answer in answers)
    folds = [request for request in groq.requests if is_fold(request)]
    assert 2 <= len(folds) <= 5
    conversation.refresh_from_db()
    last = context_of(answers[-1])
    assert last["tokens"]["summary"] > 0
    assert last["summarized_through"] <= conversation.summarized_through
    assert conversation.folding_until is None


def test_the_prompt_begins_the_same_between_two_folds(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = conversation_of(alice)
    for number in range(30):
        ask(api, conversation, f"This is number {number}.")
    beginnings = [[m["content"] for m in messages if m["role"] == "system"] for messages in sent_to_answer(groq)]
    changes = sum(before != after for before, after in pairwise(beginnings))
    assert changes == len([request for request in groq.requests if is_fold(request)]) - is_fold(groq.requests[-1])


def test_what_is_summarised_is_not_sent_again(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = long_talk(alice, turns=4)
    through = conversation.messages.order_by("id")[3].pk
    Conversation.objects.filter(pk=conversation.pk).update(summary="They spoke of lamps.", summarized_through=through)
    answer = ask(api, conversation, "Next")
    messages = sent_to_answer(groq)[0]
    assert [message["role"] for message in messages[:2]] == ["system", "system"]
    assert "> They spoke of lamps." in messages[1]["content"]
    assert [m["content"] for m in messages[2:] if m["role"] == "user"] == [
        "This is number 2.", "This is number 3.", "Next",
    ]  # fmt: skip
    assert context_of(answer)["summarized_through"] == through


def test_the_summary_is_shown_with_the_conversation(api: APIClient, alice: User) -> None:
    conversation = long_talk(alice, turns=16)
    ask(api, conversation, "Next")
    body = api.get(f"{BASE}/{conversation.pk}").json()
    assert body["summary"].startswith("Asked: number 0, number 1")


def test_a_fold_is_booked_to_the_conversation_and_to_no_reply(api: APIClient, alice: User) -> None:
    conversation = long_talk(alice, turns=16)
    answer = ask(api, conversation, "Next")
    row = LLMCall.objects.get(purpose="summary")
    assert (row.user_id, row.conversation_id, row.message_id) == (alice.pk, conversation.pk, None)
    reply_row = LLMCall.objects.get(purpose="reply")
    assert answer["tokens_used"] == reply_row.prompt_tokens + reply_row.completion_tokens


def test_switched_off_the_oldest_messages_are_left_out_and_nothing_is_folded(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.SUMMARIZE_HISTORY = False
    conversation = long_talk(alice, turns=16)
    first = conversation.messages.order_by("id")[1].pk
    Conversation.objects.filter(pk=conversation.pk).update(summary="They spoke of lamps.", summarized_through=first)
    answer = ask(api, conversation, "Next")
    assert not any(is_fold(request) for request in groq.requests)
    assert context_of(answer)["dropped_through"] is not None
    assert [message["role"] for message in sent_to_answer(groq)[0][:2]] == ["system", "user"]


def test_a_fold_that_fails_leaves_plain_truncation_and_is_not_tried_at_every_turn(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_MAX_ATTEMPTS = 1

    def refusing(connection: Connection) -> None:
        (status(500) if is_fold(connection.received) else answering())(connection)

    groq.always(refusing)
    conversation = long_talk(alice, turns=16)
    for _ in range(3):
        assert ask(api, conversation, "Next")["status"] == "complete"
    assert sum(is_fold(request) for request in groq.requests) == 1
    conversation.refresh_from_db()
    assert (conversation.summary, conversation.summarized_through) == ("", None)
    groq.always(answering())
    Conversation.objects.update(folding_until="2020-01-01T00:00:00Z")
    ask(api, conversation, "Next")
    conversation.refresh_from_db()
    assert conversation.summary.startswith("Asked: number 0")


def branch_off(conversation: Conversation, *, at: int, turns: int) -> None:
    """Another branch from the reply of turn `at` on, made active."""
    conversation.active_leaf = Message.objects.get(
        conversation=conversation, content=f"This is number {at}."
    ).children.get()
    for number in range(turns):
        add_turn(conversation, question=f"Elsewhere, number {100 + number}.", answer=ANSWER)


def test_a_summary_of_another_branch_is_neither_sent_nor_built_upon(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = long_talk(alice, turns=16)
    ask(api, conversation, "Next")
    conversation.refresh_from_db()
    assert "number 5" in conversation.summary
    branch_off(conversation, at=1, turns=1)
    assert api.get(f"{BASE}/{conversation.pk}").json()["summary"] is None
    groq.requests.clear()
    answer = ask(api, conversation, "What did I say?")
    whole = " ".join(message["content"] for message in sent_to_answer(groq)[0])
    assert "number 0." in whole
    assert "number 100." in whole
    assert "number 5" not in whole
    assert context_of(answer)["summarized_through"] is None

    for number in range(200, 212):
        ask(api, conversation, f"This is number {number}.")
    folds = [request.body["messages"][1]["content"] for request in groq.requests if is_fold(request)]
    assert "BEGIN SUMMARY" not in folds[0]
    conversation.refresh_from_db()
    assert "number 100" in conversation.summary
    assert "number 5," not in conversation.summary


def test_a_branch_that_begins_behind_the_summary_goes_on_with_it(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = long_talk(alice, turns=16)
    ask(api, conversation, "Next")
    conversation.refresh_from_db()
    branch_off(conversation, at=15, turns=1)
    groq.requests.clear()
    answer = ask(api, conversation, "And then?")
    assert context_of(answer)["summarized_through"] == conversation.summarized_through
    assert "Asked: number 0" in sent_to_answer(groq)[0][1]["content"]


def test_a_summary_costs_a_turn_one_query(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = long_talk(alice, turns=2)
    with django_assert_num_queries(0):
        assert summary_for(conversation, through=conversation.active_leaf_id) is None
    conversation.summary, conversation.summarized_through = "Lamps.", conversation.messages.order_by("id")[1].pk
    with django_assert_num_queries(1):
        assert summary_for(conversation, through=conversation.active_leaf_id) is not None


# --- Beside each other ------------------------------------------------------------------------


def fold_now(conversation: Conversation) -> None:
    """As another process would, which has seen the same reply."""
    leaf = conversation.active_leaf_id
    assert leaf is not None
    report = {"limit": 1_200, "tokens": {"system": 30, "question": 10, "history": 900}, "dropped_through": 1}
    summarizing.fold_older(conversation.pk, through=leaf, report=report)


def test_a_fold_that_is_in_work_elsewhere_is_not_done_twice(alice: User, groq: ProviderServer) -> None:
    conversation = long_talk(alice, turns=16)

    assert summarizing._claim(conversation) is not None
    fold_now(conversation)
    assert groq.requests == []
    Conversation.objects.update(folding_until=None)
    fold_now(conversation)
    assert len(groq.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_of_processes_that_come_at_once_one_folds(alice: User, groq: ProviderServer) -> None:
    conversation = long_talk(alice, turns=16)
    groq.always(reply("The notes.", after=0.5))
    together = threading.Barrier(4)

    def come() -> None:
        together.wait()
        while True:
            try:
                return fold_now(conversation)
            except OperationalError as exc:  # a database in memory has nobody wait for a table
                if "locked" not in str(exc):
                    raise
            finally:
                connections.close_all()

    threads = [threading.Thread(target=come) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(groq.requests) == 1
    conversation.refresh_from_db()
    assert (conversation.summary, conversation.folding_until) == ("The notes.", None)


@pytest.mark.django_db(transaction=True)
def test_a_result_that_comes_too_late_overwrites_nothing(
    alice: User, groq: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    conversation = long_talk(alice, turns=16)
    other = {"summary": "Made elsewhere.", "summarized_through": conversation.active_leaf_id}

    def overtaken(connection: Connection) -> None:
        Conversation.objects.update(**other)
        connections.close_all()  # those of the provider's thread
        reply("Too late.")(connection)

    groq.will(overtaken)
    fold_now(conversation)
    assert Conversation.objects.values("summary", "summarized_through").get() == other
    assert "left aside" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_fold(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = long_talk(alice, turns=16)
    may_answer = threading.Event()

    def slowly(connection: Connection) -> None:
        if is_fold(connection.received):
            may_answer.wait(20)
        answering()(connection)

    groq.always(slowly)
    assert ask(api, conversation, "Next")["content"] == ANSWER
    conversation.refresh_from_db()
    assert conversation.summary == ""
    may_answer.set()
    until = time.monotonic() + 10
    while not conversation.summary and time.monotonic() < until:
        time.sleep(0.05)
        conversation.refresh_from_db()
    assert conversation.summary.startswith("Asked: number 0")


def test_a_conversation_that_was_deleted_meanwhile_is_no_error(alice: User, groq: ProviderServer) -> None:
    conversation = long_talk(alice, turns=16)
    Conversation.objects.all().delete()
    fold_now(conversation)
    assert groq.requests == []
