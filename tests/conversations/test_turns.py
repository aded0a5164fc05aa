"""A turn against a provider on loopback that speaks the real wire format: whatever it does, no question is lost."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from conversations import threads
from conversations.models import Conversation, Message
from conversations.privacy import delete_now
from llm import booking
from llm.models import Allowance, LLMCall
from llm.types import Attribution, Usage
from tests.builders import context_of, conversation_of, document_of
from tests.provider_server import broken_json, cut, hang, reply, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.provider_server import Connection, ProviderServer

BASE = "/api/v1/conversations"


@pytest.fixture(autouse=True)
def impatient(settings: Settings) -> None:
    settings.LLM_BACKOFF_SECONDS = 0.01
    settings.LLM_CALL_SECONDS = 0.5
    settings.LLM_TURN_SECONDS = 5


def ask(api: APIClient, text: str = "Hello") -> dict[str, Any]:
    response = api.post(BASE, {"first_message": text}, format="json")
    assert response.status_code == 201, response.content
    answer: dict[str, Any] = response.json()["messages"][1]
    return answer


def test_a_reply_is_stored_with_its_model_tokens_and_ledger_row(api: APIClient, groq: ProviderServer) -> None:
    groq.will(reply("Hello yourself", usage={"prompt_tokens": 20, "completion_tokens": 5}))
    answer = ask(api)
    assert (answer["content"], answer["model_used"], answer["tokens_used"]) == ("Hello yourself", "small", 25)
    call = LLMCall.objects.get()
    assert (call.outcome, call.provider, call.model, call.attempt) == ("ok", "groq", "small", 1)
    assert (call.prompt_tokens, call.completion_tokens) == (20, 5)
    assert (call.message_id, call.conversation_id) == (answer["id"], answer["conversation_id"])


@pytest.mark.parametrize(
    "fault", [status(429), status(500), hang(), broken_json(), cut()], ids=["429", "500", "hang", "json", "cut"]
)
def test_a_fault_is_tried_again_and_each_attempt_is_in_the_ledger(
    api: APIClient, groq: ProviderServer, fault: Any
) -> None:
    groq.will(fault, reply("Better now"))
    answer = ask(api)
    assert (answer["content"], answer["status"]) == ("Better now", "complete")
    outcomes = list(LLMCall.objects.order_by("id").values_list("attempt", "outcome"))
    assert outcomes[0][0] == 1
    assert outcomes[0][1] != "ok"
    assert outcomes[1:] == [(2, "ok")]


def test_the_next_model_takes_over_from_one_that_stays_down(api: APIClient, groq: ProviderServer) -> None:
    groq.will(status(500), status(500), status(500), reply("From the large one"))
    assert ask(api)["model_used"] == "large"
    assert list(LLMCall.objects.order_by("id").values_list("model", "attempt")) == [
        ("small", 1), ("small", 2), ("small", 3), ("large", 1),
    ]  # fmt: skip


def test_when_every_model_stays_down_the_question_is_kept_and_a_fallback_is_stored(
    api: APIClient, groq: ProviderServer, settings: Settings
) -> None:
    groq.will(*[status(503)] * 6)
    answer = ask(api, "Keep me")
    assert answer["status"] == "failed"
    assert answer["content"] == settings.FALLBACK_REPLY
    assert answer["model_used"] is None
    assert answer["error"]
    assert LLMCall.objects.count() == 6
    history = api.get(f"{BASE}/{answer['conversation_id']}").json()["messages"]
    assert [m["content"] for m in history] == ["Keep me", settings.FALLBACK_REPLY]


def test_a_failed_reply_never_enters_a_later_context(api: APIClient, groq: ProviderServer) -> None:
    groq.will(*[status(503)] * 6, reply("Now it works"))
    conversation_id = ask(api, "First")["conversation_id"]
    api.put(f"{BASE}/{conversation_id}", {"message": "Second"}, format="json")
    sent = groq.requests[-1].body["messages"]
    assert [m["content"] for m in sent[1:]] == ["First", "Second"]


def test_what_the_offline_provider_said_never_enters_a_later_context(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    conversation = conversation_of(alice)
    key, settings.GROQ_API_KEY = settings.GROQ_API_KEY, ""
    api.put(f"{BASE}/{conversation.pk}", {"message": "First"}, format="json")
    settings.GROQ_API_KEY = key
    api.put(f"{BASE}/{conversation.pk}", {"message": "Second"}, format="json")
    assert [m["content"] for m in groq.requests[-1].body["messages"][1:]] == ["First", "Second"]


def test_history_goes_along_oldest_first_behind_the_system_prompt(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = conversation_of(alice, turns=2)
    groq.will(reply("Fine"))
    api.put(f"{BASE}/{conversation.pk}", {"message": "Next"}, format="json")
    sent = groq.requests[-1].body["messages"]
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m["content"] for m in sent[1:]] == ["Question 0", "Answer 0", "Question 1", "Answer 1", "Next"]


def test_what_does_not_fit_is_dropped_from_the_oldest_and_the_fact_is_stored(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MAX_CONTEXT_TOKENS = 150
    conversation = conversation_of(alice, turns=30)
    groq.will(reply("Fine"))
    with caplog.at_level(logging.WARNING, logger="llm.context"):
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "Next"}, format="json").json()
    sent = groq.requests[-1].body["messages"]
    assert 3 < len(sent) < 30
    assert sent[-2]["content"] == "Answer 29"
    stored = context_of(body["assistant_message"])
    assert stored["history_sent"] == len(sent) - 2
    assert Message.objects.get(pk=stored["dropped_through"]).content == f"Answer {29 - (len(sent) - 2) // 2}"
    assert "dropped" in caplog.text


def test_a_reported_usage_corrects_the_next_window(api: APIClient, alice: User, groq: ProviderServer) -> None:
    conversation = conversation_of(alice)
    totals = []
    for _ in range(2):
        groq.will(reply("Fine", usage={"prompt_tokens": 1_000, "completion_tokens": 1}))
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "Same words"}, format="json").json()
        totals.append(context_of(body["assistant_message"])["tokens"]["system"])
    assert totals[1] > totals[0]


def test_the_models_marks_are_checked_against_what_it_was_sent(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days. Sofas may not.", filename="returns.txt")
    groq.will(reply("Lamps: thirty days [1]. Invented [4]."))
    body = api.post(
        BASE, {"first_message": "Can lamps be returned?", "mode": "rag", "document_ids": [document.pk]}, format="json"
    ).json()
    answer = body["messages"][1]
    assert answer["content"] == "Lamps: thirty days [1]. Invented."
    assert [c["quote"] for c in answer["citations"]] == ["Lamps may be returned within thirty days."]
    assert "Lamps may be returned" in groq.requests[-1].body["messages"][-1]["content"]


def test_two_senders_at_once_get_one_turn_and_one_409(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    running = Message.objects.create(
        conversation=conversation, parent=conversation.active_leaf, role="assistant", status="in_progress"
    )
    response = api.put(f"{BASE}/{conversation.pk}", {"message": "Me too"}, format="json")
    assert (response.status_code, response.json()["code"]) == (409, "turn_in_progress")
    assert int(response["Retry-After"]) >= 1
    assert not conversation.messages.filter(content="Me too").exists()
    running.refresh_from_db()
    assert running.status == "in_progress"


def test_a_turn_whose_process_died_gives_the_conversation_up_after_the_deadline(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    conversation = conversation_of(alice, turns=1)
    long_ago = timezone.now() - dt.timedelta(seconds=settings.LLM_TURN_SECONDS + 1)
    dead = Message.objects.create(
        conversation=conversation,
        parent=conversation.active_leaf,
        role="assistant",
        status="in_progress",
        content="Half an ans",
        updated_at=long_ago,
    )
    groq.will(reply("Back again"))
    response = api.put(f"{BASE}/{conversation.pk}", {"message": "Anyone there?"}, format="json")
    assert response.status_code == 200
    dead.refresh_from_db()
    assert (dead.status, dead.content) == ("incomplete", "Half an ans")


@pytest.mark.django_db(transaction=True)
def test_a_conversation_deleted_during_its_turn_is_404_and_the_call_stays_in_the_ledger(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = conversation_of(alice, turns=1)

    def delete_then_reply(provider: Connection) -> None:
        Conversation.objects.all().delete()
        connection.close()  # the one of the provider's thread
        reply("Too late")(provider)

    groq.will(delete_then_reply)
    response = api.put(f"{BASE}/{conversation.pk}", {"message": "x"}, format="json")
    assert response.status_code == 404
    call = LLMCall.objects.get()
    assert (call.outcome, call.conversation_id, call.user_id) == ("ok", None, alice.pk)


def test_an_unforeseen_error_closes_the_turn_and_keeps_the_question(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)

    def break_history(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if "SELECT" in sql and "ORDER BY created_at DESC" in sql:
            raise ZeroDivisionError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(break_history):
        response = api.put(f"{BASE}/{conversation.pk}", {"message": "Keep me"}, format="json")
    assert response.status_code == 500
    question, answer = conversation.messages.order_by("id")[2:]
    assert (question.content, answer.status) == ("Keep me", "failed")
    assert api.put(f"{BASE}/{conversation.pk}", {"message": "Again"}, format="json").status_code == 200


def test_a_stream_that_an_ending_process_cannot_begin_leaves_no_lock(
    api: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = conversation_of(alice, turns=1)
    ended = ThreadPoolExecutor(1)
    ended.shutdown()
    monkeypatch.setattr(threads, "_executor", ended)
    address = f"{BASE}/{conversation.pk}/messages"
    assert api.post(address, {"message": "Keep me", "stream": True}, format="json").status_code == 500
    question, answer = conversation.messages.order_by("id")[2:]
    assert (question.content, answer.status) == ("Keep me", "failed")
    assert api.post(address, {"message": "Again"}, format="json").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_reply_that_meets_a_locked_database_is_stored_all_the_same(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    conversation = conversation_of(alice)
    refused = 0

    def locked_twice(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal refused
        if refused < 2 and sql.startswith("UPDATE") and '"citations"' in sql:
            refused += 1
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(locked_twice):
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "x"}, format="json").json()
    assert refused == 2
    reply = Message.objects.get(pk=body["assistant_message"]["id"])
    assert reply.status == "complete"
    assert LLMCall.objects.count() == 1  # what was tried before has left nothing
    assert Allowance.objects.get(pk=alice.pk).day_tokens == reply.tokens_used > 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_away", [False, True])
def test_the_call_of_a_reply_that_cannot_be_stored_is_booked_or_in_the_log(
    api: APIClient,
    alice: User,
    groq: ProviderServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_away: bool,
) -> None:
    monkeypatch.setattr("llm.durable.WAITS", (0.01, 0.01))
    conversation = conversation_of(alice)

    def away(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if (sql.startswith("UPDATE") and '"citations"' in sql) or (is_away and '"llm_calls"' in sql):
            raise OperationalError("the server closed the connection")
        return execute(sql, params, many, context)

    api.raise_request_exception = False
    with connection.execute_wrapper(away), caplog.at_level(logging.ERROR):
        response = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "x"}, format="json")
    assert response.status_code == 503
    assert conversation.messages.get(role="assistant").status == "in_progress"
    said = [record.getMessage() for record in caplog.records if record.name == "llm.booking"]
    assert (LLMCall.objects.count(), len(said)) == ((0, 1) if is_away else (1, 0))
    assert not said or "'prompt_tokens': 100" in said[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("statement timeout"), DatabaseError("the table is damaged")])
def test_a_reply_whose_call_cannot_be_booked_is_stored(
    api: APIClient,
    alice: User,
    groq: ProviderServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    conversation = conversation_of(alice)

    def broken(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith("INSERT") and '"llm_calls"' in sql:
            raise error
        return execute(sql, params, many, context)

    monkeypatch.setattr("llm.durable.WAITS", (0.01, 0.01))
    with connection.execute_wrapper(broken), caplog.at_level(logging.ERROR):
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "x"}, format="json").json()
    assert body["assistant_message"]["status"] == "complete"
    assert body["assistant_message"]["tokens_used"] > 0
    assert not LLMCall.objects.exists()
    assert [record.name for record in caplog.records] == ["llm.booking"]


@pytest.mark.django_db(transaction=True)
def test_a_call_is_booked_behind_its_reply_when_the_ledger_comes_back_late(
    api: APIClient, alice: User, groq: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm.durable.WAITS", (0.01, 0.01))
    conversation = conversation_of(alice)
    tries = 0

    def late(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal tries
        if sql.startswith("INSERT") and '"llm_calls"' in sql:
            tries += 1
            if tries <= 3:
                raise OperationalError("lock timeout")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(late):
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "x"}, format="json").json()
    assert tries == 4
    assert body["assistant_message"]["status"] == "complete"
    assert Allowance.objects.get(pk=alice.pk).day_tokens == body["assistant_message"]["tokens_used"] > 0


def test_a_call_that_answered_is_booked_when_what_follows_breaks(alice: User) -> None:
    attribution = Attribution(user_id=alice.pk)
    call: dict[str, Any] = {"provider": "groq", "model": "small", "attempt": 1, "seconds": 0.1}
    call["usage"] = Usage(prompt_tokens=5)

    def broken_turn() -> None:
        with booking.answers_held_back() as answers:
            booking.book(attribution, outcome="timeout", **call)
            booking.book(replace(attribution, purpose="embedding"), outcome="ok", **call)
            booking.book(attribution, outcome="ok", **call)
            assert [row.outcome for row in LLMCall.objects.order_by("id")] == ["timeout", "ok"]
            assert len(answers.calls) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_turn()
    assert [row.purpose for row in LLMCall.objects.order_by("id")] == ["reply", "embedding", "reply"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_deletion_that_meets_the_closing_of_a_reply_is_done_and_the_call_is_booked(alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    reply = conversation.messages.get(role="assistant")
    attribution = Attribution(user_id=alice.pk, conversation_id=conversation.pk, message_id=reply.pk)
    is_written = threading.Event()

    def store() -> bool:
        Message.objects.filter(pk=reply.pk).update(content="The answer.")
        is_written.set()
        time.sleep(0.5)  # the deletion has the conversation's row now, and waits for the message's
        return True

    def delete() -> None:
        is_written.wait()
        try:
            delete_now(Conversation.objects.filter(pk=conversation.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        deletion = pool.submit(delete)
        with booking.answers_held_back() as answers:
            booking.book(attribution, provider="groq", model="small", attempt=1, seconds=0.1, outcome="ok", usage=None)
            answers.book_with(store)
        deletion.result()
    assert not Conversation.objects.exists()
    assert LLMCall.objects.get().conversation_id is None


def test_a_reply_that_no_model_could_give_is_neither_grounded_nor_not(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    groq.always(status(401))
    conversation = conversation_of(alice, documents=[document_of(alice, "Lamps may be returned within thirty days.")])
    response = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "Can lamps be returned?"}, format="json")
    answer = response.json()["assistant_message"]
    assert (answer["status"], answer["grounded"]) == ("failed", None)


FOLLOW_UP = "And the other thing, what about it?"


def follow_up(api: APIClient, alice: User, groq: ProviderServer) -> dict[str, Any]:
    """The reply to a question that means nothing without the one before it."""
    document = document_of(alice, "Lamps may be returned within thirty days. Sofas stay where they are.")
    conversation = conversation_of(alice, documents=[document])
    groq.will(reply("Thirty days [1]."))
    api.put(f"{BASE}/{conversation.pk}", {"message": "Can lamps be returned?"}, format="json")
    LLMCall.objects.all()._raw_delete(LLMCall.objects.db)
    body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": FOLLOW_UP}, format="json").json()
    answer: dict[str, Any] = body["assistant_message"]
    return answer


def test_a_follow_up_is_searched_as_the_model_rewrites_it_when_that_is_switched_on(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_REWRITE_QUESTIONS = True
    usage = {"prompt_tokens": 50, "completion_tokens": 10}
    groq.always(reply("Sofas stay where they are, may sofas be returned? [1]", usage=usage))
    answer = follow_up(api, alice, groq)
    rewriting, answering = groq.requests[-2:]
    assert "Can lamps be returned?" in rewriting.body["messages"][1]["content"]
    assert rewriting.body["messages"][1]["content"].endswith(FOLLOW_UP)
    assert answering.body["messages"][-1]["content"].endswith(FOLLOW_UP)
    assert [call.purpose for call in LLMCall.objects.order_by("id")] == ["rewrite", "reply"]
    assert answer["tokens_used"] == sum(c.prompt_tokens + c.completion_tokens for c in LLMCall.objects.all()) == 120


def test_a_rewrite_that_fails_leaves_the_question_as_it_is(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_REWRITE_QUESTIONS = True
    settings.LLM_MAX_ATTEMPTS = 1
    groq.will(reply("Thirty days [1]."), status(500), status(500), reply("Lamps [1]."))
    document = document_of(alice, "Lamps may be returned within thirty days. Sofas stay where they are.")
    conversation = conversation_of(alice, documents=[document])
    for text in ("Can lamps be returned?", FOLLOW_UP):
        body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": text}, format="json").json()
    assert body["assistant_message"]["content"] == "Lamps [1]."


def test_a_follow_up_costs_no_call_of_its_own_unless_that_is_switched_on(
    api: APIClient, alice: User, groq: ProviderServer
) -> None:
    follow_up(api, alice, groq)
    assert [call.purpose for call in LLMCall.objects.all()] == ["reply"]
