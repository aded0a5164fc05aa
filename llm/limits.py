"""Which budgets a user has, in which units and over which periods they count."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from .models import Budget

SCOPES: Final = ("day_tokens", "month_tokens", "day_cost", "month_cost")
UNIT = Decimal("1e-10")  # US dollars: what the ledger rounds to, and an allowance counts in
FRESH_SECONDS = 10.0  # a limit that was changed in another process counts here after at most so long
MOST_KNOWN = 10_000

_known: dict[int, tuple[float, Limits]] = {}  # by user: until when, and what


@dataclass(frozen=True, slots=True)
class Limits:
    """What a user may spend; None is no limit, costs are US dollars."""

    day_tokens: int | None = None
    month_tokens: int | None = None
    day_cost: Decimal | None = None
    month_cost: Decimal | None = None

    def __bool__(self) -> bool:
        return bool(self.items())

    def items(self) -> list[tuple[str, int | Decimal]]:
        """Those there are, by scope."""
        return [(scope, limit) for scope in SCOPES if (limit := getattr(self, scope)) is not None]


def limits_of(user_id: int | None) -> Limits:
    """The user's own limits if they have any, else those of the settings; read at most every `FRESH_SECONDS`."""
    if user_id is None:
        return Limits()
    until, limits = _known.get(user_id, (0.0, Limits()))
    if until < time.monotonic():
        limits = limits_from(Budget.objects.filter(pk=user_id).first())
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[user_id] = (time.monotonic() + FRESH_SECONDS, limits)
    return limits


def limits_from(own: Budget | None) -> Limits:
    """Those of a user with this budget, or without one."""
    if own is not None:
        return Limits(**{scope: getattr(own, scope) for scope in SCOPES})
    return Limits(**{scope: getattr(settings, f"LLM_BUDGET_{scope.upper()}") for scope in SCOPES})


@receiver([post_save, post_delete], sender=Budget)
def forget_limits(**_: Any) -> None:
    """Read limits again at their next use."""
    _known.clear()


@receiver(setting_changed)
def forget_defaults(*, setting: str, **_: Any) -> None:
    """The same for the settings, which only tests change."""
    if setting.startswith("LLM_BUDGET_"):
        _known.clear()


def dollars(units: int) -> Decimal:
    """An allowance's cost in US dollars."""
    return units * UNIT


def units(cost: Decimal) -> int:
    """US dollars as an allowance counts them."""
    return int(cost / UNIT)


def unit_of(scope: str) -> str:
    """`tokens` or `cost`."""
    return scope.rpartition("_")[2]


def today() -> dt.date:
    """In UTC, whatever the service's time zone is."""
    return timezone.now().astimezone(dt.UTC).date()


def first_day(scope: str, day: dt.date) -> dt.date:
    """When the period of the scope that `day` is in began."""
    return day if scope.startswith("day") else day.replace(day=1)


def first_day_after(scope: str, day: dt.date) -> dt.date:
    """When the next one begins."""
    length = dt.timedelta(days=1 if scope.startswith("day") else 31)
    return first_day(scope, first_day(scope, day) + length)
