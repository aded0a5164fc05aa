"""Prices of one's own, and models that have none."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from llm.models import ModelPrice
from llm.pricing import dearest, price
from llm.types import Usage

pytestmark = pytest.mark.django_db
USAGE = Usage(prompt_tokens=1_000_000, completion_tokens=500_000, cached_tokens=200_000)


def cost(provider: str, model: str, usage: Usage = USAGE) -> Decimal | None:
    return price(provider=provider, model=model, usage=usage)[0]


def test_ones_own_price_goes_before_the_list() -> None:
    ModelPrice.objects.create(
        provider="groq", model="openai/gpt-oss-20b", input=Decimal(1), cached=Decimal("0.5"), output=Decimal(2)
    )
    own, prices = price(provider="groq", model="openai/gpt-oss-20b", usage=USAGE)
    assert own == Decimal("0.8") + Decimal("0.1") + Decimal(1)
    assert prices == {"input_mtok": "1", "cache_read_mtok": "0.5", "output_mtok": "2"}


def test_a_model_that_no_list_knows_gets_a_price_and_loses_it_again() -> None:
    assert cost("vllm", "mine") is None
    row = ModelPrice.objects.create(provider="vllm", model="mine", input=Decimal("0.1"), output=Decimal("0.2"))
    assert cost("vllm", "mine") == Decimal("0.2")  # cached tokens like the others
    assert cost("vllm", "other") is cost("ollama", "mine") is None
    row.delete()
    assert cost("vllm", "mine") is None


def test_the_newest_price_that_is_valid_counts() -> None:
    now = timezone.now()
    for days, amount in [(-10, 1), (-1, 2), (1, 3)]:
        ModelPrice.objects.create(
            provider="vllm", model="mine", input=amount, output=0, valid_from=now + dt.timedelta(days=days)
        )
    assert cost("vllm", "mine") == 2


@pytest.mark.parametrize("provider", ["ollama", "vllm", "my-openai", "openai-eu", "api.openai.com", ""])
def test_another_providers_price_of_the_same_model_is_not_taken(provider: str) -> None:
    assert cost("openai", "gpt-4o") is not None
    assert cost(provider, "gpt-4o") is None


def test_more_cached_tokens_than_there_were_are_no_error() -> None:
    wrong = Usage(prompt_tokens=10, cached_tokens=20)
    assert cost("groq", "openai/gpt-oss-20b", wrong) == Decimal("0.000000375")


def test_the_dearest_model_is_found_and_unknown_ones_are_passed_over() -> None:
    chain = [("groq", "openai/gpt-oss-20b"), ("vllm", "mine"), ("groq", "openai/gpt-oss-120b")]
    assert dearest(chain, usage=USAGE) == cost("groq", "openai/gpt-oss-120b")
    assert dearest([("vllm", "mine")], usage=USAGE) is None


def test_a_negative_price_is_refused() -> None:
    with pytest.raises(ValidationError):
        ModelPrice(provider="groq", model="x", input=Decimal(-1), output=Decimal(1)).full_clean()
