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
from django.db import Error, transaction
from django.db.models import BigIntegerField, Case, DateField, ExpressionWrapper, F, Value, When
from django.utils import timezone

from .durable import durably
from .limits import SCOPES, Limits, dollars, first_day, first_day_after, limits_of, today, unit_of, units
from .models import Allowance, Hold

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.db.models.expressions import Combinable

logger = logging.getLogger(__name__)

NUMBER = BigIntegerField()
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
    def is_warning(self) -> bool:
        """Whether so much is spent that the user should know."""
        return self.spent >= self.limit * WARN_FROM

    @property
    def warning(self) -> str:
        """A sentence for the user."""
        period, unit = self.scope.split("_")
        share = math.floor(100 * self.spent / self.limit) if self.limit else 100
        return f"{share} % of the budget of {unit} for this {period} is spent."


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
            durably(lambda: _give_back(hold))
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
        _give_back(expired)  # a process died with it
    hold = Hold(user_id=user_id, tokens=tokens, cost=units(cost or Decimal(0)))
    while not _take(hold, limits):
        allowance = Allowance.objects.filter(pk=user_id).first()
        if allowance is None:
            _open_allowance(user_id)
            continue
        for standing in _standings(allowance, limits):
            wanted = _wanted(hold, standing.scope)
            if standing.used + wanted > standing.limit:
                alone = standing.spent + wanted <= standing.limit
                until_reset = math.ceil((standing.resets_at - timezone.now()).total_seconds())
                raise BudgetExceeded(standing, retry_after=RUNNING_SECONDS if alone else max(1, until_reset))
    return Reservation(hold, limits=limits)


def settle(*, user_id: int, tokens: int, cost: Decimal | None, at: dt.datetime) -> None:
    """Add a call to what its user has spent; in the transaction that writes the call's ledger row."""
    changes = _spend(at.astimezone(dt.UTC).date(), tokens=tokens, cost=units(cost or Decimal(0)))
    if not Allowance.objects.filter(pk=user_id).update(**changes):
        _open_allowance(user_id)
        Allowance.objects.filter(pk=user_id).update(**changes)


def standings(user_id: int) -> list[Standing]:
    """How every limit of the user stands."""
    limits = limits_of(user_id)
    if not limits:
        return []
    return _standings(Allowance.objects.filter(pk=user_id).first() or Allowance(day=today()), limits)


def spent(allowance: Allowance, scope: str) -> int | Decimal:
    """In the period that runs now; the row may still be of an earlier one."""
    begun = allowance.day >= first_day(scope, today())
    return _amount(getattr(allowance, scope) if begun else 0, scope)


def _take(hold: Hold, limits: Limits) -> bool:
    """Reserve in one statement if all limits have room; the hold is stored with it."""
    now = today()
    room = Allowance.objects.filter(pk=hold.user_id)
    for scope, limit in limits.items():
        reserved = F(f"reserved_{unit_of(scope)}")
        most = (units(limit) if isinstance(limit, Decimal) else limit) - getattr(hold, unit_of(scope))
        so_far = Case(When(day__gte=first_day(scope, now), then=F(scope)), default=Value(0), output_field=NUMBER)
        used = ExpressionWrapper(so_far + reserved, output_field=NUMBER)
        room = room.alias(**{f"{scope}_used": used}).filter(**{f"{scope}_used__lte": most})
    hold.expires_at = timezone.now() + dt.timedelta(seconds=settings.LLM_TURN_SECONDS + GRACE_SECONDS)
    with transaction.atomic():
        taken = room.update(
            reserved_tokens=F("reserved_tokens") + hold.tokens, reserved_cost=F("reserved_cost") + hold.cost
        )
        if taken:
            hold.save(force_insert=True)
    return bool(taken)


def _give_back(hold: Hold) -> None:
    """Only once, whoever comes first: its own turn, or one that finds it expired."""
    with transaction.atomic():
        deleted, _ = Hold.objects.filter(pk=hold.pk).delete()
        if deleted:
            Allowance.objects.filter(pk=hold.user_id).update(
                reserved_tokens=F("reserved_tokens") - hold.tokens, reserved_cost=F("reserved_cost") - hold.cost
            )


def _open_allowance(user_id: int) -> None:
    """A row for the user's first call; another process may be as quick."""
    Allowance.objects.bulk_create([Allowance(user_id=user_id, day=today())], ignore_conflicts=True)


def _spend(day: dt.date, *, tokens: int, cost: int) -> dict[str, Combinable]:
    """The columns after a call on `day`. A new period begins with it; one that is over already is left as it is."""
    changes: dict[str, Combinable] = {
        "day": Case(When(day__lt=day, then=Value(day)), default=F("day"), output_field=DateField())
    }
    for scope in SCOPES:
        used = tokens if unit_of(scope) == "tokens" else cost
        first, following = first_day(scope, day), first_day_after(scope, day)
        changes[scope] = Case(
            When(day__lt=first, then=Value(used)),
            When(day__lt=following, then=F(scope) + used),
            default=F(scope),
            output_field=NUMBER,
        )
    return changes


def _standings(allowance: Allowance, limits: Limits) -> list[Standing]:
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
    warnings = {f"{s.scope}@{s.resets_at:%Y-%m-%d}": s for s in _standings(allowance, limits) if s.is_warning}
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
