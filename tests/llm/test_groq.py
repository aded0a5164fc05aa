"""The Groq adapter, against a real HTTP server: what it sends, what it accepts, what its errors become."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from llm import errors
from llm.providers.groq import Groq
from llm.types import ChatMessage, Usage
from tests.llm.requests import chat_request
from tests.provider_server import (
    PROVIDER_KEY,
    body,
    broken_json,
    chat_completion,
    cut,
    drip,
    hang,
    html,
    reply,
    status,
)

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.provider_server import Behaviour, ProviderServer


def test_an_answer_carries_its_text_model_and_tokens(groq: ProviderServer) -> None:
    usage = {"prompt_tokens": 50, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 32}}
    groq.will(reply("Rayleigh scattering.", usage=usage))

    completion = Groq("small").complete(chat_request())

    assert completion.text == "Rayleigh scattering."
    assert (completion.provider, completion.model, completion.finish_reason) == ("groq", "small", "stop")
    assert completion.usage == Usage(prompt_tokens=50, completion_tokens=7, cached_tokens=32)


def test_the_request_is_what_groq_documents(groq: ProviderServer) -> None:
    Groq("small").complete(chat_request("Why?", max_tokens=321, temperature=0.7))

    (received,) = groq.requests
    assert received.path == "/openai/v1/chat/completions"
    assert received.headers["Authorization"] == f"Bearer {PROVIDER_KEY}"
    assert received.body == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        "temperature": 0.7,
        "max_completion_tokens": 321,
    }


def test_only_models_that_reason_get_an_effort(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_REASONING_EFFORT = "medium"

    Groq("openai/gpt-oss-20b").complete(chat_request())
    Groq("llama-3.3-70b-versatile").complete(chat_request())

    assert [received.body.get("reasoning_effort") for received in groq.requests] == ["medium", None]


@pytest.mark.parametrize("usage", [None, "many", {}, {"prompt_tokens": None, "completion_tokens": -3}])
def test_missing_or_senseless_token_counts_do_no_harm(groq: ProviderServer, usage: Any) -> None:
    groq.will(reply("Hello", usage=usage))

    assert Groq("small").complete(chat_request()).usage == Usage()


def test_counts_that_no_column_holds_are_not_believed(groq: ProviderServer) -> None:
    groq.will(reply("Hello", usage={"prompt_tokens": 10**30, "completion_tokens": 10**30}))

    assert Groq("small").complete(chat_request()).usage.total_tokens < 2**31


def test_more_cached_than_prompt_tokens_are_not_believed(groq: ProviderServer) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}}
    groq.will(reply("Hello", usage=usage))

    assert Groq("small").complete(chat_request()).usage.cached_tokens == 5


def test_characters_that_no_database_stores_are_taken_out_both_ways(groq: ProviderServer) -> None:
    groq.will(reply("a\0b\ud800c 😀"))
    request = chat_request(messages=(ChatMessage("user", "x\0y\udfffz"),))

    assert Groq("small").complete(request).text == "abc 😀"
    assert groq.requests[0].body["messages"][0]["content"] == "xyz"


def test_an_answer_cut_short_by_the_token_limit_is_still_an_answer(groq: ProviderServer) -> None:
    choice = {"message": {"content": "The sky is"}, "finish_reason": "length"}
    groq.will(reply(choices=[choice]))

    completion = Groq("small").complete(chat_request())

    assert (completion.text, completion.finish_reason) == ("The sky is", "length")


def test_tokens_all_spent_on_reasoning_say_what_to_change_and_are_counted(groq: ProviderServer) -> None:
    groq.will(reply(choices=[{"message": {"content": ""}, "finish_reason": "length"}]))

    with pytest.raises(errors.ProviderInvalidResponse, match="raise MAX_COMPLETION_TOKENS") as caught:
        Groq("small").complete(chat_request())

    assert caught.value.usage == Usage(prompt_tokens=100, completion_tokens=20)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (broken_json(), "not JSON"),
        (body(b"[" * 100_000), "not JSON"),
        (body(b"\xff\xfe"), "not JSON"),
        (body(b""), "not JSON"),
        (html(), "not a chat completion"),
        (body([1, 2]), "not a chat completion"),
        (body(None), "not a chat completion"),
        (body({"error": {"message": "Overloaded"}}), "Overloaded"),
        (reply(choices=[]), "not a chat completion"),
        (reply(choices=None), "not a chat completion"),
        (reply(choices=[{"message": None, "finish_reason": "stop"}]), "not a chat completion"),
        (reply(None), "no text"),
        (reply(" \n"), "no text"),
        (reply("\0"), "no text"),
        (reply(choices=[{"message": {"content": [{"type": "text"}]}, "finish_reason": "stop"}]), "no text"),
        (reply(choices=[{"message": {"content": "Half an"}}]), "no end"),
    ],
)
def test_a_success_that_is_no_answer_is_an_error(groq: ProviderServer, behaviour: Behaviour, said: str) -> None:
    groq.will(behaviour)

    with pytest.raises(errors.ProviderInvalidResponse, match=said) as caught:
        Groq("small").complete(chat_request())

    assert caught.value.retryable
    assert caught.value.advances


@pytest.mark.parametrize(
    ("code", "error", "kind", "retryable", "advances"),
    [
        (302, "", errors.ProviderUnavailable, True, True),
        (400, "invalid_request_error", errors.ProviderRejected, False, False),
        (400, "model_decommissioned", errors.UnknownModel, False, True),
        (400, "context_length_exceeded", errors.RequestTooLarge, False, True),
        (401, "invalid_api_key", errors.ProviderUnauthorized, False, True),
        (403, "permissions_error", errors.ProviderUnauthorized, False, True),
        (404, "model_not_found", errors.UnknownModel, False, True),
        (408, "", errors.ProviderTimeout, True, True),
        (413, "rate_limit_exceeded", errors.RequestTooLarge, False, True),
        (422, "", errors.ProviderRejected, False, False),
        (429, "rate_limit_exceeded", errors.ProviderRateLimited, True, True),
        (498, "capacity_exceeded", errors.ProviderRateLimited, True, True),
        (500, "", errors.ProviderUnavailable, True, True),
        (503, "", errors.ProviderUnavailable, True, True),
        (529, "", errors.ProviderUnavailable, True, True),
    ],
)
def test_each_status_becomes_the_error_that_says_what_to_do(
    groq: ProviderServer, code: int, error: str, kind: type[errors.ProviderError], *, retryable: bool, advances: bool
) -> None:
    groq.will(status(code, error=error, message="The\nreason."))

    with pytest.raises(errors.ProviderError, match=rf"{code}.*: The reason\.") as caught:
        Groq("small").complete(chat_request())

    assert type(caught.value) is kind
    assert (caught.value.retryable, caught.value.advances) == (retryable, advances)
    assert caught.value.usage == Usage()
    assert len(groq.requests) == 1  # the SDK's own retries are off


def test_an_error_page_is_not_quoted(groq: ProviderServer) -> None:
    groq.will(lambda connection: connection.answer(502, b"<html>Bad gateway</html>", media_type="text/html"))

    with pytest.raises(errors.ProviderUnavailable) as caught:
        Groq("small").complete(chat_request())

    assert str(caught.value) == "502 Bad Gateway"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        (timedelta(hours=1), 3600.0),
        (timedelta(hours=-1), 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
    ids=["seconds", "part", "negative", "date", "past-date", "words", "nan", "inf", "none"],
)
def test_retry_after_is_read_as_seconds_or_a_date(
    groq: ProviderServer, header: str | timedelta | None, seconds: float | None
) -> None:
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    groq.will(status(429, retry_after=header))

    with pytest.raises(errors.ProviderRateLimited) as caught:
        Groq("small").complete(chat_request())

    assert caught.value.retry_after == (None if seconds is None else pytest.approx(seconds, abs=60))


@pytest.mark.parametrize("behaviour", [hang(), drip(), drip(head_too=True), reply(after=5)])
def test_a_call_ends_with_its_time_however_the_answer_trickles(
    groq: ProviderServer, settings: Settings, behaviour: Behaviour
) -> None:
    settings.LLM_CALL_SECONDS = 0.4
    groq.will(behaviour)
    began = time.monotonic()

    with pytest.raises(errors.ProviderTimeout, match=r"within 0\.4 s"):
        Groq("small").complete(chat_request())

    assert 0.35 < time.monotonic() - began < 2


def test_the_requests_deadline_is_kept_when_it_is_nearer(groq: ProviderServer) -> None:
    groq.will(hang())
    began = time.monotonic()

    with pytest.raises(errors.ProviderTimeout):
        Groq("small").complete(chat_request(seconds=0.3))

    assert time.monotonic() - began < 2


def test_no_call_is_made_when_the_time_is_up(groq: ProviderServer) -> None:
    with pytest.raises(errors.ProviderTimeout, match="No time"):
        Groq("small").complete(chat_request(seconds=-1))

    assert groq.requests == []


def test_a_connection_that_is_cut_is_an_error_with_its_reason(groq: ProviderServer) -> None:
    groq.will(cut())

    with pytest.raises(errors.ProviderUnavailable, match="closed connection without sending complete") as caught:
        Groq("small").complete(chat_request())

    assert caught.value.usage is None  # it may have been worked out, and billed


def test_a_host_that_refuses_connections_is_an_error_that_costs_nothing(
    groq: ProviderServer, settings: Settings
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.GROQ_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(errors.ProviderUnavailable, match="refused") as caught:
            Groq("small").complete(chat_request())

    assert caught.value.usage == Usage()


@pytest.mark.parametrize(
    "behaviour",
    [
        status(401, message=f"Invalid API key: {PROVIDER_KEY}"),
        status(429, message=f"Limit reached in organization org_01abc for {PROVIDER_KEY}"),
        body({"error": {"message": f"Bad key {PROVIDER_KEY} of org_01abc"}}),
    ],
)
def test_what_a_provider_echoes_of_our_account_goes_no_further(
    groq: ProviderServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    groq.will(behaviour)

    with pytest.raises(errors.ProviderError) as caught:
        Groq("small").complete(chat_request())

    printed = "".join(traceback.format_exception(caught.value))
    assert "[key]" in printed or "[account]" in printed
    for secret in (PROVIDER_KEY, "org_01abc"):
        assert secret not in printed
    assert PROVIDER_KEY not in caplog.text


@pytest.mark.parametrize("key", ["gsk_one two", "gsk_ü", "gsk_a\nb"])
def test_a_key_that_no_header_can_carry_is_reported_without_showing_it(
    groq: ProviderServer, settings: Settings, key: str
) -> None:
    settings.GROQ_API_KEY = key

    with pytest.raises(errors.ProviderUnauthorized, match="GROQ_API_KEY") as caught:
        Groq("small").complete(chat_request())

    assert key not in "".join(traceback.format_exception(caught.value))


def test_a_key_with_a_newline_from_a_file_works(groq: ProviderServer, settings: Settings) -> None:
    settings.GROQ_API_KEY = f"{PROVIDER_KEY}\n"

    Groq("small").complete(chat_request())

    assert groq.requests[0].headers["Authorization"] == f"Bearer {PROVIDER_KEY}"


def test_history_is_sent_whole_and_in_order(groq: ProviderServer) -> None:
    messages = tuple(ChatMessage("user" if i % 2 else "assistant", f"Message {i}") for i in range(200))

    Groq("small").complete(chat_request(messages=messages))

    assert [message["content"] for message in groq.requests[0].body["messages"]] == [m.content for m in messages]


def test_the_text_may_be_of_any_length(groq: ProviderServer) -> None:
    long = "Every word counts. " * 50_000
    groq.will(body(chat_completion(long)))

    assert Groq("small").complete(chat_request()).text == long
