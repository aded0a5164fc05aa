"""What is counted of calls, each figure defined once: `GET /usage`, the dashboard, the report and the ledger's list."""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from django.db.models import BigIntegerField, CharField, Count, F, Q, Sum
from django.db.models.functions import Cast, Coalesce, Round, Substr

from .limits import dollars
from .models import LLMCall

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

# The text of a moment begins with its day on every engine, as connections run in UTC. TruncDate would call Python for
# each row on SQLite: 830 ms instead of 130 ms for 76,000 rows.
DAY: Final = Substr(Cast("created_at", CharField()), 1, 10)
# As whole ten-billionths of a US dollar, like an allowance: every database adds them exactly, in whatever order.
UNITS: Final = Cast(Round(F("cost") * 10_000_000_000), BigIntegerField())

TURN: Final = Q(purpose=LLMCall.Purpose.REPLY, outcome__in=LLMCall.SUCCESSES)
ANSWERED: Final = Q(purpose=LLMCall.Purpose.REPLY, outcome=LLMCall.Outcome.OK)  # by a model, so it took time
FAILED: Final = ~Q(outcome__in=[*LLMCall.SUCCESSES, LLMCall.Outcome.CANCELLED])

FIGURES: Final[dict[str, Any]] = {
    "calls": Count("id"),
    "ok": Count("id", filter=Q(outcome__in=LLMCall.SUCCESSES)),
    "failed": Count("id", filter=FAILED),
    "turns": Count("id", filter=TURN),
    "fallbacks": Count("id", filter=TURN & Q(place__gt=1)),
    "cache_hits": Count("id", filter=TURN & Q(outcome=LLMCall.Outcome.CACHED)),
    "prompt_tokens": Coalesce(Sum("prompt_tokens"), 0),
    "completion_tokens": Coalesce(Sum("completion_tokens"), 0),
    "cached_tokens": Coalesce(Sum("cached_tokens"), 0),
    "unpriced_calls": Count("id", filter=Q(cost=None)),
    "cost": Coalesce(Sum(UNITS), 0),  # last, since a figure hides the column of its name from those after it
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls added up.

    Attributes:
        calls: every attempt is one, failed ones included.
        failed: neither ok nor cancelled.
        turns: replies that were given; each has one call that succeeded.
        fallbacks: the turns that another model answered than the one that was to.
        cache_hits: the turns that were answered without a call.
        cached_tokens: of the prompt tokens, those the provider had.
        unpriced_calls: those whose cost is not known, and so not in `cost`.
        cost: whole ten-billionths of a US dollar.
    """

    calls: int = 0
    ok: int = 0
    failed: int = 0
    turns: int = 0
    fallbacks: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    unpriced_calls: int = 0
    cost: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Those in a dict with a key for each; databases give some sums as decimals."""
        return cls(**{name: int(row[name]) for name in NAMES})

    def __add__(self, other: Figures) -> Figures:
        return Figures(*map(operator.add, VALUES(self), VALUES(other)))

    def as_dict(self) -> dict[str, Any]:
        """By name, the cost in US dollars."""
        return dict(zip(NAMES, VALUES(self), strict=True)) | {"cost": self.dollars}

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def dollars(self) -> Decimal:
        return dollars(self.cost)

    @property
    def error_rate(self) -> float | None:
        """Failed calls of all calls; None where there are none."""
        return self.failed / self.calls if self.calls else None

    @property
    def fallback_rate(self) -> float | None:
        """Of the turns."""
        return self.fallbacks / self.turns if self.turns else None

    @property
    def cache_rate(self) -> float | None:
        """Of the turns."""
        return self.cache_hits / self.turns if self.turns else None


NAMES: Final = tuple(field.name for field in fields(Figures))
VALUES: Final = operator.attrgetter(*NAMES)  # fast: thousands are added for a page


def rounded(milliseconds: int) -> int:
    """To two significant digits, so at most 5 % off: what latencies are counted by."""
    step: int = 10 ** max(0, len(str(milliseconds)) - 2)
    return (milliseconds + step // 2) // step * step


def percentile(latencies: Mapping[int, int], share: float) -> int | None:
    """The least latency that so large a share of the replies did not exceed; None where there are no replies.

    Args:
        latencies: how many replies took so long, by `rounded` milliseconds.
        share: above 0, at most 1.
    """
    wanted, seen = share * sum(latencies.values()), 0
    for latency in sorted(latencies):
        seen += latencies[latency]
        if seen >= wanted:
            return latency
    return None
