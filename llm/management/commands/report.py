"""`manage.py report`: what was asked and spent in a period, by day, model and user."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from documents import terminal
from llm import rollup
from llm.analytics import A_DAY, DIMENSIONS, Dimension, Question, Row, consistently
from llm.figures import Figures
from llm.limits import first_day_after, today
from llm.spreadsheets import csv_lines
from llm.sums import RollUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.core.management.base import CommandParser

EPILOG = """\
Days are in UTC. The figures are those of the dashboard and of GET /usage: every attempt is a call, failed is what is
neither ok nor cancelled, and the cost leaves out calls of unknown price, which are counted beside it.

examples:
  manage.py report                                  the last 30 days, by day
  manage.py report --by user --month 2026-05        a month's bill, who used most first
  manage.py report --by user,model --user alice
  manage.py report --from 2026-05-01 --to 2026-05-07 --by model --json
  manage.py report --days 365 --by day,user,model --csv > year.csv
"""
USUAL_DAYS: Final = 30
COLUMNS: Final = {
    "turns": "Turns",
    "calls": "Calls",
    "failed": "Failed",
    "fallbacks": "Fallbacks",
    "cache_hits": "Cache hits",
    "prompt_tokens": "Sent",
    "completion_tokens": "Received",
    "unpriced_calls": "Unpriced",
    "cost": "Cost, US$",
}
WORRYING: Final = 0.05  # of the calls failed
NOBODY: Final = "nobody, or erased"


def day(text: str) -> dt.date:
    """A day of a calendar."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, such as 2026-05-20") from None


def month(text: str) -> dt.date:
    """The first day of a month."""
    try:
        return dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no month, such as 2026-05") from None


def dimensions(text: str) -> tuple[Dimension, ...]:
    """What the report is by."""
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    found = tuple(known for name in wanted for known in DIMENSIONS if known == name)
    if len(found) < len(wanted):
        raise ArgumentTypeError(f"{text!r} is not a list of {', '.join(DIMENSIONS)}, such as user,model")
    return found


def positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= today().toordinal():
        raise ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


