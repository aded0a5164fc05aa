"""From settings to the chain, and the checks that keep a wrong one from being deployed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks

from llm import errors
from llm.models import LLMCall
from llm.providers import registry
from tests.llm.requests import chat_request
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from pytest_django import Settings

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer


def problems(*, deploy: bool = False) -> list[str]:
    """The ids of what our checks find."""
    found = run_checks(include_deployment_checks=deploy)
    return [message.id for message in found if message.id and message.id.startswith("llm.")]


def test_without_a_key_the_chain_is_offline_and_says_so_everywhere(alice: User) -> None:
    completion = registry.chain().complete(chat_request())

    assert registry.is_offline()
    assert registry.configured_models() == ["offline"]
    assert (completion.provider, completion.model, completion.usage.total_tokens) == ("offline", "offline", 0)
    row = LLMCall.objects.get()
    assert (row.provider, row.model, row.outcome, row.cost) == ("offline", "offline", "ok", Decimal(0))


def test_with_a_key_the_chain_is_what_the_setting_says(groq: ProviderServer, settings: Settings, alice: User) -> None:
    settings.LLM_CHAIN = ["groq/openai/gpt-oss-20b", " groq/plain"]
    settings.LLM_MAX_ATTEMPTS = 1
    groq.will(status(503), reply("From the second."))

    assert registry.chain().complete(chat_request()).text == "From the second."
    assert [received.model for received in groq.requests] == ["openai/gpt-oss-20b", "plain"]
    assert registry.configured_models() == ["groq/openai/gpt-oss-20b", "groq/plain"]
    assert not registry.is_offline()


def test_the_chain_is_built_once_and_anew_when_settings_change(groq: ProviderServer, settings: Settings) -> None:
    before = registry.chain()

    assert registry.chain() is before
    settings.LLM_CHAIN = ["groq/other"]
    assert registry.chain() is not before


def test_offline_may_end_a_chain_so_that_there_is_always_an_answer(
    groq: ProviderServer, settings: Settings, alice: User
) -> None:
    settings.LLM_CHAIN = ["groq/small", "offline"]
    groq.always(status(401))

    assert registry.chain().complete(chat_request()).model == "offline"
    assert registry.configured_models() == ["groq/small", "offline"]
    assert not registry.is_offline()


def test_a_chain_of_offline_alone_is_offline_even_with_a_key(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_CHAIN = ["offline"]

    assert registry.is_offline()
    assert registry.parse_chain() == [("offline", "offline")]


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ([], "empty"),
        ([""], "empty"),
        (["gpt-oss-20b"], "no provider/model: 'gpt-oss-20b'"),
        (["nobody/model"], "NOBODY_BASE_URL is not set"),
        (["groq"], "no model"),
        (["groq/"], "no model"),
        (["offline", "groq/small"], "goes on after 'offline'"),
    ],
)
def test_a_chain_that_cannot_work_is_refused(settings: Settings, chain: list[str], said: str) -> None:
    settings.LLM_CHAIN = chain

    with pytest.raises(ValueError, match=said):
        registry.parse_chain()
    assert problems() == ["llm.E001"]


def test_a_deployment_without_a_key_is_an_error_and_a_laptop_without_one_is_not() -> None:
    assert problems() == []
    assert problems(deploy=True) == ["llm.E002"]


def test_a_deployment_with_a_key_is_fine(groq: ProviderServer) -> None:
    assert problems(deploy=True) == []


def test_an_entry_whose_provider_has_no_key_is_warned_of(groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_PROVIDERS = {"openai": {"base_url": "https://api.openai.com/v1", "api_key": "", "needs_key": True}}
    settings.LLM_CHAIN = ["openai/model", "groq/small"]

    assert problems() == ["llm.W001"]
    assert registry.configured_models() == ["groq/small"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("GROQ_BASE_URL", "https://api.groq.com/openai/v1", "llm.E003"),
        ("GROQ_BASE_URL", "api.groq.com", "llm.E003"),
        ("GROQ_BASE_URL", "", "llm.E003"),
        ("LLM_MAX_ATTEMPTS", 0, "llm.E004"),
        ("LLM_CALL_SECONDS", 0.0, "llm.E004"),
        ("LLM_TURN_SECONDS", -1.0, "llm.E004"),
        ("LLM_BACKOFF_SECONDS", -0.1, "llm.E004"),
        ("LLM_MAX_CONNECTIONS", 0, "llm.E004"),
        ("LLM_REASONING_EFFORT", "none", "llm.E005"),
        ("RESPONSE_CACHE", "redis", "llm.E006"),
        ("RESPONSE_CACHE_SIMILARITY", 95.0, "llm.E006"),
        ("RESPONSE_CACHE_SECONDS", 0, "llm.E004"),
    ],
)
def test_settings_with_which_no_call_could_succeed_are_found(
    settings: Settings, name: str, value: Any, problem: str
) -> None:
    setattr(settings, name, value)

    assert problems() == [problem]


@pytest.mark.parametrize("url", ["https://api.groq.com", "https://api.groq.com/", "http://gateway.internal:8080/groq"])
def test_other_hosts_and_prefixes_are_accepted(settings: Settings, url: str) -> None:
    settings.GROQ_BASE_URL = url

    assert problems() == []


def test_a_prefix_in_the_base_url_is_kept(groq: ProviderServer, settings: Settings, alice: User) -> None:
    settings.GROQ_BASE_URL = f"{groq.url}/gateway/"

    registry.chain().complete(chat_request())

    assert groq.requests[0].path == "/gateway/openai/v1/chat/completions"


def test_warming_makes_no_call(groq: ProviderServer) -> None:
    registry.warm()

    assert groq.connections == 0


def test_a_key_that_cannot_be_sent_fails_the_chain_and_not_the_process(
    groq: ProviderServer, settings: Settings, alice: User
) -> None:
    settings.GROQ_API_KEY = "not a key"

    registry.warm()
    with pytest.raises(errors.AllProvidersFailed, match="GROQ_API_KEY"):
        registry.chain().complete(chat_request())
