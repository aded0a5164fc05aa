"""The statements that change allowances, in SQL that SQLite and PostgreSQL share.

They run in every turn, and the ORM takes thirty times as long to build them as the database takes to run them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from .limits import SCOPES, first_day, first_day_after, unit_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from .models import Hold


def _sum(scope: str) -> str:
    """What a scope's column becomes: begun anew, added to, or left since the call's period is over."""
    period = scope.split("_", maxsplit=1)[0]
    return f"""{scope} = CASE WHEN allowances.day < %({period})s THEN excluded.{scope}
                              WHEN allowances.day < %({period}_after)s THEN allowances.{scope} + excluded.{scope}
                              ELSE allowances.{scope} END"""


ADD: Final = f"""
    INSERT INTO allowances (user_id, day, day_tokens, month_tokens, day_cost, month_cost,
                            reserved_tokens, reserved_cost, warned)
    VALUES (%(user)s, %(day)s, %(tokens)s, %(tokens)s, %(cost)s, %(cost)s, 0, 0, '')
    ON CONFLICT (user_id) DO UPDATE SET
        day = CASE WHEN allowances.day < excluded.day THEN excluded.day ELSE allowances.day END,
        {", ".join(map(_sum, SCOPES))}
"""  # noqa: S608  our own names
RESERVE: Final = """
    UPDATE allowances SET reserved_tokens = reserved_tokens + %(tokens)s, reserved_cost = reserved_cost + %(cost)s
    WHERE user_id = %(user)s
"""
ROOM: Final = {
    scope: f"""
        AND CASE WHEN day >= %({scope}_begins)s THEN {scope} ELSE 0 END + reserved_{unit_of(scope)} <= %({scope})s"""
    for scope in SCOPES
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What a user spent on a day, in tokens and an allowance's units of cost."""

    user_id: int
    day: dt.date
    tokens: int
    cost: int

    @property
    def values(self) -> dict[str, int | str]:
        """What `ADD` is executed with."""
        values: dict[str, int | str] = {"user": self.user_id, "tokens": self.tokens, "cost": self.cost}
        for period in ("day", "month"):
            values[period] = first_day(period, self.day).isoformat()
            values[f"{period}_after"] = first_day_after(period, self.day).isoformat()
        return values


def add(*, user_id: int, day: dt.date, tokens: int, cost: int) -> None:
    """Add what was spent on `day`; the first call of a user opens their allowance."""
    with connection.cursor() as cursor:
        cursor.execute(ADD, Spent(user_id, day, tokens, cost).values)


def add_all(amounts: Iterable[Spent]) -> None:
    """The same for very many."""
    with connection.cursor() as cursor:
        cursor.executemany(ADD, [spent.values for spent in amounts])


def take(hold: Hold, *, limits: Mapping[str, int], day: dt.date) -> bool:
    """Reserve in one statement if every limit has room, and store the hold with it.

    Args:
        limits: by scope, in tokens or an allowance's units of cost.
    """
    values: dict[str, int | str] = {"user": hold.user_id, "tokens": hold.tokens, "cost": hold.cost}
    for scope, limit in limits.items():
        values[scope] = limit - getattr(hold, unit_of(scope))
        values[f"{scope}_begins"] = first_day(scope, day).isoformat()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(RESERVE + "".join(ROOM[scope] for scope in limits), values)
            taken: bool = cursor.rowcount == 1
        if taken:
            hold.save(force_insert=True)
    return taken


def give_back(hold: Hold) -> None:
    """Only once, whoever comes first: the hold's own turn, or one that finds it expired."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM budget_holds WHERE id = %s", [hold.pk])
        if cursor.rowcount:
            cursor.execute(
                "UPDATE allowances SET reserved_tokens = reserved_tokens - %s, reserved_cost = reserved_cost - %s"
                " WHERE user_id = %s",
                [hold.tokens, hold.cost, hold.user_id],
            )
