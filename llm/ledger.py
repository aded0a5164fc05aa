"""Reading the ledger: what was called and spent, by day and model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db.models import F, Sum
from django.utils import timezone

from .figures import DAY, FIGURES, Figures
from .models import LLMCall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

RECENT: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls added up.

    Attributes:
        day: ISO date in UTC; empty for the sum of several days.
        cost: US dollars, without the calls whose cost is not known.
        unpriced: how many those are.
    """

    day: str
    model: str
    calls: int
    failed: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    unpriced: int


def recent(calls: QuerySet[LLMCall]) -> QuerySet[LLMCall]:
    """Those of the last seven days."""
    return calls.filter(created_at__gte=timezone.now() - RECENT)


def spent_by_day(calls: QuerySet[LLMCall]) -> list[Spent]:
    """The calls added up by day and model, newest day first."""
    rows = calls.order_by().annotate(day=DAY).values("day", "model").annotate(**FIGURES).order_by("-day", "model")
    found = [(row["day"], row["model"], Figures.of(row)) for row in rows]
    return [
        Spent(
            day=day,
            model=model,
            calls=figures.calls,
            failed=figures.failed,
            prompt_tokens=figures.prompt_tokens,
            completion_tokens=figures.completion_tokens,
            cost=figures.dollars,
            unpriced=figures.unpriced_calls,
        )
        for day, model, figures in found
    ]


def tokens_of(*, message_id: int) -> int:
    """The tokens of every call that was booked to a reply."""
    used = LLMCall.objects.filter(message=message_id).aggregate(tokens=Sum(F("prompt_tokens") + F("completion_tokens")))
    return int(used["tokens"] or 0)


def summed(days: Sequence[Spent]) -> Spent:
    """All of them in one."""
    return Spent(
        day="",
        model="",
        calls=sum(day.calls for day in days),
        failed=sum(day.failed for day in days),
        prompt_tokens=sum(day.prompt_tokens for day in days),
        completion_tokens=sum(day.completion_tokens for day in days),
        cost=sum((day.cost for day in days), Decimal(0)),
        unpriced=sum(day.unpriced for day in days),
    )