class Command(terminal.Command):
    """Reports on the ledger."""

    epilog = EPILOG

    help = "Show turns, tokens, cost and failures of a period by day, model and user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by",
            type=dimensions,
            default=("day",),
            metavar="WHAT",
            help="day, model, user, or several with commas; day unless told",
        )
        parser.add_argument("--days", type=positive, metavar="N", help=f"the last N days; {USUAL_DAYS} unless told")
        parser.add_argument("--month", type=month, metavar="YYYY-MM")
        parser.add_argument("--from", type=day, dest="first", metavar="YYYY-MM-DD")
        parser.add_argument("--to", type=day, dest="last", metavar="YYYY-MM-DD", help="today unless told")
        parser.add_argument("--user", metavar="USERNAME", help="this user's calls alone")
        parser.add_argument("--model", metavar="PROVIDER/MODEL", help="this model's calls alone")
        parser.add_argument("--csv", action="store_true", help="for spreadsheets; nothing in it is a formula")

    def handle(self, *, by: tuple[Dimension, ...], **options: Any) -> None:
        if options["csv"] and self.as_json:
            raise CommandError("Give one of --json and --csv.")
        first, last = self._period(**{name: options[name] for name in ("days", "month", "first", "last")})
        user_id = self._user_id(options["user"])
        provider, slash, name = (options["model"] or "").partition("/")
        if options["model"] and not slash:
            raise CommandError(f"{options['model']!r} names no provider. Write it as groq/openai/gpt-oss-20b.")
        question = Question(first, last, user_id=user_id, model=(provider, name) if slash else None)
        self._catch_up()
        rows, known = consistently(
            lambda books: (books.table(question, by=by), books.known_models(Question(first, last)))
        )
        if options["model"] and options["model"] not in known:
            raise CommandError(f"{options['model']} was not called. These were: {', '.join(known) or 'none'}.")
        self._print(question, by, rows, options)

    def _print(
        self, question: Question, by: tuple[Dimension, ...], rows: Sequence[Row], options: dict[str, Any]
    ) -> None:
        names = self._names(rows, by)
        keyed = [([_named(key, one, names) for key, one in zip(row.key, by, strict=True)], row.figures) for row in rows]
        total = sum((row.figures for row in rows), Figures())
        if self.as_json:
            answer = {
                "from": question.first,
                "to": question.last,
                "by": by,
                "rows": [dict(zip(by, key, strict=True)) | _json(figures) for key, figures in keyed],
                "totals": _json(total),
            }
            self.print_json(answer)
        elif options["csv"]:
            lines = csv_lines([*by, *COLUMNS], ([*key, *_values(figures)] for key, figures in keyed))
            for line in lines:
                self.stdout.write(line, ending="")
        else:
            self._table(question, by, [([key or NOBODY for key in keys], figures) for keys, figures in keyed], total)

    def _period(
        self, *, days: int | None, month: dt.date | None, first: dt.date | None, last: dt.date | None
    ) -> tuple[dt.date, dt.date]:
        if sum((days is not None, month is not None, bool(first or last))) > 1:
            raise CommandError("Give one of --days, --month, and --from with --to.")
        if month:
            return month, first_day_after("month", month) - A_DAY
        if first and not last and first > today():
            raise CommandError(f"The first day, {first}, is yet to come.")
        last = last or today()
        first = first or last - min((days or USUAL_DAYS) - 1, last.toordinal() - 1) * A_DAY
        if first > last:
            raise CommandError(f"The first day, {first}, is after the last, {last}.")
        return first, last

    def _user_id(self, username: str | None) -> int | None:
        if username is None:
            return None
        return terminal.user_named(username).pk

    def _catch_up(self) -> None:
        with self.bar(total=rollup.waiting(RollUp.objects.first()), unit=" calls") as bar:
            rollup.catch_up(progress=bar.update)

    def _names(self, rows: Sequence[Row], by: tuple[Dimension, ...]) -> dict[int, str]:
        if "user" not in by:
            return {}
        ids = {row.key[by.index("user")] for row in rows}
        users = get_user_model().objects.all()
        if len(ids) <= 1_000:  # noqa: PLR2004  more than that are most of them
            users = users.filter(pk__in=ids - {None})
        return dict(users.values_list("pk", "username"))

    def _table(
        self, question: Question, by: tuple[Dimension, ...], rows: list[tuple[list[Any], Figures]], total: Figures
    ) -> None:
        if not rows:
            self.say(f"No calls from {question.first} to {question.last} (UTC).")
            return
        header = [*(name.capitalize() for name in by), *COLUMNS.values()]
        foot = ["All", *[""] * (len(by) - 1)]
        lines = [[*map(str, key), *map(_text, _values(figures))] for key, figures in [*rows, (foot, total)]]
        widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
        self.say(f"{question.first} to {question.last}, days in UTC")
        self.say(_line(header, widths, left=len(by)), self.style.MIGRATE_HEADING)
        for line, (_, figures) in zip(lines, rows, strict=False):
            style = self.style.WARNING if (figures.error_rate or 0) > WORRYING else None
            self.say(_line(line, widths, left=len(by)), style)
        self.say(_line(lines[-1], widths, left=len(by)), self.style.MIGRATE_HEADING)


def _named(key: Any, dimension: Dimension, names: dict[int, str]) -> Any:
    return names.get(key) if dimension == "user" else key


def _values(figures: Figures) -> list[Any]:
    given = figures.as_dict()
    return [given[name] for name in COLUMNS]


def _json(figures: Figures) -> dict[str, Any]:
    """All figures, the cost as text, so that it stays exact."""
    return figures.as_dict() | {"tokens": figures.tokens, "cost": f"{figures.dollars:.10f}"}


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"


def _line(texts: Iterable[str], widths: Iterable[int], *, left: int) -> str:
    cells = [
        text.ljust(width) if place < left else text.rjust(width)
        for place, (text, width) in enumerate(zip(texts, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
