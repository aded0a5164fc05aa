"""Any server of OpenAI's format, over real HTTP: what is sent, what comes back, and every fault in our words."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from documents.deadline import Cancellation
from llm import errors
from llm.models import LLMCall
from llm.providers import registry
from llm.providers.compatible import Compatible
from llm.types import Completion, Delta, Usage
from tests.llm.requests import chat_request
from tests.provider_server import ProviderServer, broken_json, cut, drip, hang, html, reply, status, writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from botgpt.accounts.models import User
    from tests.provider_server import Behaviour

KEY = "sk-0123456789"


@pytest.fixture
def server(settings: Settings) -> Iterator[ProviderServer]:
    """A server that `LLM_CHAIN` calls `vllm`."""
    with ProviderServer() as server:
        settings.LLM_PROVIDERS = {"vllm": {"base_url": f"{server.url}/v1", "api_key": KEY, "needs_key": False}}
        settings.LLM_BACKOFF_SECONDS = 0.01
        yield server


def test_the_request_has_the_model_the_messages_and_the_key(server: ProviderServer) -> None:
    server.will(reply("Hello", usage={"prompt_tokens": 7, "completion_tokens": 3}))
    completion = Compatible("vllm", "qwen/qwen3").complete(chat_request())
    assert (completion.text, completion.model, completion.provider) == ("Hello", "qwen/qwen3", "vllm")
    assert completion.usage == Usage(prompt_tokens=7, completion_tokens=3)
    (received,) = server.requests
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.body["model"] == "qwen/qwen3"
    assert [message["role"] for message in received.body["messages"]] == ["system", "user"]


def test_without_a_key_none_is_sent(server: ProviderServer, settings: Settings) -> None:
    settings.LLM_PROVIDERS = {"ollama": settings.LLM_PROVIDERS["vllm"] | {"api_key": ""}}
    Compatible("ollama", "llama3.2").complete(chat_request())
    assert "authorization" not in server.requests[0].headers


def test_a_stream_is_its_pieces_and_the_whole_with_the_usage_that_comes_last(server: ProviderServer) -> None:
    server.will(writes("Hel", "lo", usage={"prompt_tokens": 7, "completion_tokens": 2}))
    *deltas, last = Compatible("vllm", "m").stream(chat_request())
    assert deltas == [Delta("Hel"), Delta("lo")]
    assert isinstance(last, Completion)
    assert (last.text, last.usage) == ("Hello", Usage(prompt_tokens=7, completion_tokens=2))
    assert server.requests[0].body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (status(500), errors.ProviderUnavailable),
        (status(429, retry_after=3), errors.ProviderRateLimited),
        (status(401), errors.ProviderUnauthorized),
        (status(404), errors.UnknownModel),
        (status(413), errors.RequestTooLarge),
        (status(400), errors.ProviderRejected),
        (status(400, error="context_length_exceeded"), errors.RequestTooLarge),
        (broken_json(), errors.ProviderInvalidResponse),
        (html(), errors.ProviderInvalidResponse),
        (reply(None), errors.ProviderInvalidResponse),
        (cut(), errors.ProviderUnavailable),
        (hang(), errors.ProviderTimeout),
        (drip(), errors.ProviderTimeout),
    ],
)
def test_a_fault_has_its_name(server: ProviderServer, fault: Behaviour, error: type[errors.ProviderError]) -> None:
    server.will(fault)
    with pytest.raises(error) as caught:
        Compatible("vllm", "m").complete(chat_request(seconds=0.6))
    assert type(caught.value) is error
    assert caught.value.retry_after == (3 if error is errors.ProviderRateLimited else None)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ("cut", errors.ProviderUnavailable),
        ("error", errors.ProviderUnavailable),
        ("nothing", errors.ProviderInvalidResponse),
        ("broken", errors.ProviderInvalidResponse),
        ("hang", errors.ProviderTimeout),
    ],
)
def test_a_stream_that_does_not_end_well_is_an_error(
    server: ProviderServer, settings: Settings, end: str, error: type[errors.ProviderError]
) -> None:
    settings.LLM_CALL_SECONDS = 0.5
    server.will(writes("Half", end=end))
    pieces = Compatible("vllm", "m").stream(chat_request())
    assert next(pieces) == Delta("Half")
    with pytest.raises(error):
        list(pieces)


def test_a_stream_may_go_on_beyond_the_time_for_its_first_token(server: ProviderServer, settings: Settings) -> None:
    settings.LLM_CALL_SECONDS = 0.4
    server.will(writes(*"abcdef", gap=0.15))
    *_, last = Compatible("vllm", "m").stream(chat_request())
    assert isinstance(last, Completion)
    assert last.text == "abcdef"


def test_a_key_that_the_server_echoes_goes_no_further(server: ProviderServer) -> None:
    server.will(status(401, message=f"Incorrect API key: {KEY}"))
    with pytest.raises(errors.ProviderUnauthorized, match=r"\[key\]") as caught:
        Compatible("vllm", "m").complete(chat_request())
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("behaviour", [hang(), writes("Half", end="hang")], ids=["whole", "stream"])
def test_another_thread_ends_a_call_at_once_and_what_was_used_is_booked(
    server: ProviderServer, settings: Settings, behaviour: Behaviour, alice: User
) -> None:
    settings.LLM_CHAIN = ["vllm/m"]
    server.always(behaviour)
    cancellation = Cancellation()
    threading.Timer(0.3, cancellation.cancel).start()
    began = time.monotonic()
    with pytest.raises(errors.Cancelled):
        list(registry.chain().stream(chat_request(cancellation=cancellation)))
    assert time.monotonic() - began < 2
    call = LLMCall.objects.get()
    assert (call.provider, call.outcome, call.estimated) == ("vllm", "cancelled", True)
    assert call.prompt_tokens > 0


def test_providers_are_mixed_in_one_chain(
    server: ProviderServer, groq: ProviderServer, settings: Settings, alice: User
) -> None:
    settings.LLM_CHAIN = ["vllm/first", "groq/small"]
    server.always(status(503))
    groq.will(reply("From Groq"))
    assert registry.chain().complete(chat_request()).text == "From Groq"
    rows = LLMCall.objects.order_by("id").values_list("provider", "model", "outcome", "attempt")
    assert list(rows) == [("vllm", "first", "unavailable", n) for n in (1, 2, 3)] + [("groq", "small", "ok", 1)]
    assert registry.configured_models() == ["vllm/first", "groq/small"]
