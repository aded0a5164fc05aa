"""Keeps the sums of the ledger: adds rows to them that have come since, makes them anew, compares them.

A ledger row is never changed, so it is added exactly once: `RollUp.last_id` says how far. What comes after it is few
rows and is added up by whoever reads, with the same code (see `analytics`). So a figure never depends on when the sums
were last brought up to date, and a row that is dated back, as in imports and samples, counts like any other.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Q, Sum, Value
from django.db.models.signals import pre_delete
from django.utils import timezone

from .figures import ANSWERED, DAY, FIGURES, NAMES, VALUES, Figures, rounded
from .models import LLMCall
from .sums import ModelDay, RollUp, UserSpan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.db.models import Model, QuerySet

ROWS_AT_ONCE = 5_000  # in one short transaction, so that no turn waits for it
WORTH_IT: Final = 2_000  # fewer rows are added up faster than they are written
# Ids are given before rows are visible, so a row may turn up before an older one. After so long none does any more.
SETTLED: Final = dt.timedelta(minutes=10)
SLOWEST: Final = 10
DAYS, MONTHS = UserSpan.Span.DAY, UserSpan.Span.MONTH


class Key(NamedTuple):
    """Whose calls to what were added up, and of which day."""

    day: dt.date
    user_id: int | None
    provider: str
    model: str


@dataclass(slots=True)
class Part:
    """What they add up to: the figures, how many replies took so long (rounded), and the slowest with their call."""

    figures: Figures = field(default_factory=Figures)
    latencies: Counter[int] = field(default_factory=Counter)
    slowest: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, row: ModelDay | UserSpan) -> Self:
        """What a row of the sums holds."""
        latencies = Counter({int(latency): count for latency, count in row.latencies.items()})
        return cls(Figures.of(vars(row)), latencies, [(latency, pk) for latency, pk in row.slowest])

    def add(self, other: Part) -> None:
        self.figures += other.figures
        if self.latencies:
            for latency, count in other.latencies.items():
                self.latencies[latency] += count
        else:
            self.latencies = other.latencies.copy()
        if other.slowest:
            self.slowest = sorted(self.slowest + other.slowest, reverse=True)[:SLOWEST]


def added_up(calls: QuerySet[LLMCall]) -> dict[Key, Part]:
    """The calls by day, user and model."""
    parts: defaultdict[Key, Part] = defaultdict(Part)
    by = ("on", "user_id", "provider", "model")
    rows = calls.order_by().annotate(on=DAY)
    for row in rows.values(*by).annotate(**FIGURES):
        parts[_key(*(row[name] for name in by))].figures = Figures.of(row)
    for *key, latency, pk in rows.filter(ANSWERED).values_list(*by, "latency_ms", "id"):
        part = parts[_key(*key)]
        part.latencies[rounded(latency)] += 1
        part.slowest.append((latency, pk))
    for part in parts.values():
        part.slowest = sorted(part.slowest, reverse=True)[:SLOWEST]
    return dict(parts)


def catch_up(
    *, seconds: float = float("inf"), least: int = WORTH_IT, progress: Callable[[int], object] = lambda _: None
) -> None:
    """Add the rows that have come since, in short transactions; any number of processes may do so at once.

    Args:
        seconds: after which no further transaction begins.
        least: do nothing while fewer rows wait.
        progress: told how many rows were added since it was last told.
    """
    ends = time.monotonic() + seconds
    while waiting(RollUp.objects.filter(pk=RollUp.THE_ONE).first()) >= least and time.monotonic() < ends:
        if not (added := _add_some()):
            return
        progress(added)


def waiting(state: RollUp | None) -> int:
    """About how many rows are not in the sums yet."""
    newest = LLMCall.objects.aggregate(newest=Max("id"))["newest"] or 0
    return newest - (state.last_id if state else 0)


def forget_sums() -> None:
    """Begin anew: until they are made again, what is read is added up from the ledger itself, which takes longer."""
    with exclusive() as state:
        for model in (ModelDay, UserSpan):
            model.objects.all().delete()
        _mark(state, last_id=0)


def differences() -> list[dt.date]:
    """The days (and first days of months) whose sums are not what the ledger adds up to: somebody edited by hand."""
    with exclusive() as state:
        rows = LLMCall.objects.filter(id__lte=state.last_id).order_by().annotate(on=DAY).values("on")
        ledger = {dt.date.fromisoformat(row["on"]): Figures.of(row) for row in rows.annotate(**FIGURES)}
        sums = [_by_time(ModelDay.objects.all(), "day"), _by_time(UserSpan.objects.filter(span=DAYS), "begins")]
        months = _by_time(UserSpan.objects.filter(span=MONTHS), "begins")
    wrong = {day for found in sums for day in ledger.keys() | found.keys() if ledger.get(day) != found.get(day)}
    by_month: defaultdict[dt.date, Figures] = defaultdict(Figures)
    for day, figures in ledger.items():
        by_month[day.replace(day=1)] += figures
    wrong |= {month for month in by_month.keys() | months.keys() if by_month.get(month) != months.get(month)}
    return sorted(wrong)


def sums_of(rows: QuerySet[Any], *by: str) -> QuerySet[Any, dict[str, Any]]:
    """Rows of the sums, added up by these columns, as dicts with the names of `Figures`."""
    groups = rows.order_by().annotate(every=Value(1)).values("every", *by)  # all of them are one group by no column
    # Under names of their own: an aggregate of a column's name hides the column.
    sums: QuerySet[Any, dict[str, Any]] = groups.annotate(**{f"all_{name}": Sum(name) for name in NAMES})
    return sums


def figures_in(row: Mapping[str, Any]) -> Figures:
    """Those of a row of `sums_of`."""
    return Figures.of({name: row[f"all_{name}"] or 0 for name in NAMES})


@contextmanager
def exclusive() -> Iterator[RollUp]:
    """A transaction in which nobody else changes sums, and how far they are."""
    with transaction.atomic():
        yield _locked()


def _locked(**_: Any) -> RollUp:
    """Hold the lock until the transaction ends."""
    RollUp.objects.get_or_create(pk=RollUp.THE_ONE)
    return RollUp.objects.select_for_update().get(pk=RollUp.THE_ONE)


# Who is being deleted must not come into the sums meanwhile; what is in them loses its user with the deletion.
pre_delete.connect(_locked, sender=settings.AUTH_USER_MODEL, dispatch_uid="llm.rollup")


def _add_some() -> int:
    """One transaction's rows; how many."""
    with exclusive() as state:
        later = LLMCall.objects.filter(id__gt=state.last_id).order_by("id")
        now = timezone.now()
        settled = [
            pk
            for pk, _ in takewhile(
                lambda row: not now - SETTLED < row[1] < now + SETTLED,
                later.values_list("id", "created_at")[:ROWS_AT_ONCE],
            )
        ]
        if settled:
            _add(added_up(later.filter(id__lte=settled[-1])))
            _mark(state, last_id=settled[-1])
    return len(settled)


