"""What a user may spend: reserved before a model is called, added up as calls are booked, given back when it is over.

    with budgets.reserve(user_id=7, tokens=3_000, cost=Decimal("0.001")):
        ...call the model; `booking` settles what it really used

A reservation is taken by one conditional UPDATE, so that any number of concurrent turns stays within the limit. Spent
and reserved overlap from the booking of a call until its reservation is given back, so there is never a gap.
"""

from __future__ import annotations

import datetime as dt
import logging
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import Error
from django.utils import timezone

from . import allowances
from .durable import durably
from .limits import Limits, dollars, first_day, first_day_after, limits_of, today, unit_of, units
from .models import Allowance, Hold

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

WARN_FROM = Decimal("0.8")
GRACE_SECONDS = 20  # what a live turn may need beyond its deadline; after that its reservation is nobody's
RUNNING_SECONDS = 5  # when it is worth asking again if only running replies stand in the way


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit stands: tokens, or US dollars for a cost.

    Attributes:
        reserved: what running replies may still spend.
        resets_at: when the period begins anew.
    """

    scope: str
    limit: int | Decimal
    spent: int | Decimal
    reserved: int | Decimal
    resets_at: dt.datetime

    @property
    def used(self) -> int | Decimal:
        return self.spent + self.reserved

    @property
    def remaining(self) -> int | Decimal:
        return max(self.limit - self.used, type(self.limit)(0))

    @property
    def percent(self) -> int:
        """How much of the limit is spent; a limit of nothing is."""
        return math.floor(100 * self.spent / self.limit) if self.limit else 100

    @property
    def is_warning(self) -> bool:
        """Whether so much is spent that the user should know."""
        return self.spent >= self.limit * WARN_FROM

    @property
    def warning(self) -> str:
        """A sentence for the user."""
        period, unit = self.scope.split("_")
        return f"{self.percent} % of the budget of {unit} for this {period} is spent."


class BudgetExceeded(Exception):
    """The reply could cost more than is left; nothing was reserved.

    Attributes:
        scope: the limit in the way: `day_tokens`, `month_tokens`, `day_cost` or `month_cost`.
        used: spent, and reserved by running replies.
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, standing: Standing, *, retry_after: int) -> None:
        period, unit = standing.scope.split("_")
        super().__init__(f"What is left of the budget of {unit} for this {period} does not cover a reply.")
        self.scope, self.limit, self.used = standing.scope, standing.limit, standing.used
        self.resets_at, self.retry_after = standing.resets_at, retry_after


