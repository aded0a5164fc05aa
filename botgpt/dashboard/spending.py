"""What the dashboard shows of the ledger: turns, tokens, cost, time, faults; by day, model and user."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse

from botgpt.accounts.models import User
from llm.figures import Figures, percentile
from llm.models import LLMCall
from llm.rollup import SLOWEST, Part

from .tables import (
    Card,
    Chart,
    Column,
    Link,
    Section,
    Series,
    Table,
    count,
    dollars,
    duration,
    moment,
    percent,
    stacked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from llm.analytics import Books, Measured

    from .asked import Asked

LAYERS: Final = 5
USERS_SHOWN: Final = 20
USERS_AT_ONCE: Final = 5_000  # names that are read by one statement
WORRYING: Final = 0.05  # of the calls failed, or of the turns answered by a fallback
MEDIAN, MOST = 0.5, 0.95
FIGURES: Final = (
    Column("Turns", count),
    Column("Tokens", count),
    Column("Cost, US$", dollars),
    Column("Calls", count),
    Column("Failed", count),
    Column("Fallbacks", count),
    Column("Cache hits", count),
)
LATENCIES: Final = (Column("p50", duration), Column("p95", duration))


def section(books: Books, asked: Asked, *, may_read_transcripts: bool, every_user: bool) -> Section:
    """All of it.

    Args:
        may_read_transcripts: whether the slowest turns lead to theirs.
        every_user: not only those with the most tokens.
    """
    measured = books.measured(asked.question)
    by_day, by_model = _grouped(measured, "day"), _grouped(measured, "model")
    total = _sum(by_model.values())
    before = books.table(asked.before, by=())
    users = _users(books, asked, limit=None if every_user else USERS_SHOWN)
    days = _measured_rows(by_day)
    tables = [
        Table("days", "By day", (Column("Day", is_number=False), *FIGURES, *LATENCIES), days[::-1]),
        Table("models", "By model", (Column("Model", is_number=False), *FIGURES, *LATENCIES), _by_tokens(by_model)),
        users,
        _slowest(total, may_read_transcripts=may_read_transcripts),
    ]
    cards = _cards(total, before[0].figures if before else Figures(), days=len(asked.question.days))
    times = {day: (median, most) for day, *_, median, most in days}
    return Section(tables, _charts(asked.question.days, measured, by_day, times), cards)


def _sum(parts: Iterable[Part]) -> Part:
    total = Part()
    for part in parts:
        total.add(part)
    return total


def _grouped(measured: Sequence[Measured], by: str) -> dict[Any, Part]:
    parts: defaultdict[Any, Part] = defaultdict(Part)
    for entry in measured:
        parts[getattr(entry, by)].add(entry.part)
    return dict(sorted(parts.items()))


def _row(figures: Figures) -> tuple[int | Decimal, ...]:
    return (
        *(figures.turns, figures.tokens, figures.dollars, figures.calls),
        *(figures.failed, figures.fallbacks, figures.cache_hits),
    )


def _measured_rows(parts: Mapping[Any, Part]) -> list[tuple[Any, ...]]:
    return [
        (key, *_row(part.figures), percentile(part.latencies, MEDIAN), percentile(part.latencies, MOST))
        for key, part in parts.items()
    ]


def _by_tokens(parts: Mapping[str, Part]) -> list[tuple[Any, ...]]:
    named = {name if name != "/" else "not known": part for name, part in parts.items()}
    return _measured_rows(dict(sorted(named.items(), key=lambda item: -item[1].figures.tokens)))


def _cards(total: Part, before: Figures, *, days: int) -> list[Card]:
    figures, replies = total.figures, total.latencies
    span = "the day before" if days == 1 else f"the {days} days before"
    unknown = f"and {count(figures.unpriced_calls)} calls of unknown price" if figures.unpriced_calls else "US dollars"
    return [
        Card("Turns answered", count(figures.turns), "", _change(figures.turns, before.turns, span)),
        Card(
            "Tokens",
            count(figures.tokens),
            f"{count(figures.prompt_tokens)} sent, {count(figures.completion_tokens)} received",
            _change(figures.tokens, before.tokens, span),
        ),
        Card("Cost", f"${dollars(figures.dollars)}", unknown, _change(figures.cost, before.cost, span)),
        Card("Time of a reply", duration(percentile(replies, MEDIAN)), f"p95 {duration(percentile(replies, MOST))}"),
        Card(
            "Failed calls",
            percent(figures.error_rate),
            f"{count(figures.failed)} of {count(figures.calls)} calls",
            is_worrying=(figures.error_rate or 0) > WORRYING,
        ),
        Card(
            "Fallbacks",
            percent(figures.fallback_rate),
            f"{count(figures.fallbacks)} turns by another model",
            is_worrying=(figures.fallback_rate or 0) > WORRYING,
        ),
        Card("Cache hits", percent(figures.cache_rate), f"{count(figures.cache_hits)} turns without a call"),
    ]


def _change(now: int, before: int, span: str) -> str:
    if not before:
        return ""
    change = round(100 * (now - before) / before)
    return f"{change:+d} % against {span}" if change else f"as in {span}"


def _charts(
    days: Sequence[dt.date],
    measured: Sequence[Measured],
    by_day: Mapping[dt.date, Part],
    times: Mapping[dt.date, tuple[int | None, int | None]],
) -> list[Chart]:
    """Those by day; `times` are the median and the 95th percentile."""
    figures = [by_day[day].figures if day in by_day else Figures() for day in days]
    turns = [
        Series("By the first model", [day.turns - day.fallbacks - day.cache_hits for day in figures]),
        Series("By a fallback", [day.fallbacks for day in figures]),
        Series("From the cache", [day.cache_hits for day in figures]),
    ]
    tokens = stacked(days, ((m.day, m.model, m.part.figures.tokens) for m in measured), most=LAYERS)
    costs = stacked(days, ((m.day, m.model, float(m.part.figures.dollars)) for m in measured), most=LAYERS)
    median, most = ([times.get(day, (None, None))[place] for day in days] for place in (0, 1))
    failed = [Series("Failed calls", [day.failed for day in figures])]
    lines = [Series("p50", median), Series("p95", most)]
    return [
        Chart("turns-by-day", "Turns by day", "bar", days, turns, _told(days, [f.turns for f in figures], count)),
        Chart("tokens-by-day", "Tokens by day", "bar", days, tokens, _told(days, [f.tokens for f in figures], count)),
        Chart(
            *("cost-by-day", "Cost by day, US$", "bar", days, costs),
            _told(days, [f.dollars for f in figures], dollars),
            dollars,
        ),
        Chart("time-by-day", "Time of a reply by day", "line", days, lines, _told(days, most, duration), duration),
        Chart("failed-by-day", "Failed calls by day", "bar", days, failed, _told(days, failed[0].values, count)),
    ]


def _told(days: Sequence[dt.date], values: Sequence[Any], shown: Any) -> str:
    """The range in a sentence."""
    known = [(value, day) for value, day in zip(values, days, strict=True) if value]
    if not known:
        return "Nothing on any day."
    most, least = max(known), min(known)
    if len(known) == 1:
        return f"{shown(most[0])} on {most[1]}, nothing on other days."
    return f"From {shown(least[0])} on {least[1]} to {shown(most[0])} on {most[1]}; {len(known)} days with figures."


def _users(books: Books, asked: Asked, *, limit: int | None) -> Table:
    rows = books.table(asked.question, by=("user",), limit=limit)
    ids = [row.key[0] for row in rows]
    names: dict[int, str] = {}
    for start in range(0, len(ids), USERS_AT_ONCE):
        users = User.objects.filter(pk__in=ids[start : start + USERS_AT_ONCE])
        names |= dict(users.values_list("pk", "username"))
    return Table(
        "users",
        "By user",
        (Column("User", is_number=False), *FIGURES),
        [(names.get(row.key[0], "nobody, or erased"), *_row(row.figures)) for row in rows],
        note=f"The {USERS_SHOWN} with the most tokens; the file has all." if limit and len(rows) == limit else "",
        names_people=True,
    )


def _slowest(total: Part, *, may_read_transcripts: bool) -> Table:
    ids = [pk for _, pk in total.slowest]
    calls = LLMCall.objects.filter(pk__in=ids).select_related("user").order_by("-latency_ms", "-pk")
    columns = (
        Column("Time of the reply", duration, is_number=False),
        Column("Answered", moment, is_number=False),
        Column("Model", is_number=False),
        Column("User", is_number=False),
        Column("Tokens", count),
        Column("Transcript", is_number=False),
    )
    rows = [
        (
            call.latency_ms,
            call.created_at,
            f"{call.provider}/{call.model}",
            call.user and call.user.username,
            call.prompt_tokens + call.completion_tokens,
            _transcript(call.conversation_id) if may_read_transcripts else None,
        )
        for call in calls
    ]
    return Table("slowest", f"The {SLOWEST} slowest turns", columns, rows, names_people=True)


def _transcript(conversation_id: int | None) -> Link | None:
    if conversation_id is None:
        return None
    href = reverse("admin:conversations_conversation_change", args=[conversation_id])
    return Link(f"Conversation {conversation_id}", href)
