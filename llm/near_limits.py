"""Which users have spent most of a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import F, Q

from .budgets import WARN_FROM, Standing, standings_in
from .limits import SCOPES, UNIT, first_day, limits_from, today, unit_of
from .models import Allowance

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LOOKED_AT: Final = 1_000


def near_limits(*, limit: int) -> list[tuple[str, Standing]]:
    """Username and standing of those of whose limit 80 % or more is spent, the fullest first.

    Users with a budget of their own are compared with it as it is now. Of the many others those are known for whom the
    end of a reply has noticed it, see `budgets`.
    """
    near = [(allowance.user.username, standing) for allowance in _candidates() for standing in _warnings(allowance)]
    return sorted(near, key=lambda pair: -pair[1].percent)[:limit]


def _candidates() -> Iterator[Allowance]:
    month = first_day("month", today())
    rows = Allowance.objects.select_related("user__budget").filter(day__gte=month)
    near = Q()
    for scope in SCOPES:
        limit = F(f"user__budget__{scope}") * WARN_FROM
        near |= Q(**{f"{scope}__gte": limit / UNIT if unit_of(scope) == "cost" else limit})
    yield from rows.filter(near, user__budget__isnull=False)[:MOST_LOOKED_AT]
    yield from rows.filter(~Q(warned=""), user__budget=None)[:MOST_LOOKED_AT]


def _warnings(allowance: Allowance) -> list[Standing]:
    own = getattr(allowance.user, "budget", None)
    return [standing for standing in standings_in(allowance, limits_from(own)) if standing.is_warning]