class Reservation:
    """What was set aside for one reply, nothing where there is no limit; a context manager that gives it back."""

    def __init__(self, hold: Hold | None = None, *, limits: Limits | None = None) -> None:
        self._hold, self._limits = hold, limits

    def release(self) -> None:
        """Give back what is held; what was really used has been settled. Safe to repeat, and never raises.

        What a dead database keeps us from giving back expires by itself.
        """
        hold, self._hold = self._hold, None
        if hold is None:
            return
        try:
            durably(lambda: allowances.give_back(hold))
            if self._limits:
                _warn(hold.user_id, self._limits)
        except Error:
            logger.exception("A reservation was not given back; it expires at %s", hold.expires_at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def reserve(*, user_id: int | None, tokens: int, cost: Decimal | None) -> Reservation:
    """Set aside what a reply may spend at most.

    Args:
        cost: US dollars; None where no price is known. Then nothing is set aside of a budget of cost: such calls are
            let through until known costs have used it up, and are flagged in the ledger and in the usage.

    Raises:
        BudgetExceeded: it does not fit; nothing is reserved.
    """
    limits = limits_of(user_id)
    if user_id is None or not limits:
        return Reservation()
    for expired in Hold.objects.filter(user=user_id, expires_at__lte=timezone.now()):
        allowances.give_back(expired)  # a process died with it
    hold = Hold(user_id=user_id, tokens=tokens, cost=units(cost or Decimal(0)))
    stored = {scope: units(limit) if isinstance(limit, Decimal) else limit for scope, limit in limits.items()}
    while not _take(hold, stored):
        allowance = Allowance.objects.filter(pk=user_id).first()
        if allowance is None:
            allowances.add(user_id=user_id, day=today(), tokens=0, cost=0)
            continue
        for standing in standings_in(allowance, limits):
            wanted = _wanted(hold, standing.scope)
            if standing.used + wanted > standing.limit:
                alone = standing.spent + wanted <= standing.limit
                raise BudgetExceeded(standing, retry_after=RUNNING_SECONDS) if alone else _exceeded(standing)
    return Reservation(hold, limits=limits)


def require_some(user_id: int) -> None:
    """Refuse somebody who has nothing left of a budget; for work that is reserved later, in another process.

    Raises:
        BudgetExceeded: a budget is spent.
    """
    for standing in standings(user_id):
        if standing.spent >= standing.limit:
            raise _exceeded(standing)


def settle(*, user_id: int, tokens: int, cost: Decimal | None, at: dt.datetime) -> None:
    """Add a call to what its user has spent; in the transaction that writes the call's ledger row."""
    day = at.astimezone(dt.UTC).date()
    allowances.add(user_id=user_id, day=day, tokens=tokens, cost=units(cost or Decimal(0)))


def give_back_expired() -> int:
    """Give back what dead processes had reserved, for users who may not come again; how many reservations."""
    expired = list(Hold.objects.filter(expires_at__lte=timezone.now()))
    for hold in expired:
        allowances.give_back(hold)
    return len(expired)


def standings(user_id: int) -> list[Standing]:
    """How every limit of the user stands."""
    limits = limits_of(user_id)
    if not limits:
        return []
    return standings_in(Allowance.objects.filter(pk=user_id).first() or Allowance(day=today()), limits)


def spent(allowance: Allowance, scope: str) -> int | Decimal:
    """In the period that runs now; the row may still be of an earlier one."""
    begun = allowance.day >= first_day(scope, today())
    return _amount(getattr(allowance, scope) if begun else 0, scope)


def _exceeded(standing: Standing) -> BudgetExceeded:
    until_reset = math.ceil((standing.resets_at - timezone.now()).total_seconds())
    return BudgetExceeded(standing, retry_after=max(1, until_reset))


def _take(hold: Hold, limits: dict[str, int]) -> bool:
    hold.expires_at = timezone.now() + dt.timedelta(seconds=settings.LLM_TURN_SECONDS + GRACE_SECONDS)
    return allowances.take(hold, limits=limits, day=today())


def standings_in(allowance: Allowance, limits: Limits) -> list[Standing]:
    """How each of these limits stands, by what the row says."""
    now = today()
    found = []
    for scope, limit in limits.items():
        reserved = _amount(getattr(allowance, f"reserved_{unit_of(scope)}"), scope)
        resets_at = dt.datetime.combine(first_day_after(scope, now), dt.time(), tzinfo=dt.UTC)
        found.append(Standing(scope, limit, spent(allowance, scope), reserved, resets_at))
    return found


def _warn(user_id: int, limits: Limits) -> None:
    """Log, once a period, each limit of which most is spent."""
    allowance = Allowance.objects.filter(pk=user_id).first()
    if allowance is None:
        return
    warnings = {f"{s.scope}@{s.resets_at:%Y-%m-%d}": s for s in standings_in(allowance, limits) if s.is_warning}
    new = warnings.keys() - set(allowance.warned.split())
    unchanged: QuerySet[Allowance] = Allowance.objects.filter(pk=user_id, warned=allowance.warned)
    if not new or not unchanged.update(warned=" ".join(sorted(warnings))):
        return  # or another process has just seen to it
    for mark in sorted(new):
        standing = warnings[mark]
        logger.warning("User %s has spent %s of %s %s", user_id, standing.spent, standing.limit, standing.scope)


def _wanted(hold: Hold, scope: str) -> int | Decimal:
    return _amount(getattr(hold, unit_of(scope)), scope)


def _amount(stored: int, scope: str) -> int | Decimal:
    return stored if unit_of(scope) == "tokens" else dollars(stored)
