"""Prices, budgets and allowances in the admin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from llm.limits import limits_of
from llm.models import Allowance, Budget, LLMCall, ModelPrice
from llm.pricing import price
from llm.types import Usage

from .conftest import call_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from botgpt.accounts.models import User

    from .conftest import World

ADMIN = "/admin/llm"


def text_of(browser: Client, page: str) -> str:
    return browser.get(f"{ADMIN}/{page}").content.decode()


def test_a_price_that_is_typed_in_counts_from_the_next_call(admin_client: Client) -> None:
    usage = Usage(prompt_tokens=1_000_000)
    assert price(provider="vllm", model="mine", usage=usage) == (None, None)
    form = {
        "provider": "vllm", "model": "mine", "input": "0.25", "cached": "", "output": "1",
        "valid_from_0": "2026-01-01", "valid_from_1": "00:00:00",
    }  # fmt: skip
    assert admin_client.post(f"{ADMIN}/modelprice/add/", form).status_code == 302
    assert price(provider="vllm", model="mine", usage=usage)[0] == Decimal("0.25")


def test_a_negative_price_is_refused(admin_client: Client) -> None:
    form = {"provider": "x", "model": "y", "input": "-1", "output": "1", "valid_from_0": "2026-01-01"}
    assert admin_client.post(f"{ADMIN}/modelprice/add/", form).status_code == 200
    assert not ModelPrice.objects.exists()


def test_a_budget_that_is_typed_in_counts_at_once(admin_client: Client, alice: User) -> None:
    assert not limits_of(alice.pk)
    form = {"user": alice.pk, "day_tokens": "5000", "month_tokens": "", "day_cost": "0.5", "month_cost": ""}
    assert admin_client.post(f"{ADMIN}/budget/add/", form).status_code == 302
    assert limits_of(alice.pk).items() == [("day_tokens", 5_000), ("day_cost", Decimal("0.5"))]
    Budget.objects.get().delete()
    assert not limits_of(alice.pk)


def test_an_allowance_shows_what_part_of_the_budget_is_used(admin_client: Client, world: World) -> None:
    page = text_of(admin_client, "allowance/")
    assert "120 of 1,000 (12 %)" in page
    assert "0.002000 of 1.500000 (0 %)" in page


def test_the_defaults_are_what_is_used_of_where_there_is_no_budget_of_ones_own(
    admin_client: Client, world: World, settings: Settings
) -> None:
    world.budget.delete()
    assert "120 of" not in text_of(admin_client, "allowance/")
    settings.LLM_BUDGET_MONTH_TOKENS = 240
    assert "120 of 240 (50 %)" in text_of(admin_client, "allowance/")


def test_an_allowance_cannot_be_changed_or_deleted(admin_client: Client, world: World) -> None:
    row = f"{ADMIN}/allowance/{world.key.user_id}"
    assert admin_client.post(f"{row}/change/", {"day_tokens": 0}).status_code == 403
    assert admin_client.post(f"{row}/delete/", {"post": "yes"}).status_code == 403
    assert Allowance.objects.get().day_tokens == 120


@pytest.mark.parametrize(("chosen", "models"), [("unpriced", {"dear"}), ("known", {"small"})])
def test_calls_without_a_price_are_found(admin_client: Client, alice: User, chosen: str, models: set[str]) -> None:
    call_of(alice, model="dear", cost=None)
    call_of(alice, model="small")
    rows = admin_client.get(f"{ADMIN}/llmcall/", {"cost": chosen}).context["cl"].result_list
    assert {row.model for row in rows} == models


def test_an_estimate_is_told_from_a_count(admin_client: Client, alice: User) -> None:
    call = call_of(alice, estimated=True, outcome="abandoned")
    assert "The tokens are our estimate" in text_of(admin_client, f"llmcall/{call.pk}/change/")
    assert LLMCall.objects.get().estimated
