"""Retries and fallbacks, over the real adapter and a real HTTP server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from llm import errors
from llm.providers.fallback import Fallback
from llm.providers.groq import Groq
from llm.providers.retrying import Retrying
from tests.llm.requests import chat_request
from tests.provider_server import broken_json, cut, drip, hang, html, reply, status

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.provider_server import Behaviour, ProviderServer


def two_models() -> Fallback:
    return Fallback([Retrying(Groq("small")), Retrying(Groq("large"))])


def models_asked(groq: ProviderServer) -> list[str]:
    return [received.model for received in groq.requests]


@pytest.mark.parametrize(
    "fault",
    [status(500), status(503), status(429), status(498), status(408), broken_json(), html(), cut(), reply(None)],
)
def test_a_passing_fault_is_retried_on_the_same_model(groq: ProviderServer, fault: Behaviour) -> None:
    groq.will(fault, reply("Second try."))

    assert two_models().complete(chat_request()).text == "Second try."
    assert models_asked(groq) == ["small", "small"]


@pytest.mark.parametrize("code", [401, 403, 404, 413])
def test_what_a_retry_cannot_mend_goes_to_the_next_model_at_once(groq: ProviderServer, code: int) -> None:
    groq.will(status(code), reply("From the large one."))

    completion = two_models().complete(chat_request())

    assert (completion.text, completion.model) == ("From the large one.", "large")
    assert models_asked(groq) == ["small", "large"]


@pytest.mark.parametrize("code", [400, 422])
def test_a_request_at_fault_is_asked_once_and_of_one_model(groq: ProviderServer, code: int) -> None:
    groq.always(status(code, message="temperature must be a number"))

    with pytest.raises(errors.ProviderRejected, match="temperature"):
        two_models().complete(chat_request())

    assert models_asked(groq) == ["small"]


@pytest.mark.parametrize("error", ["model_decommissioned", "context_length_exceeded"])
def test_a_400_that_another_model_may_not_give_advances(groq: ProviderServer, error: str) -> None:
    groq.will(status(400, error=error), reply())

    assert two_models().complete(chat_request()).model == "large"


def test_each_model_has_three_tries_in_the_chains_order(groq: ProviderServer) -> None:
    groq.always(status(500))

    with pytest.raises(errors.AllProvidersFailed):
        two_models().complete(chat_request())

    assert models_asked(groq) == ["small"] * 3 + ["large"] * 3


def test_when_all_fail_every_attempt_gives_its_reason(groq: ProviderServer) -> None:
    groq.will(status(500, message="boom"), status(500, message="boom"), broken_json(), status(404, message="gone"))

    with pytest.raises(errors.AllProvidersFailed) as caught:
        two_models().complete(chat_request())

    assert [(failure.model, failure.outcome) for failure in caught.value.failures] == [
        ("groq/small", "unavailable"),
        ("groq/small", "unavailable"),
        ("groq/small", "invalid_response"),
        ("groq/large", "unknown_model"),
    ]
    assert str(caught.value) == (
        "No model answered. groq/small: 500 Internal Server Error: boom (2 times); "
        "groq/small: The answer is not JSON.; groq/large: 404 Not Found: gone"
    )


def test_waits_double_and_are_at_most_a_quarter_longer(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_BACKOFF_SECONDS = 1.0
    settings.LLM_MAX_ATTEMPTS = 4
    groq.always(status(500))
    waits: list[float] = []

    with pytest.raises(errors.ProviderUnavailable):
        Retrying(Groq("small"), sleep=waits.append).complete(chat_request(seconds=60))

    assert [int(wait) for wait in waits] == [1, 2, 4]
    assert all(least <= wait <= least * 1.25 for wait, least in zip(waits, (1, 2, 4), strict=True))


def test_callers_that_failed_together_come_back_apart(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_MAX_ATTEMPTS = 2
    groq.always(status(429, retry_after=3))
    waits: list[float] = []

    for _ in range(5):
        with pytest.raises(errors.ProviderRateLimited):
            Retrying(Groq("small"), sleep=waits.append).complete(chat_request())

    assert len(set(waits)) == 5
    assert all(3 <= wait <= 3.75 for wait in waits)


def test_retry_after_is_really_waited_for(groq: ProviderServer) -> None:
    groq.will(status(429, retry_after=0.5), reply("Later."))

    assert two_models().complete(chat_request()).text == "Later."

    first, second = groq.requests
    assert 0.5 <= second.at - first.at < 3


def test_a_wait_that_passes_the_deadline_is_not_begun(groq: ProviderServer) -> None:
    groq.will(status(429, retry_after=120), reply("From the large one."))
    began = time.monotonic()

    assert two_models().complete(chat_request(seconds=10)).model == "large"
    assert time.monotonic() - began < 3
    assert models_asked(groq) == ["small", "large"]


def test_a_model_that_hangs_leaves_the_next_one_its_share(groq: ProviderServer) -> None:
    groq.always(hang(), model="small")
    began = time.monotonic()

    assert two_models().complete(chat_request(seconds=3)).model == "large"
    assert 1.4 < time.monotonic() - began < 3


def test_time_that_the_first_model_leaves_goes_to_the_next(groq: ProviderServer) -> None:
    groq.will(status(404), reply("Slow, but in time.", after=1.7))

    assert two_models().complete(chat_request(seconds=3)).text == "Slow, but in time."


@pytest.mark.parametrize("behaviour", [hang(), drip(), status(503), status(429, retry_after=0.4)])
def test_the_deadline_holds_over_the_whole_chain(
    groq: ProviderServer, settings: Settings, behaviour: Behaviour
) -> None:
    settings.LLM_MAX_ATTEMPTS = 100
    settings.LLM_BACKOFF_SECONDS = 0.1
    settings.LLM_CALL_SECONDS = 0.4
    groq.always(behaviour)
    began = time.monotonic()

    with pytest.raises(errors.AllProvidersFailed):
        two_models().complete(chat_request(seconds=1.5))

    assert time.monotonic() - began < 3
    assert set(models_asked(groq)) == {"small", "large"}


def test_a_chain_that_is_asked_too_late_says_so(groq: ProviderServer) -> None:
    with pytest.raises(errors.AllProvidersFailed, match="no time left"):
        two_models().complete(chat_request(seconds=-1))

    assert groq.requests == []
