"""`GET /usage`: one's own calls added up, and what is left."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import connection

from llm.budgets import settle
from llm.models import Budget, LLMCall
from tests.builders import conversation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User

URL = "/api/v1/usage"
NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def call(user: User, *, days_ago: float = 0, **fields: Any) -> None:
    given = {"provider": "groq", "model": "small", "outcome": "ok", "prompt_tokens": 100, "completion_tokens": 20}
    row = LLMCall.objects.create(user=user, **(given | {"cost": "0.002"} | fields))
    LLMCall.objects.filter(pk=row.pk).update(created_at=NOW - dt.timedelta(days=days_ago))


def groups(answer: dict[str, Any]) -> list[tuple[Any, int, int]]:
    return [(row["group"], row["calls"], row["tokens"]) for row in answer["rows"]]


def test_the_month_so_far_is_added_up_by_day(api: APIClient, alice: User, bob: User) -> None:
    call(alice)
    call(alice, outcome="timeout", cost=None, completion_tokens=0)
    call(alice, outcome="cancelled", days_ago=19, cached_tokens=40)
    call(alice, days_ago=20)
    call(bob)
    answer = api.get(URL).json()
    assert (answer["from"], answer["to"], answer["group_by"]) == ("2026-05-01", "2026-05-20", "day")
    assert answer["totals"] == {
        "calls": 3, "ok": 1, "failed": 1, "prompt_tokens": 300, "completion_tokens": 40, "cached_tokens": 40,
        "tokens": 340, "cost": "0.0040000000", "unpriced_calls": 1,
    }  # fmt: skip
    assert groups(answer) == [("2026-05-01", 1, 120), ("2026-05-20", 2, 220)]
    assert (answer["budget"], answer["warnings"]) == ([], [])


def test_by_model_and_by_conversation_the_most_tokens_come_first(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice)
    call(alice, conversation=conversation)
    for _ in range(2):
        call(alice, provider="vllm", model="mine")
    assert groups(api.get(URL, {"group_by": "model"}).json()) == [("vllm/mine", 2, 240), ("groq/small", 1, 120)]
    assert groups(api.get(URL, {"group_by": "conversation"}).json()) == [(None, 2, 240), (conversation.pk, 1, 120)]


def test_both_days_of_a_period_count_whole(api: APIClient, alice: User) -> None:
    for days in (0.5, 0.51, 1.5, 1.51):
        call(alice, days_ago=days)
    answer = api.get(URL, {"from": "2026-05-19", "to": "2026-05-19"}).json()
    assert groups(answer) == [("2026-05-19", 2, 240)]


def test_nobody_has_used_nothing(api: APIClient, db: None) -> None:
    answer = api.get(URL).json()
    assert (answer["totals"]["calls"], answer["totals"]["cost"], answer["rows"]) == (0, "0.0000000000", [])


def test_it_says_what_is_left_and_warns_from_four_fifths_on(api: APIClient, alice: User) -> None:
    Budget.objects.create(user=alice, day_tokens=1_000, month_cost=Decimal("0.5"))
    settle(user_id=alice.pk, tokens=850, cost=Decimal("0.1"), at=NOW)
    answer = api.get(URL).json()
    assert answer["budget"] == [
        {
            "scope": "day_tokens", "limit": 1_000, "used": 850, "remaining": 150,
            "resets_at": "2026-05-21T00:00:00Z",
        },
        {
            "scope": "month_cost", "limit": "0.5", "used": "0.1", "remaining": "0.4",
            "resets_at": "2026-06-01T00:00:00Z",
        },
    ]  # fmt: skip
    assert answer["warnings"] == ["85 % of the budget of tokens for this day is spent."]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-05-21"}, "from"),
        ({"from": "2024-01-01"}, "from"),
        ({"to": "9999-12-31", "from": "9999-12-01"}, "to"),
        ({"group_by": "user"}, "group_by"),
    ],
)
def test_a_period_that_is_none_is_refused(api: APIClient, db: None, query: dict[str, str], field: str) -> None:
    response = api.get(URL, query)
    assert response.status_code == 400
    assert field in response.json()["fields"]


def test_only_get_and_only_with_credentials(api: APIClient, client: Any, db: None) -> None:
    assert api.post(URL).status_code == 405
    assert client.get(URL).status_code == 401


def test_it_costs_four_queries_and_goes_by_the_index(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Budget.objects.create(user=alice, day_tokens=1_000)
    for _ in range(3):
        call(alice)
    with django_assert_num_queries(4):  # the rows, the totals, the limits, the allowance
        api.get(URL)
    if connection.vendor == "sqlite":
        rows = LLMCall.objects.order_by().filter(user=alice, created_at__gte=NOW)
        assert "llm_calls_user_day" in rows.explain()
