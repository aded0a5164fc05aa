"""Writes a call that was made to a provider into the ledger, and onto its user's allowance.

The call that answers a turn is held back for a moment and written in one transaction with its answer: a commit less.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import Error, IntegrityError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from documents.statements import insert

from . import budgets, pricing
from .durable import durably
from .events import llm_called
from .models import LLMCall

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from .types import Attribution, Usage

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

ERROR_CHARS = 500
MISSING = "A ledger row was not written: %s"
REFERENCES = ("message_id", "conversation_id", "user_id")  # in the order in which a deletion takes them
COMPUTED = ("cost", "price")  # of the other fields; the database may round them


@dataclass(slots=True)
class Tally:
    """What was booked: tokens, US dollars, and how many calls have no known cost."""

    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0


@dataclass(slots=True)
class Call:
    """A call that is to be booked.

    Attributes:
        tried_at: when that was tried first. Since then its row may be there, and nobody was told.
    """

    fields: dict[str, Any]
    tried_at: dt.datetime | None = None

    def stored(self) -> LLMCall | None:
        """The row of an earlier try, whose COMMIT was done while its answer got lost."""
        if self.tried_at is None:
            return None
        same = {name: value for name, value in self.fields.items() if name not in COMPUTED}
        return LLMCall.objects.filter(created_at__gte=self.tried_at, **same).first()


@dataclass(slots=True)
class Answers:
    """Calls that have answered, to be booked with what they paid for."""

    calls: list[Call] = field(default_factory=list)

    def book_with(self, write: Callable[[], Result]) -> Result:
        """Run a write durably, in one transaction with the rows of the calls; without those that cannot be written.

        Args:
            write: as `durably` wants it.

        Raises:
            OperationalError, InterfaceError: as `durably`; then the calls are still held back.
        """
        if not self.calls:
            return durably(write)

        def write_all() -> tuple[list[LLMCall], Result]:
            with transaction.atomic():
                return [_insert(call) for call in self.calls], write()

        try:
            rows, result = durably(write_all)
        except (OperationalError, InterfaceError):  # the database was away for long, or is for the ledger alone
            result = durably(write)
            self.book()
            return result
        except Error:  # what they refer to was deleted during the call, say
            self.book()
            return durably(write)
        self.calls.clear()
        for row in rows:
            llm_called.send_robust(sender=None, call=row)
        return result

    def book(self) -> None:
        """Book what is still held back, alone."""
        while self.calls:
            _book_alone(self.calls.pop(0))


_tallies: ContextVar[tuple[Tally, ...]] = ContextVar("tallies", default=())
_answers: ContextVar[Answers | None] = ContextVar("answers", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Add up what this thread books within the block; an outer tally counts it too."""
    tally = Tally()
    token = _tallies.set((*_tallies.get(), tally))
    try:
        yield tally
    finally:
        _tallies.reset(token)


@contextmanager
def answers_held_back() -> Iterator[Answers]:
    """Hold back the calls that answer within the block, for `book_with`; what is left in the end is booked alone."""
    answers = Answers()
    token = _answers.set(answers)
    try:
        yield answers
    finally:
        _answers.reset(token)
        answers.book()


def book(  # noqa: PLR0913  a ledger row has as many sides
    attribution: Attribution,
    *,
    provider: str,
    model: str,
    attempt: int,
    outcome: str,
    usage: Usage | None,
    seconds: float,
    error: str = "",
    place: int = 1,
) -> None:
    """Write one row, and what it cost onto the user's allowance: both or neither.

    What cannot be written is logged instead, and nothing raised: the answer has been paid for.

    Args:
        usage: None when tokens may have been used and nobody said how many.
    """
    cost, price = pricing.price(provider=provider, model=model, usage=usage)
    fields: dict[str, Any] = {
        "user_id": attribution.user_id,
        "conversation_id": attribution.conversation_id,
        "message_id": attribution.message_id,
        "purpose": attribution.purpose,
        "request_id": attribution.request_id,
        "provider": provider,
        "model": model,
        "attempt": attempt,
        "place": place,
        "outcome": outcome,
        "error": error[:ERROR_CHARS],
        "prompt_tokens": usage.prompt_tokens if usage else 0,
        "completion_tokens": usage.completion_tokens if usage else 0,
        "cached_tokens": usage.cached_tokens if usage else 0,
        "estimated": usage.estimated if usage else False,
        "cost": cost,
        "price": price,
        "latency_ms": round(seconds * 1000),
    }
    for tally in _tallies.get():
        tally.tokens += usage.total_tokens if usage else 0
        tally.cost += cost or 0
        tally.unpriced += cost is None
    answers = _answers.get()
    if answers is not None and outcome == LLMCall.Outcome.OK and attribution.purpose == LLMCall.Purpose.REPLY:
        answers.calls.append(Call(fields))
    else:
        _book_alone(Call(fields))


def book_abandoned(attribution: Attribution) -> None:
    """The row of a call whose process ended before the answer came; which model it asked is not known any more."""
    book(
        attribution,
        provider="",
        model="",
        attempt=1,
        outcome=LLMCall.Outcome.ABANDONED,
        usage=None,
        seconds=0.0,
        error="The process ended during the call.",
    )


def _book_alone(call: Call) -> None:
    try:
        row = durably(lambda: _write(call))
    except Error:
        logger.exception(MISSING, call.fields)
    else:
        llm_called.send_robust(sender=None, call=row)


def _write(call: Call) -> LLMCall:
    for reference in REFERENCES:
        try:
            return _insert(call)
        except IntegrityError:
            call.fields[reference] = None  # it was deleted during the call
    call.fields |= {"request_id": "", "error": ""}  # and with the user everything that leads to them
    return _insert(call)


def _insert(call: Call) -> LLMCall:
    # A caller's transaction fails with ours. References are checked when it ends, so never inside.
    with transaction.atomic(savepoint=False):
        if (row := call.stored()) is None:
            call.tried_at = call.tried_at or timezone.now()
            row = LLMCall(**call.fields)
            insert(row)
            if row.user_id is not None:
                tokens = row.prompt_tokens + row.completion_tokens
                budgets.settle(user_id=row.user_id, tokens=tokens, cost=row.cost, at=row.created_at)
    return row
