"""The log line of a request says who, what, how long and what it cost, and never what was written."""

from __future__ import annotations

import io
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from botgpt.operations.logs import make_formatter
from botgpt.operations.run_queue import RunQueue
from tests.builders import conversation_of
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

    Lines = Callable[[], list[dict[str, Any]]]

SECRET = "the secret of the lighthouse"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The log so far, as the JSON that production writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(make_formatter("json"))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def only(found: list[dict[str, Any]], event: str) -> dict[str, Any]:
    (line,) = (line for line in found if line["event"] == event)
    return line


def test_the_time_counts_that_a_request_waited_for_its_beginning(lines: Lines) -> None:
    queue = RunQueue(2)
    busy = queue.submit(time.sleep, 0.1)
    queue.submit(Client().get, "/health").result(10)
    busy.result(10)
    queue.shutdown()
    assert only(lines(), "request")["duration_ms"] >= 90


def test_a_turn_is_logged_with_its_tokens_and_cost(
    api: APIClient, alice: User, groq: ProviderServer, settings: Settings, lines: Lines
) -> None:
    settings.LLM_CHAIN = ["groq/openai/gpt-oss-20b"]
    groq.will(status(500), reply(SECRET, usage={"prompt_tokens": 100_000, "completion_tokens": 5}))
    conversation = conversation_of(alice)
    api.post(
        f"/api/v1/conversations/{conversation.pk}/messages",
        {"message": SECRET},
        format="json",
        headers={"x-request-id": "request-17"},
    )
    found = lines()
    line = only(found, "request")
    assert line["route"] == "api/v1/conversations/<int:pk>/messages"
    assert (line["method"], line["status"], line["user_id"]) == ("POST", 200, alice.pk)
    assert (line["llm_calls"], line["tokens"]) == (2, 100_005)
    assert 0 < line["cost"] < 1
    assert line["queries"] > 3
    assert line["duration_ms"] >= line["query_ms"] > 0
    calls = [line for line in found if line["event"] == "llm call"]
    assert [(call["level"], call["outcome"], call["attempt"]) for call in calls] == [
        ("warning", "unavailable", 1),
        ("info", "ok", 2),
    ]
    assert calls[1]["prompt_tokens"] == 100_000
    assert {call["conversation_id"] for call in calls} == {conversation.pk}
    assert {line["request_id"], *(call["request_id"] for call in calls)} == {"request-17"}
    assert SECRET not in json.dumps(found)


def test_a_request_that_asks_no_model_has_no_tokens(api: APIClient, lines: Lines) -> None:
    api.get("/api/v1/conversations")
    line = only(lines(), "request")
    assert line["level"] == "info"
    assert not {"tokens", "cost", "llm_calls"} & line.keys()


def test_nobody_is_looked_up_for_the_log(client: Client, alice: User, lines: Lines) -> None:
    client.force_login(alice)
    client.get("/health")
    line = only(lines(), "request")
    assert (line["user_id"], line["queries"]) == (None, 0)


def test_failures_of_the_server_are_errors(api: APIClient, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    api.raise_request_exception = False
    monkeypatch.setattr("conversations.models.ConversationQuerySet.newest_of", lambda *_: 1 / 0)
    api.get("/api/v1/conversations")
    assert only(lines(), "request")["level"] == "error"
