"""The rows that both sides begin with: the same users, conversations and messages, in each one's tables."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENDER, SMALL, LARGE, TALKER = 1, 2, 3, 4  # users: starts conversations, owns a thousand, owns many, has long ones
WORDS = "where when which answer question order delivery invoice parcel return refund window system report".split()
MESSAGE_CHARS = 400
BEGAN = dt.datetime(2026, 1, 1, 0, 0, 0, 123_456, tzinfo=dt.UTC)
KEPT = 24  # messages of a long conversation that its summary does not stand for yet: half of the default window


@dataclass(frozen=True, slots=True)
class Stock:
    """Some conversations of one user that are alike."""

    user: int
    conversations: int
    messages: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything there is; ids are given out in this order, from 1."""

    stocks: tuple[Stock, ...]

    def ids(self, *, messages: int) -> range:
        """The talker's conversations of so many messages."""
        first = 1
        for stock in self.stocks:
            if stock.user == TALKER and stock.messages == messages:
                return range(first, first + stock.conversations)
            first += stock.conversations
        raise LookupError(messages)


def everything(*, large: int) -> Rows:
    """Enough of each kind that a run does not make the short ones long.

    Args:
        large: conversations of the owner of many.
    """
    return Rows(
        (
            Stock(SMALL, 1_000, 2),
            Stock(LARGE, large, 2),
            Stock(TALKER, 1_000, 2),
            Stock(TALKER, 2_000, 20),
            Stock(TALKER, 400, 200),
            Stock(TALKER, 100, 5_000),
            Stock(TALKER, 50, 100),
        )
    )


OURS: Final = (
    "INSERT INTO conversations (id, user_id, title, mode, created_at, updated_at, message_count, activity_at,"
    " active_leaf_id, summary, summarized_through) VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO messages (id, conversation_id, parent_id, role, content, tokens_used, model_used, created_at,"
    " updated_at, status, citations, cached, restarts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'complete', '[]', 0, 0)",
)
REFERENCE: Final = (
    "INSERT INTO conversations (id, user_id, title, mode, created_at, updated_at) VALUES (?, ?, ?, 'open', ?, ?)",
    "INSERT INTO messages (id, conversation_id, role, content, tokens_used, model_used, created_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)",
)


def fill_ours(path: Path, rows: Rows) -> None:
    """Into our tables. The long ones have a summary, as they would have after so many turns."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous=OFF")
        last = 0
        for pk, stock, began in _conversations(rows):
            first, last, ended = last + 1, last + stock.messages, _at(began, stock.messages)
            is_long = stock.user == TALKER and stock.messages > 2 * KEPT
            summary = ("They talked about orders. " * 20, last - KEPT) if is_long else ("", None)
            values = (pk, stock.user, f"Conversation {pk}", _text(began), ended, stock.messages, ended, last, *summary)
            database.execute(OURS[0], values)
            database.executemany(
                OURS[1],
                (
                    (number, pk, number - 1 if number > first else None, role, text, used, model, at, at)
                    for number, (role, text, used, model, at) in enumerate(_messages(stock, began), start=first)
                ),
            )
        for user in (SMALL, LARGE, TALKER):
            owned = sum(stock.conversations for stock in rows.stocks if stock.user == user)
            database.execute("UPDATE users SET conversation_count = ? WHERE id = ?", (owned, user))
        database.execute("ANALYZE")
        database.commit()


def fill_reference(path: Path, rows: Rows) -> None:
    """Into the reference's tables, which it has made when it was imported."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous=OFF")
        users = [(pk, f"user{pk}", _text(BEGAN)) for pk in (SENDER, SMALL, LARGE, TALKER)]
        database.executemany("INSERT INTO users (id, username, created_at) VALUES (?, ?, ?)", users)
        last = 0
        for pk, stock, began in _conversations(rows):
            first, last = last + 1, last + stock.messages
            ended = _at(began, stock.messages)
            database.execute(REFERENCE[0], (pk, stock.user, f"Conversation {pk}", _text(began), ended))
            numbered = enumerate(_messages(stock, began), start=first)
            database.executemany(REFERENCE[1], ((number, pk, *message) for number, message in numbered))
        database.execute("ANALYZE")
        database.commit()


def _conversations(rows: Rows) -> Iterator[tuple[int, Stock, dt.datetime]]:
    chance, pk = random.Random(1), 0
    for stock in rows.stocks:
        for _ in range(stock.conversations):
            pk += 1
            yield pk, stock, BEGAN + dt.timedelta(seconds=chance.randrange(20_000_000))


def _messages(stock: Stock, began: dt.datetime) -> Iterator[tuple[str, str, int, str | None, str]]:
    """Role, text, tokens, model and time of each."""
    chance = random.Random(stock.messages)
    for number in range(stock.messages):
        text = " ".join(chance.choices(WORDS, k=80))[:MESSAGE_CHARS]
        replies = number % 2 == 1
        yield (
            "assistant" if replies else "user",
            text,
            110 if replies else 0,
            "llama" if replies else None,
            _at(began, number),
        )


def _at(began: dt.datetime, number: int) -> str:
    return _text(began + dt.timedelta(seconds=30 * number))


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")  # as both ORMs write it
