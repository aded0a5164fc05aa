"""What a user has used: their calls in a period, added up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import CharField, Count, F, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat, Substr

from .models import LLMCall

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

MOST_ROWS: Final = 1_000
Outcome = LLMCall.Outcome

# The text of a moment begins with its day on every engine, see `ledger.spent_by_day`.
DAY = Substr(Cast("created_at", CharField()), 1, 10)
GROUPS: Final[dict[str, Combinable]] = {
    "day": DAY,
    "model": Concat("provider", Value("/"), "model"),
    "conversation": F("conversation_id"),
}
FIGURES: Final[dict[str, Any]] = {
    "calls": Count("id"),
    "ok": Count("id", filter=Q(outcome__in=LLMCall.SUCCESSES)),
    "failed": Count("id", filter=~Q(outcome__in=[*LLMCall.SUCCESSES, Outcome.CANCELLED])),
    "prompt_tokens": Coalesce(Sum("prompt_tokens"), 0),
    "completion_tokens": Coalesce(Sum("completion_tokens"), 0),
    "cached_tokens": Coalesce(Sum("cached_tokens"), 0),
    "unpriced_calls": Count("id", filter=Q(cost=None)),
    "cost": Sum("cost"),  # last, since a figure hides the column of its name from those after it
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls added up, whole and by group; each as a dict with the keys of `FIGURES`, and `group` in the rows.

    Attributes:
        rows: days in their order, else those with the most tokens first; at most `MOST_ROWS`.
    """

    totals: dict[str, Any]
    rows: list[dict[str, Any]]


def usage_of(user_id: int, *, first: dt.date, last: dt.date, group_by: str) -> Usage:
    """The user's calls from `first` to `last`, both included, in UTC; the index on user and time finds them."""
    midnight = dt.time(tzinfo=dt.UTC)
    calls = LLMCall.objects.order_by().filter(
        user=user_id,
        created_at__gte=dt.datetime.combine(first, midnight),
        created_at__lt=dt.datetime.combine(last + dt.timedelta(days=1), midnight),
    )
    order = ["group"] if group_by == "day" else [-(F("prompt_tokens") + F("completion_tokens")), "group"]
    rows: QuerySet[LLMCall, Any] = (
        calls.annotate(group=GROUPS[group_by]).values("group").annotate(**FIGURES).order_by(*order)
    )
    return Usage(totals=calls.aggregate(**FIGURES), rows=list(rows[:MOST_ROWS]))
