"""`manage.py seed --calls`: a year of the ledger that adds up."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from botgpt.operations.demo import calls
from botgpt.operations.demo.calls import fill_calls
from llm import rollup
from llm.limits import first_day, today
from llm.models import Allowance, LLMCall
from llm.sums import ModelDay
from tests.builders import conversation_of

if TYPE_CHECKING:
    from botgpt.accounts.models import User


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "ROWS_A_BATCH", 70)


def test_calls_are_of_the_last_year_the_oldest_first_and_of_each_kind(alice: User, bob: User) -> None:
    conversation = conversation_of(alice)
    told: list[int] = []
    fill_calls(500, users=[alice, bob], progress=told.append)
    rows = list(LLMCall.objects.order_by("id"))
    assert sum(told) == len(rows) == 500
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert timezone.now() - dt.timedelta(days=366) < rows[0].created_at <= rows[-1].created_at <= timezone.now()
    assert {row.outcome for row in rows} > {"ok", "cached"}
    assert {row.place for row in rows} == {1, 2}
    assert {row.user_id for row in rows} == {alice.pk, bob.pk}
    assert {row.conversation_id for row in rows if row.user_id == alice.pk} == {conversation.pk}
    assert all(row.cost is not None and (row.cost > 0) == (row.outcome == "ok") for row in rows)


@time_machine.travel("2026-06-15 12:00Z", tick=False)  # on the first of a month there may be none yet
def test_what_is_of_this_month_counts_in_the_allowances(alice: User) -> None:
    fill_calls(400, users=[alice], progress=lambda _: None)
    month = LLMCall.objects.filter(created_at__date__gte=first_day("month", today()))
    spent = Allowance.objects.get(user=alice)
    assert spent.month_tokens == sum(row.prompt_tokens + row.completion_tokens for row in month)
    assert spent.month_cost == sum(int((row.cost or 0) * 10**10) for row in month)


def test_the_command_adds_them_up_too(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    with time_machine.travel(timezone.now() - dt.timedelta(hours=1)):
        call_command("seed", "--force")  # its calls are new, and what is new waits
    call_command("seed", "--force", "--users", "2", "--calls", "1_00")
    assert "Added 100 calls of 2 users to the ledger." in capsys.readouterr().out
    assert ModelDay.objects.exists()
    assert rollup.differences() == []
