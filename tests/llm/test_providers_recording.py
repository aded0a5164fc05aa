"""The ledger: one row for each attempt, whatever becomes of it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections

from botgpt.accounts.models import User
from conversations.models import Conversation, Message
from llm import errors
from llm.models import LLMCall
from llm.providers import registry
from llm.providers.groq import Groq
from llm.providers.recording import Recording
from llm.types import Attribution
from tests.llm.requests import chat_request
from tests.provider_server import (
    PROVIDER_KEY,
    body,
    broken_json,
    chat_completion,
    cut,
    hang,
    html,
    reply,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries

    from llm.types import ChatRequest, Completion
    from tests.provider_server import Behaviour, Connection, ProviderServer


def turn_of(user: User) -> Attribution:
    """A running turn to book to."""
    conversation = Conversation.objects.create(user=user, mode="open")
    User.objects.filter(pk=user.pk).update(conversation_count=1)
    message = Message.objects.create(conversation=conversation, role="assistant", status="in_progress")
    return Attribution(user_id=user.pk, conversation_id=conversation.pk, message_id=message.pk, request_id="request-1")


def test_an_answer_is_booked_with_its_tokens_price_and_turn(groq: ProviderServer, alice: User) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
    groq.will(reply(usage=usage, after=0.05))
    turn = turn_of(alice)

    Recording(Groq("openai/gpt-oss-20b")).complete(chat_request(attribution=turn))

    row = LLMCall.objects.get()
    assert (row.provider, row.model, row.purpose, row.outcome) == ("groq", "openai/gpt-oss-20b", "reply", "ok")
    assert (row.prompt_tokens, row.completion_tokens, row.cached_tokens) == (1000, 100, 400)
    assert row.price == {"input_mtok": "0.075", "cache_read_mtok": "0.0375", "output_mtok": "0.3"}
    assert row.cost == Decimal("0.00009")  # 600 x .075 + 400 x .0375 + 100 x .3, by the million
    assert (row.user_id, row.conversation_id, row.message_id) == (alice.pk, turn.conversation_id, turn.message_id)
    assert (row.request_id, row.attempt, row.error) == ("request-1", 1, "")
    assert 50 <= row.latency_ms < 5000


@pytest.mark.parametrize(
    ("behaviour", "outcome", "said"),
    [
        (status(400), "rejected", "400"),
        (status(401), "unauthorized", "401"),
        (status(404), "unknown_model", "404"),
        (status(413), "too_large", "413"),
        (status(429), "rate_limited", "429"),
        (status(498), "rate_limited", "498"),
        (status(500), "unavailable", "500"),
        (cut(), "unavailable", "connection failed"),
        (broken_json(), "invalid_response", "not JSON"),
        (html(), "invalid_response", "not a chat completion"),
        (body({"error": {"message": "Overloaded"}}), "invalid_response", "Overloaded"),
        (reply(choices=[]), "invalid_response", "not a chat completion"),
    ],
)
def test_a_failed_attempt_is_booked_with_its_reason(
    groq: ProviderServer, alice: User, behaviour: Behaviour, outcome: str, said: str
) -> None:
    groq.will(behaviour)

    with pytest.raises(errors.ProviderError):
        Recording(Groq("small")).complete(chat_request())

    row = LLMCall.objects.get()
    assert row.outcome == outcome
    assert said in row.error


def test_a_call_that_timed_out_is_booked_with_its_time(groq: ProviderServer, alice: User) -> None:
    groq.will(hang())

    with pytest.raises(errors.ProviderTimeout):
        Recording(Groq("small")).complete(chat_request(seconds=0.2))

    row = LLMCall.objects.get()
    assert (row.outcome, row.cost) == ("timeout", None)
    assert 190 <= row.latency_ms < 5000


def test_every_attempt_of_a_chain_is_a_row_with_its_number(groq: ProviderServer, alice: User) -> None:
    groq.will(status(500), broken_json(), status(429), status(404, error="model_not_found"))

    with pytest.raises(errors.AllProvidersFailed):
        registry.chain().complete(chat_request(attribution=turn_of(alice)))

    rows = LLMCall.objects.order_by("id").values_list("model", "attempt", "outcome")
    assert list(rows) == [
        ("small", 1, "unavailable"),
        ("small", 2, "invalid_response"),
        ("small", 3, "rate_limited"),
        ("large", 1, "unknown_model"),
    ]


def test_tokens_of_an_unusable_answer_are_paid_for_and_booked(groq: ProviderServer, alice: User) -> None:
    groq.will(reply(choices=[{"message": {"content": ""}, "finish_reason": "length"}]))

    with pytest.raises(errors.ProviderInvalidResponse):
        Recording(Groq("openai/gpt-oss-20b")).complete(chat_request())

    row = LLMCall.objects.get()
    assert (row.prompt_tokens, row.completion_tokens) == (100, 20)
    assert row.cost == Decimal("0.0000135")


@pytest.mark.parametrize(
    ("model", "behaviour", "cost"),
    [
        ("openai/gpt-oss-20b", status(500), Decimal(0)),  # nothing was worked out
        ("openai/gpt-oss-20b", cut(), None),  # something may have been
        ("openai/gpt-oss-20b", reply(usage=None), None),
        ("of-unknown-price", reply(), None),
    ],
)
def test_a_cost_that_is_not_known_is_null_and_not_zero(
    groq: ProviderServer, alice: User, model: str, behaviour: Behaviour, cost: Decimal | None
) -> None:
    groq.will(behaviour)
    with suppress(errors.ProviderError):
        Recording(Groq(model)).complete(chat_request())

    assert LLMCall.objects.get().cost == cost


def test_an_attempt_costs_its_row_and_the_addition_to_the_allowance(
    groq: ProviderServer, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = chat_request(attribution=turn_of(alice))
    Recording(Groq("small")).complete(request)  # reads the table of prices

    with django_assert_num_queries(2) as queries:
        Recording(Groq("small")).complete(request)

    assert queries[0]["sql"].startswith('INSERT INTO "llm_calls"')
    assert queries[1]["sql"].lstrip().startswith("INSERT INTO allowances")


def test_keys_do_not_reach_the_ledger(groq: ProviderServer, alice: User) -> None:
    groq.will(status(401, message=f"Key {PROVIDER_KEY} is bad."))

    with pytest.raises(errors.ProviderUnauthorized):
        Recording(Groq("small")).complete(chat_request())

    assert LLMCall.objects.get().error == "401 Unauthorized: Key [key] is bad."


def test_a_reason_without_end_is_cut(groq: ProviderServer, alice: User) -> None:
    def talkative(client: Connection) -> None:
        client.send_response(500, "x" * 1000)
        client.send_header("content-length", "0")
        client.end_headers()

    groq.will(talkative)

    with pytest.raises(errors.ProviderUnavailable):
        Recording(Groq("small")).complete(chat_request())

    assert len(LLMCall.objects.get().error) == 500


def delete_message() -> None:
    Message.objects.get().delete()


def delete_conversation() -> None:
    Conversation.objects.get().delete()


def delete_user() -> None:
    delete_conversation()
    User.objects.get().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("delete", "kept"),
    [(delete_message, {"user", "conversation"}), (delete_conversation, {"user"}), (delete_user, set())],
)
def test_what_was_deleted_during_the_call_is_null_and_the_rest_is_kept(
    groq: ProviderServer, alice: User, delete: Callable[[], None], kept: set[str]
) -> None:
    turn = turn_of(alice)

    def answer_after_deletion(client: Connection) -> None:
        try:
            delete()
        finally:
            connections.close_all()
        client.answer(200, chat_completion("Paid for."))

    groq.will(answer_after_deletion)

    assert Recording(Groq("small")).complete(chat_request(attribution=turn)).text == "Paid for."

    row = LLMCall.objects.get()
    assert {name for name in ("user", "conversation", "message") if getattr(row, f"{name}_id")} == kept


def failing_inserts(times: int, error: Exception) -> Callable[..., Any]:
    """For `connection.execute_wrapper`: the next `times` INSERTs fail as a database would."""
    left = [error] * times

    def wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if sql.startswith("INSERT") and left:
            raise left.pop()
        return execute(sql, params, many, context)

    return wrapper


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_is_tried_again(groq: ProviderServer) -> None:
    with connection.execute_wrapper(failing_inserts(2, OperationalError("database is locked"))):
        Recording(Groq("small")).complete(chat_request())

    assert LLMCall.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), DatabaseError("disk full")])
def test_an_answer_is_not_lost_with_its_ledger_row_and_the_row_is_in_the_log(
    groq: ProviderServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("llm.durable.WAITS", (0.01, 0.01))
    groq.will(reply("Paid for."))

    with connection.execute_wrapper(failing_inserts(100, error)), caplog.at_level(logging.ERROR):
        assert Recording(Groq("small")).complete(chat_request()).text == "Paid for."

    assert LLMCall.objects.count() == 0
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "'prompt_tokens': 100" in record.getMessage()


class Watched(Groq):
    """A provider that notes, on each call, whether the calling thread holds a database connection."""

    def __init__(self) -> None:
        super().__init__("small")
        self.held: list[bool] = []

    def complete(self, request: ChatRequest) -> Completion:
        self.held.append(connection.connection is not None)
        return super().complete(request)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_during_a_call_or_after_a_failed_one(
    groq: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    groq.will(status(500), reply())
    provider = Watched()

    def turn() -> bool:
        if connection.vendor == "sqlite":
            monkeypatch.setattr(connections["default"], "is_in_memory_db", lambda: False)  # else close() does nothing
        LLMCall.objects.exists()
        with pytest.raises(errors.ProviderUnavailable):
            Recording(provider).complete(chat_request())
        held_after_failure = connection.connection is not None
        Recording(provider).complete(chat_request())
        connection.close()
        return held_after_failure

    with ThreadPoolExecutor(1) as pool:
        assert not pool.submit(turn).result()
    assert provider.held == [False, False]
    assert LLMCall.objects.count() == 2


def test_the_ledger_says_which_model_was_to_answer_and_which_stood_in(groq: ProviderServer, db: None) -> None:
    groq.will(status(404), reply("From the second."))
    registry.chain().complete(chat_request())
    registry.chain("groq/large").complete(chat_request())
    rows = LLMCall.objects.order_by("id").values_list("model", "place", "outcome")
    assert list(rows) == [("small", 1, "unknown_model"), ("large", 2, "ok"), ("large", 1, "ok")]