def _mark(state: RollUp, *, last_id: int) -> None:
    RollUp.objects.filter(pk=state.pk).update(last_id=last_id, version=state.version + 1)


def _add(parts: Mapping[Key, Part]) -> None:
    days: defaultdict[tuple[Any, ...], Part] = defaultdict(Part)
    spans: defaultdict[tuple[Any, ...], Part] = defaultdict(Part)
    for (day, user_id, *model), part in parts.items():
        days[day, *model].add(part)
        spans[user_id, DAYS, day, *model].add(part)
        spans[user_id, MONTHS, day.replace(day=1), *model].add(Part(part.figures))
    kept_days = ModelDay.objects.filter(day__in={day for day, *_ in days})
    _merge(ModelDay, ("day", "provider", "model"), days, kept_days)
    users = Q(user__in={key.user_id for key in parts} - {None}) | Q(user=None)
    kept_spans = UserSpan.objects.filter(users, begins__in={begins for _, _, begins, *_ in spans})
    _merge(UserSpan, ("user_id", "span", "begins", "provider", "model"), spans, kept_spans)


def _merge(
    model: type[Model], columns: tuple[str, ...], parts: Mapping[tuple[Any, ...], Part], kept: QuerySet[Any]
) -> None:
    """Add each part to its row, if there is one.

    In SQL that SQLite and PostgreSQL share: a busy ledger has thousands of these rows a day, and the ORM takes longer
    over each than everything else together.
    """
    known = {tuple(getattr(row, column) for column in columns): row for row in kept}
    new, changed = [], []
    for key, part in parts.items():
        row, total = known.get(key), part
        if row is not None:
            total = Part.of(row)
            total.add(part)
        values = (*VALUES(total.figures), json.dumps(total.latencies), json.dumps(total.slowest))
        if row is None:
            new.append((*map(_plain, key), *values))
        else:
            changed.append((*values, row.pk))
    table, written = model._meta.db_table, [*NAMES, "latencies", "slowest"]
    names = ", ".join([*columns, *written])
    holes = ", ".join(["%s"] * (len(columns) + len(written)))
    with connection.cursor() as cursor:
        if new:
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({holes})", new)  # noqa: S608  our own names
        if changed:
            setting = ", ".join(f"{name} = %s" for name in written)
            cursor.executemany(f"UPDATE {table} SET {setting} WHERE id = %s", changed)  # noqa: S608


def _plain(value: Any) -> Any:
    """A part of a key for a statement that goes past the ORM."""
    return value if value is None or isinstance(value, int) else str(value)


def _by_time(rows: QuerySet[Any], column: str) -> dict[dt.date, Figures]:
    return {row[column]: figures_in(row) for row in sums_of(rows, column)}


def _key(day: str, user_id: int | None, provider: str, model: str) -> Key:
    return Key(dt.date.fromisoformat(day), user_id, provider, model)
