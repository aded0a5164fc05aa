"""What a user has used: their calls in a period, added up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Value
from django.db.models.functions import Concat

from .figures import DAY, FIGURES, Figures
from .models import LLMCall

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

MOST_ROWS: Final = 1_000
GROUPS: Final[dict[str, Combinable]] = {
    "day": DAY,
    "model": Concat("provider", Value("/"), "model"),
    "conversation": F("conversation_id"),
}


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls added up, whole and by group; each as `Figures.as_dict` gives it, with `group` in the rows.

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
    return Usage(
        totals=Figures.of(calls.aggregate(**FIGURES)).as_dict(),
        rows=[{"group": row["group"], **Figures.of(row).as_dict()} for row in rows[:MOST_ROWS]],
    )
