"""Reading the ledger by day, model and user over any period, from its sums and the few rows that are not in them yet.

books = open_books()
books.measured(Question(first, last))        by day and model, with latencies
books.table(Question(first, last), by=("user",), limit=20)
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from django.db import connection
from django.db.models import F, Q

from .figures import Figures
from .models import LLMCall
from .rollup import DAYS, MONTHS, Key, Part, added_up, catch_up, figures_in, sums_of, waiting
from .sums import ModelDay, RollUp, UserSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import QuerySet

Dimension = Literal["day", "model", "user"]
DIMENSIONS: Final[tuple[Dimension, ...]] = ("day", "model", "user")
COLUMNS: Final = {"day": ("day",), "model": ("provider", "model"), "user": ("user_id",)}
A_DAY: Final = dt.timedelta(days=1)
PATIENCE_SECONDS: Final = 0.5  # that somebody who wants to read is made to wait for the sums
TRIES: Final = 5
MOST_LIVE = 100_000  # rows that a reader waits for; some seconds

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Question:
    """Which calls: from `first` to `last`, both included, in UTC; of one user, one (provider, model), or all."""

    first: dt.date
    last: dt.date
    user_id: int | None = None
    model: tuple[str, str] | None = None

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def asks_for(self, key: Key) -> bool:
        return (
            self.first <= key.day <= self.last
            and self.user_id in {None, key.user_id}
            and self.model in {None, (key.provider, key.model)}
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """What one model did on one day, for those who were asked about."""

    day: dt.date
    model: str
    part: Part


@dataclass(frozen=True, slots=True)
class Row:
    """Calls with one key: a day, a model as `provider/model`, the id of a user, or several of these."""

    key: tuple[Any, ...]
    figures: Figures


class Books:
    """The ledger as it is, read in one state of its sums; see `consistently`."""

    def __init__(self, state: RollUp) -> None:
        self.state = state

    @cached_property
    def left_out(self) -> int:
        """How many rows are in no figure, since they are too many to be added up for a reader; 0 but for a large ledger
        whose sums were never made, see `manage.py roll_up`.
        """
        rows = waiting(self.state)
        return rows if rows > MOST_LIVE else 0

    @cached_property
    def live(self) -> dict[Key, Part]:
        """The rows that are not in the sums, added up by one look at them."""
        if self.left_out:
            return {}
        return added_up(LLMCall.objects.filter(id__gt=self.state.last_id))

    def measured(self, question: Question) -> list[Measured]:
        """By day and model, in no order."""
        rows: Iterator[tuple[dt.date, Any]]
        if question.user_id is None:
            days = ModelDay.objects.filter(_of_model(question), day__range=(question.first, question.last))
            rows = ((row.day, row) for row in days)
        else:
            spans = UserSpan.objects.filter(
                _of_model(question), user=question.user_id, span=DAYS, begins__range=(question.first, question.last)
            )
            rows = ((row.begins, row) for row in spans)
        stored = [Measured(day, f"{row.provider}/{row.model}", Part.of(row)) for day, row in rows]
        live = [
            Measured(key.day, f"{key.provider}/{key.model}", part)
            for key, part in self.live.items()
            if question.asks_for(key)
        ]
        return stored + live

    def known_models(self, question: Question) -> list[str]:
        """The models that were called in the period, whoever asked, as `provider/model`."""
        period = (question.first, question.last)
        names = set(ModelDay.objects.filter(day__range=period).values_list("provider", "model").distinct())
        names |= {(key.provider, key.model) for key in self.live if question.first <= key.day <= question.last}
        return sorted("/".join(name) for name in names)

    def table(self, question: Question, *, by: tuple[Dimension, ...], limit: int | None = None) -> list[Row]:
        """The calls added up by these, the most tokens first; days first in their order.

        Args:
            by: no dimension gives one row, of everything.
            limit: at most so many rows; only by user alone.
        """
        stored = _stored(question, by)
        live: defaultdict[tuple[Any, ...], Figures] = defaultdict(Figures)
        for key, part in self.live.items():
            if question.asks_for(key):
                live[_key(key._asdict(), by)] += part.figures
        if limit is not None:
            # Whoever is among the first with the live rows is so without them, or has live rows.
            users = {*_most_active(question, limit=limit), *(user_id for (user_id,) in live)}
            stored = stored.filter(Q(user__in=users - {None}) | (Q(user=None) if None in users else Q()))
        found = {_key(row, by): figures_in(row) for row in stored}
        for own, figures in live.items():
            found[own] = found.get(own, Figures()) + figures
        return sorted((Row(key, figures) for key, figures in found.items() if figures.calls), key=_order)[:limit]


def consistently(read: Callable[[Books], Found]) -> Found:
    """What `read` gives, read from one state of the sums, after bringing them up to date.

    No lock is held, so that nobody waits for a page: if the sums were changed meanwhile, it is read again.
    """
    catch_up(seconds=PATIENCE_SECONDS)
    for _ in range(TRIES):
        state = _state()
        found = read(Books(state))
        if _state().version == state.version:
            break
    return found


def _state() -> RollUp:
    return RollUp.objects.filter(pk=RollUp.THE_ONE).first() or RollUp()


def _stored(question: Question, by: tuple[Dimension, ...]) -> QuerySet[Any, dict[str, Any]]:
    """The fewest rows of the sums that tell, added up; the day under the name `day`."""
    period = (question.first, question.last)
    columns = [column for dimension in by for column in COLUMNS[dimension]]
    if question.user_id is None and "user" not in by:
        return sums_of(ModelDay.objects.filter(_of_model(question), day__range=period), *columns)
    spans = UserSpan.objects.filter(_of_model(question), _within(question, by_day="day" in by))
    if question.user_id is not None:
        spans = spans.filter(user=question.user_id)
    return sums_of(spans.annotate(day=F("begins")), *columns)


def _of_model(question: Question) -> Q:
    return Q(provider=question.model[0], model=question.model[1]) if question.model else Q()


def _within(question: Question, *, by_day: bool) -> Q:
    """The rows by user that make up the period, each day in one of them."""
    stretches = [(DAYS, question.first, question.last)] if by_day else _stretches(question)
    found = Q()
    for span, first, last in stretches:
        found |= Q(span=span, begins__range=(first, last))
    return found


def _stretches(question: Question) -> list[tuple[str, dt.date, dt.date]]:
    """The period as whole months and the days around them: which rows, and the first and last of their beginnings."""
    months = _whole_months(question)
    if not months:
        return [(DAYS, question.first, question.last)]
    before = (DAYS, question.first, months[0] - A_DAY)
    after = (DAYS, _next_month(months[-1]), question.last)
    around = [(span, first, last) for span, first, last in (before, after) if first <= last]
    return [(MONTHS, months[0], months[-1]), *around]


def _most_active(question: Question, *, limit: int) -> list[int | None]:
    """The users with the most tokens in the sums. SQL, since each stretch shall be read from its index alone."""
    model = " AND provider = %s AND model = %s" if question.model else ""
    user = " AND user_id = %s" if question.user_id is not None else ""
    stretch = f"""
        SELECT user_id, prompt_tokens + completion_tokens AS tokens FROM llm_user_spans
        WHERE span = %s AND begins BETWEEN %s AND %s{model}{user}
    """  # noqa: S608  our own words
    values: list[Any] = []
    stretches = _stretches(question)
    for span, first, last in stretches:
        values += [str(span), first.isoformat(), last.isoformat(), *(question.model or ())]
        values += [] if question.user_id is None else [question.user_id]
    union = " UNION ALL ".join([stretch] * len(stretches))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT user_id FROM ({union}) AS stretches GROUP BY user_id ORDER BY SUM(tokens) DESC, user_id LIMIT %s",  # noqa: S608
            [*values, limit],
        )
        return [user_id for (user_id,) in cursor.fetchall()]


def _whole_months(question: Question) -> list[dt.date]:
    """The first days of the months that the period covers whole."""
    month = question.first if question.first.day == 1 else _next_month(question.first)
    months = []
    while _next_month(month) - A_DAY <= question.last:
        months.append(month)
        month = _next_month(month)
    return months


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)


def _key(row: Mapping[str, Any], by: tuple[Dimension, ...]) -> tuple[Any, ...]:
    return tuple(
        f"{row['provider']}/{row['model']}" if dimension == "model" else row[COLUMNS[dimension][0]] for dimension in by
    )


def _order(row: Row) -> tuple[Any, ...]:
    """Days in their order where they come first, else the most tokens first."""
    first = row.key[0] if row.key and isinstance(row.key[0], dt.date) else None
    return str(first), -row.figures.tokens, str(row.key)
