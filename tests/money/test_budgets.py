"""Reserving, settling and giving back: what a limit lets through, and what it counts."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.utils import timezone

from llm.budgets import GRACE_SECONDS, BudgetExceeded, reserve, settle, standings
from llm.models import Allowance, Budget, Hold

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

    from botgpt.accounts.models import User

NOON = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)


def spend(user: User, tokens: int, *, cost: str | None = None, at: dt.datetime | None = None) -> None:
    settle(user_id=user.pk, tokens=tokens, cost=None if cost is None else Decimal(cost), at=at or timezone.now())


def allowance(user: User) -> Allowance:
    return Allowance.objects.get(user=user)


def test_a_user_without_limits_costs_no_row_and_no_query_once_that_is_known(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reserve(user_id=alice.pk, tokens=10**9, cost=Decimal(10**6)).release()
    with django_assert_num_queries(0):
        reserve(user_id=alice.pk, tokens=10**9, cost=Decimal(10**6)).release()
        reserve(user_id=None, tokens=10**9, cost=None).release()
    assert not Hold.objects.exists()


def test_what_is_reserved_counts_until_it_is_given_back(alice: User, settings: Settings) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000
    with reserve(user_id=alice.pk, tokens=600, cost=None):
        assert allowance(alice).reserved_tokens == 600
        with pytest.raises(BudgetExceeded) as refused:
            reserve(user_id=alice.pk, tokens=500, cost=None)
        reserve(user_id=alice.pk, tokens=400, cost=None).release()  # to the last token
    assert (refused.value.scope, refused.value.limit, refused.value.used) == ("day_tokens", 1_000, 600)
    assert allowance(alice).reserved_tokens == 0
    assert not Hold.objects.exists()


def test_it_is_given_back_when_the_call_fails_and_only_once(alice: User, settings: Settings) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000
    reservation = reserve(user_id=alice.pk, tokens=600, cost=None)
    with pytest.raises(ZeroDivisionError), reservation:
        _ = 1 / 0
    reservation.release()
    assert allowance(alice).reserved_tokens == 0


@time_machine.travel(NOON, tick=False)
def test_a_refusal_says_when_to_come_back(alice: User, settings: Settings) -> None:
    settings.LLM_BUDGET_MONTH_TOKENS = 1_000
    with reserve(user_id=alice.pk, tokens=600, cost=None), pytest.raises(BudgetExceeded) as running:
        reserve(user_id=alice.pk, tokens=500, cost=None)
    spend(alice, 600)
    with pytest.raises(BudgetExceeded) as spent:
        reserve(user_id=alice.pk, tokens=500, cost=None)
    assert running.value.retry_after == 5  # the reply that is running may leave something
    assert spent.value.resets_at == dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    assert spent.value.retry_after == 12 * 3600


@pytest.mark.parametrize(
    ("scope", "limit"), [("day_tokens", 100), ("month_tokens", 100), ("day_cost", "0.5"), ("month_cost", "0.5")]
)
def test_each_limit_stands_in_the_way_by_itself(alice: User, scope: str, limit: int | str) -> None:
    Budget.objects.create(user=alice, **{scope: limit if isinstance(limit, int) else Decimal(limit)})
    spend(alice, 90, cost="0.45")
    reserve(user_id=alice.pk, tokens=10, cost=Decimal("0.05")).release()
    with pytest.raises(BudgetExceeded) as refused:
        reserve(user_id=alice.pk, tokens=11, cost=Decimal("0.0500000001"))
    assert refused.value.scope == scope
    assert allowance(alice).reserved_tokens == allowance(alice).reserved_cost == 0


def test_a_budget_of_ones_own_replaces_all_defaults(alice: User, bob: User, settings: Settings) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 10
    Budget.objects.create(user=alice, day_cost=Decimal(1))
    reserve(user_id=alice.pk, tokens=1_000, cost=Decimal(0)).release()
    with pytest.raises(BudgetExceeded):
        reserve(user_id=bob.pk, tokens=1_000, cost=Decimal(0))


def test_a_limit_that_is_set_now_counts_what_was_spent_before(alice: User) -> None:
    spend(alice, 900)
    Budget.objects.create(user=alice, day_tokens=1_000)
    with pytest.raises(BudgetExceeded) as refused:
        reserve(user_id=alice.pk, tokens=101, cost=None)
    assert refused.value.used == 900


def test_an_unknown_price_reserves_no_cost_and_is_let_through_while_there_is_room(
    alice: User, settings: Settings
) -> None:
    settings.LLM_BUDGET_DAY_COST = Decimal(1)
    reserve(user_id=alice.pk, tokens=1_000, cost=None).release()
    spend(alice, 1, cost="1.01")
    with pytest.raises(BudgetExceeded):
        reserve(user_id=alice.pk, tokens=1_000, cost=None)


def test_a_new_day_and_a_new_month_begin_at_nothing(alice: User) -> None:
    Budget.objects.create(user=alice, day_tokens=100, month_tokens=250)
    with time_machine.travel(NOON - dt.timedelta(days=1), tick=False):
        spend(alice, 100, cost="0.1")
        with pytest.raises(BudgetExceeded):
            reserve(user_id=alice.pk, tokens=1, cost=None)
    with time_machine.travel(NOON, tick=False):
        reserve(user_id=alice.pk, tokens=100, cost=None).release()
        spend(alice, 60, cost="0.1")
        row = allowance(alice)
        assert (row.day_tokens, row.month_tokens, row.month_cost) == (60, 160, 2_000_000_000)
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        assert [(s.scope, s.spent) for s in standings(alice.pk)] == [("day_tokens", 0), ("month_tokens", 0)]
        spend(alice, 7)
        row = allowance(alice)
        assert (row.day_tokens, row.month_tokens, row.day) == (7, 7, dt.date(2026, 4, 1))


@time_machine.travel(NOON, tick=False)
def test_a_call_that_is_booked_late_does_not_count_in_a_period_that_came_after_it(alice: User) -> None:
    spend(alice, 5)
    spend(alice, 3, at=NOON - dt.timedelta(days=1))
    row = allowance(alice)
    assert (row.day, row.day_tokens, row.month_tokens) == (NOON.date(), 5, 8)
    spend(alice, 2, at=NOON + dt.timedelta(days=1))
    spend(alice, 100)  # its day and its month are over
    row = allowance(alice)
    assert (row.day, row.day_tokens, row.month_tokens) == (dt.date(2026, 4, 1), 2, 2)


def test_costs_add_up_to_the_last_ten_billionth(alice: User) -> None:
    for _ in range(100):
        spend(alice, 1, cost="0.0000000375")
    assert allowance(alice).day_cost == 37_500


def test_what_a_dead_process_held_is_taken_back_after_the_deadline(alice: User, settings: Settings) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000
    settings.LLM_TURN_SECONDS = 60
    with time_machine.travel(NOON, tick=False):
        reserve(user_id=alice.pk, tokens=900, cost=Decimal("0.5"))  # and never released
    with (
        time_machine.travel(NOON + dt.timedelta(seconds=60 + GRACE_SECONDS - 1), tick=False),
        pytest.raises(BudgetExceeded),
    ):
        reserve(user_id=alice.pk, tokens=900, cost=None)
    with time_machine.travel(NOON + dt.timedelta(seconds=60 + GRACE_SECONDS + 1), tick=False):
        reserve(user_id=alice.pk, tokens=900, cost=None).release()
    row = allowance(alice)
    assert (row.reserved_tokens, row.reserved_cost) == (0, 0)


def test_a_reply_that_outlives_its_hold_gives_nothing_back_twice(alice: User, settings: Settings) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000
    with time_machine.travel(NOON, tick=False):
        slow = reserve(user_id=alice.pk, tokens=200, cost=None)
    with time_machine.travel(NOON + dt.timedelta(minutes=10), tick=False):
        running = reserve(user_id=alice.pk, tokens=300, cost=None)
        slow.release()
        assert allowance(alice).reserved_tokens == 300
        running.release()


def test_a_warning_is_logged_once_a_period_when_most_is_spent(
    alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000

    def turn(tokens: int) -> None:
        with reserve(user_id=alice.pk, tokens=tokens, cost=None):
            spend(alice, tokens)

    def warnings() -> list[str]:
        return [record.getMessage() for record in caplog.records]

    with caplog.at_level(logging.WARNING, logger="llm.budgets"):
        with time_machine.travel(NOON, tick=False):
            turn(799)
            assert warnings() == []
            turn(1)
            turn(100)
        assert warnings() == [f"User {alice.pk} has spent 800 of 1000 day_tokens"]
        with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
            turn(900)
    assert len(warnings()) == 2
