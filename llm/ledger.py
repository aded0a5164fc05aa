"""Reading the ledger: what was called and spent, by day and model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db.models import CharField, Count, F, Q, Sum
from django.db.models.functions import Cast, Substr
from django.utils import timezone

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
    # The text of a moment begins with its day, on every engine, as connections run in UTC. TruncDate would call
    # Python for each row on SQLite: 830 ms instead of 130 ms for 76,000 rows.
    rows = (
        calls.order_by()
        .annotate(day=Substr(Cast("created_at", CharField()), 1, 10))
        .values("day", "model")
        .annotate(
            calls=Count("id"),
            failed=Count("id", filter=~Q(outcome__in=LLMCall.SUCCESSES)),
            unpriced=Count("id", filter=Q(cost=None)),
            prompt=Sum("prompt_tokens"),
            completion=Sum("completion_tokens"),
            dollars=Sum("cost"),
        )
        .order_by("-day", "model")
    )
    return [
        Spent(
            day=row["day"],
            model=row["model"],
            calls=row["calls"],
            failed=row["failed"],
            prompt_tokens=row["prompt"],
            completion_tokens=row["completion"],
            cost=row["dollars"] or Decimal(0),
            unpriced=row["unpriced"],
        )
        for row in rows
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
