"""Tables, charts and cards as the page shows them and CSV files give them, whatever they are about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

NOTHING: Final = "–"
SMALL_DOLLARS: Final = Decimal("0.01")
A_SECOND_MS: Final = 1_000


def count(value: int) -> str:
    return f"{value:,}"


def dollars(value: Decimal) -> str:
    """Two digits, or four where two would hide what there is."""
    return f"{value:,.4f}" if 0 < value < SMALL_DOLLARS else f"{value:,.2f}"


def percent(share: float | None) -> str:
    return NOTHING if share is None else f"{100 * share:.1f} %"


def duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return NOTHING
    return f"{milliseconds} ms" if milliseconds < A_SECOND_MS else f"{milliseconds / A_SECOND_MS:.1f} s"


def moment(value: dt.datetime) -> str:
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def waited(since: dt.datetime) -> str:
    """How long ago that is, in one unit."""
    seconds = int((timezone.now() - since).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        shown: how a value is written on the page; a CSV file has it plain.
        is_bar: the value is a percentage, which is drawn too.
    """

    title: str
    shown: Callable[[Any], str] = str
    is_number: bool = True
    is_bar: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A value that leads somewhere."""

    text: str
    href: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values, one for each column; the first one names the row.

    Attributes:
        slug: its name in addresses.
        note: what one should know to read it.
        empty: what is said instead of rows.
        names_people: whether a file of it is worth an entry in the audit log.
    """

    slug: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    empty: str = "Nothing in this period."
    names_people: bool = False

    @property
    def texts(self) -> list[list[str]]:
        """The values as the page writes them."""
        return [
            [NOTHING if value is None else column.shown(value) for column, value in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]

    @property
    def body(self) -> SafeString:
        """The rows in HTML, thousands of cells of a long period; a template takes ten times as long."""
        lines = (
            "".join(map(_cell, range(len(values)), self.columns, values, texts))
            for values, texts in zip(self.rows, self.texts, strict=True)
        )
        return SafeString("\n".join(f"<tr>{line}</tr>" for line in lines))


def _cell(place: int, column: Column, value: Any, text: str) -> str:
    inner = escape(text)
    if isinstance(value, Link):
        inner = f'<a href="{escape(value.href)}">{inner}</a>'
    if not place:
        return f'<th scope="row">{inner}</th>'
    if column.is_bar:
        inner = (
            f'<progress max="100" value="{escape(str(value))}" aria-label="{escape(column.title)}"></progress> {inner}'
        )
    return f'<td class="number">{inner}</td>' if column.is_number else f"<td>{inner}</td>"


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one layer of the bars; None is a gap."""

    name: str
    values: Sequence[float | int | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures by day.

    Attributes:
        kind: `bar`, which are stacked, or `line`.
        summary: the chart in a sentence, for those who do not see it.
    """

    slug: str
    title: str
    kind: str
    days: Sequence[dt.date]
    series: Sequence[Series]
    summary: str
    shown: Callable[[Any], str] = count

    @property
    def drawn(self) -> dict[str, Any]:
        """What the script draws."""
        return {
            "kind": self.kind,
            "labels": [day.isoformat() for day in self.days],
            "series": [{"name": series.name, "values": list(series.values)} for series in self.series],
        }

    @property
    def table(self) -> Table:
        """The same figures to read, without the days on which nothing was."""
        columns = [Column("Day", is_number=False), *(Column(series.name, self.shown) for series in self.series)]
        rows = [
            (day, *values)
            for day, *values in zip(self.days, *(series.values for series in self.series), strict=True)
            if any(values)
        ]
        return Table(self.slug, self.title, columns, rows)


@dataclass(frozen=True, slots=True)
class Card:
    """One figure. `detail` is a line below it, and `change` how it was before, if that can be told."""

    title: str
    value: str
    detail: str = ""
    change: str = ""
    is_worrying: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """What one permission shows."""

    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    cards: Sequence[Card] = ()


def stacked(days: Sequence[dt.date], values: Iterable[tuple[dt.date, str, int | float]], *, most: int) -> list[Series]:
    """A layer for each of the names with the greatest sums, and one for the others together."""
    sums: dict[str, float] = {}
    by_day: dict[tuple[str, dt.date], float] = {}
    for day, name, value in values:
        sums[name] = sums.get(name, 0) + value
        by_day[name, day] = by_day.get((name, day), 0) + value
    ranked = sorted((name for name, total in sums.items() if total), key=lambda name: (-sums[name], name))
    named, others = (ranked, []) if len(ranked) <= most else (ranked[: most - 1], ranked[most - 1 :])
    layers = [Series(name, [by_day.get((name, day), 0) for day in days]) for name in named]
    if others:
        rest = [sum(by_day.get((name, day), 0) for name in others) for day in days]
        layers.append(Series(f"{len(others)} others", rest))
    return layers
