"""A model that keeps failing is skipped for a while, and asked again afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm import errors
from llm.errors import Outcome
from llm.providers import breaker
from llm.providers.breaker import Breaker
from llm.providers.fallback import Fallback
from llm.providers.groq import Groq
from llm.providers.retrying import Retrying
from tests.llm.requests import chat_request
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from pytest_django import Settings

    from tests.provider_server import ProviderServer


class Clock:
    """The breaker's clock, moved by hand."""

    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(breaker, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def rules(settings: Settings) -> None:
    settings.LLM_SKIP_AFTER, settings.LLM_SKIP_SECONDS, settings.LLM_MAX_ATTEMPTS = 3, 30.0, 1


def two_models() -> Fallback:
    return Fallback([Retrying(Groq("small")), Retrying(Groq("large"))])


def asked(groq: ProviderServer) -> list[str]:
    return [received.model for received in groq.requests]


def test_after_some_failures_in_a_row_it_is_not_asked(groq: ProviderServer, clock: Clock) -> None:
    groq.always(status(500), model="small")
    chain = two_models()
    for _ in range(5):
        assert chain.complete(chat_request()).model == "large"
    assert asked(groq) == ["small", "large"] * 3 + ["large"] * 2


def test_when_the_pause_is_over_one_call_tries_it_and_a_success_ends_it(groq: ProviderServer, clock: Clock) -> None:
    groq.will(*[status(500)] * 3, model="small")
    chain = two_models()
    for _ in range(3):
        chain.complete(chat_request())
    clock.now += 31
    assert [chain.complete(chat_request()).model for _ in range(2)] == ["small", "small"]


def test_only_one_caller_tries_it_after_the_pause(clock: Clock) -> None:
    one = Breaker()
    for _ in range(3):
        one.failed(Outcome.UNAVAILABLE)
    assert not one.lets_through()
    clock.now += 31
    assert [one.lets_through() for _ in range(3)] == [True, False, False]


def test_a_refused_key_counts_at_once(groq: ProviderServer, clock: Clock) -> None:
    groq.always(status(401), model="small")
    chain = two_models()
    for _ in range(3):
        chain.complete(chat_request())
    assert asked(groq) == ["small", "large", "large", "large"]


def test_a_success_in_between_forgives(groq: ProviderServer, clock: Clock) -> None:
    groq.will(status(500), status(500), reply(), status(500), status(500), reply(), model="small")
    chain = two_models()
    for _ in range(6):
        chain.complete(chat_request())
    assert asked(groq).count("small") == 6


def test_when_all_are_skipped_all_are_asked(groq: ProviderServer, clock: Clock) -> None:
    groq.always(status(500))
    chain = two_models()
    for _ in range(4):
        with pytest.raises(errors.AllProvidersFailed):
            chain.complete(chat_request())
    assert asked(groq) == ["small", "large"] * 4
