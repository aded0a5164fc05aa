"""What a call is said to have cost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llm.pricing import price
from llm.types import Usage

pytestmark = pytest.mark.django_db


def test_a_cost_is_computed_to_the_last_token_with_cached_ones_cheaper() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000, cached_tokens=500_000)

    cost, prices = price(provider="groq", model="openai/gpt-oss-120b", usage=usage)

    assert prices == {"input_mtok": "0.15", "cache_read_mtok": "0.075", "output_mtok": "0.6"}
    assert cost == Decimal("0.075") + Decimal("0.0375") + Decimal("0.6")


def test_one_token_is_not_rounded_away() -> None:
    cost, _ = price(provider="groq", model="openai/gpt-oss-20b", usage=Usage(prompt_tokens=1, cached_tokens=1))

    assert cost == Decimal("0.0000000375")


@pytest.mark.parametrize("model", ["openai/gpt-oss-20b", "llama-3.1-8b-instant", "llama-3.3-70b-versatile"])
def test_the_models_that_the_documentation_names_have_prices(model: str) -> None:
    cost, prices = price(provider="groq", model=model, usage=Usage(prompt_tokens=10, completion_tokens=10))

    assert cost
    assert prices


@pytest.mark.parametrize(("provider", "model"), [("groq", "made-up"), ("groq", ""), ("nobody", "openai/gpt-oss-20b")])
def test_an_unknown_model_has_no_cost_rather_than_none_to_pay(provider: str, model: str) -> None:
    assert price(provider=provider, model=model, usage=Usage(prompt_tokens=10)) == (None, None)


def test_tokens_that_nobody_counted_have_no_cost() -> None:
    assert price(provider="groq", model="openai/gpt-oss-20b", usage=None) == (None, None)


@pytest.mark.parametrize("usage", [None, Usage()])
def test_the_offline_provider_is_free(usage: Usage | None) -> None:
    assert price(provider="offline", model="offline", usage=usage) == (Decimal(0), None)
