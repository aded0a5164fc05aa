"""Ledger, messages, allowance and holds agree after every step, whatever happens in whatever order."""

from __future__ import annotations

import datetime as dt
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import connection, connections
from django.db.models import F, Sum

from conversations.models import Message
from llm.booking import book, tallied
from llm.budgets import BudgetExceeded, Reservation, reserve
from llm.limits import units
from llm.models import Allowance, Budget, Hold, LLMCall
from llm.types import Attribution, Usage
from tests.builders import conversation_of

if TYPE_CHECKING:
    from botgpt.accounts.models import User

BEGIN = dt.datetime(2026, 1, 30, 20, tzinfo=dt.UTC)  # the runs cross midnights and the end of a month
LIMITS: dict[str, Any] = {
    "day_tokens": 9_000,
    "month_tokens": 20_000,
    "day_cost": Decimal("0.005"),
    "month_cost": Decimal("0.01"),
}
MODELS = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "of-unknown-price")


@dataclass(slots=True)
class Turn:
    """A turn under way: what it may still use of what it reserved."""

    user: User
    message: Message
    reservation: Reservation
    left: int
    reserved_at: dt.datetime
    booked: int = 0


@dataclass(slots=True)
class Simulation:
    """Random turns of several users, one step at a time."""

    users: list[User]
    dice: random.Random
    clock: time_machine.Traveller
    turns: list[Turn] = field(default_factory=list)
    refused: int = 0
    finished: list[tuple[int, int]] = field(default_factory=list)  # message, tokens

    def step(self) -> None:
        actions = [self.start, self.start, self.call, self.call, self.call, self.finish, self.crash, self.wait]
        self.dice.choice(actions)()

    def start(self) -> None:
        user = self.dice.choice(self.users)
        tokens = self.dice.randint(100, 6_000)
        try:  # at the price of the dearest model, for an answer, which costs more than a prompt
            reservation = reserve(user_id=user.pk, tokens=tokens, cost=tokens * Decimal("0.6") / 1_000_000)
        except BudgetExceeded:
            self.refused += 1
            return
        message = Message.objects.create(conversation=user.conversations.get(), role="assistant")
        self.turns.append(Turn(user, message, reservation, tokens, self.now))

    @property
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def call(self) -> None:
        """Any call that a turn can make: ended well or not, counted or not, of known price or not."""
        if not self.turns:
            return
        turn = self.dice.choice(self.turns)
        prompt = self.dice.randint(0, turn.left)
        usage = Usage(prompt, self.dice.randint(0, turn.left - prompt), self.dice.randint(0, prompt))
        known = self.dice.random() > 0.2
        with tallied() as tally:
            book(
                Attribution(user_id=turn.user.pk, message_id=turn.message.pk),
                provider="groq",
                model=self.dice.choice(MODELS),
                attempt=1,
                outcome=self.dice.choice(["ok", "timeout", "invalid_response", "cancelled"]),
                usage=usage if known else None,
                seconds=0.1,
            )
        assert tally.tokens == (usage.total_tokens if known else 0)
        turn.left -= tally.tokens
        turn.booked += tally.tokens

    def finish(self) -> None:
        if self.turns:
            turn = self.turns.pop(self.dice.randrange(len(self.turns)))
            Message.objects.filter(pk=turn.message.pk).update(tokens_used=turn.booked)
            self.finished.append((turn.message.pk, turn.booked))
            turn.reservation.release()

    def crash(self) -> None:
        """The process dies: nothing is released, and nothing more is booked."""
        if self.turns and self.dice.random() < 0.5:
            self.turns.pop(self.dice.randrange(len(self.turns)))

    def wait(self) -> None:
        """No turn that lives is older than its deadline."""
        while self.turns:
            self.finish()
        self.clock.shift(dt.timedelta(hours=self.dice.choice([0.1, 1, 5])))

    def check(self) -> None:
        for user in self.users:
            calls = LLMCall.objects.filter(user=user)
            today = self.now.date()
            allowance = Allowance.objects.filter(user=user).first()
            if allowance is None:
                assert not calls.exists()
                continue
            for scope, first in (("day", allowance.day), ("month", allowance.day.replace(day=1))):
                tokens, cost = spent(user, since=first)
                assert (getattr(allowance, f"{scope}_tokens"), getattr(allowance, f"{scope}_cost")) == (tokens, cost)
            held = Hold.objects.filter(user=user).aggregate(tokens=Sum("tokens"), cost=Sum("cost"))
            assert (allowance.reserved_tokens, allowance.reserved_cost) == (held["tokens"] or 0, held["cost"] or 0)
            for scope, first in (("day", today), ("month", today.replace(day=1))):
                tokens, cost = spent(user, since=first)
                assert tokens <= LIMITS[f"{scope}_tokens"]
                assert cost <= units(Decimal(LIMITS[f"{scope}_cost"]))
        for message, tokens in self.finished[-3:]:
            assert Message.objects.get(pk=message).tokens_used == tokens == booked_to(message)


def spent(user: User, *, since: dt.date) -> tuple[int, int]:
    """Tokens and cost of the ledger, the cost in ten-billionths."""
    moment = dt.datetime.combine(since, dt.time(), tzinfo=dt.UTC)
    rows = LLMCall.objects.filter(user=user, created_at__gte=moment)
    return (
        sum(row.prompt_tokens + row.completion_tokens for row in rows),
        sum(units(row.cost) for row in rows if row.cost is not None),
    )


def booked_to(message: int) -> int:
    rows = LLMCall.objects.filter(message=message).order_by()
    return int(rows.aggregate(n=Sum(F("prompt_tokens") + F("completion_tokens")))["n"] or 0)


@pytest.mark.parametrize("seed", range(6))
def test_every_random_course_of_events_adds_up(alice: User, bob: User, seed: int) -> None:
    for user in (alice, bob):
        Budget.objects.create(user=user, **LIMITS)
        conversation_of(user)
    with time_machine.travel(BEGIN, tick=False) as clock:
        course = Simulation([alice, bob], random.Random(seed), clock)
        for number in range(120):
            course.step()
            if number % 4 == 0:
                course.check()
    assert course.refused
    assert course.finished


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite tests/service/test_money.py does the same")
def test_threads_that_spend_at_once_lose_nothing_and_pass_no_limit(alice: User) -> None:
    limit = 30 * 100
    Budget.objects.create(user=alice, day_tokens=limit)

    def turn(number: int) -> bool:
        dice = random.Random(number)
        try:
            with reserve(user_id=alice.pk, tokens=100, cost=None):
                for _ in range(2):
                    book(
                        Attribution(user_id=alice.pk),
                        provider="groq",
                        model="openai/gpt-oss-20b",
                        attempt=1,
                        outcome="ok",
                        usage=Usage(dice.randint(10, 40), 10),
                        seconds=0.1,
                    )
        except BudgetExceeded:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(turn, range(100)))
    allowance = Allowance.objects.get(user=alice)
    assert (allowance.day_tokens, allowance.day_cost) == spent(alice, since=allowance.day)
    assert allowance.day_tokens <= limit
    assert (allowance.reserved_tokens, Hold.objects.count()) == (0, 0)
    assert 30 <= sum(taken) < 100
    assert LLMCall.objects.count() == 2 * sum(taken)
