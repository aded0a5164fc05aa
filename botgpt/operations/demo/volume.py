"""Large amounts of made-up conversations, to see how everything behaves when there is much of it.

The rows are as the application would have written them: counters, the chain of parents, the active end, the ledger and
what it adds up to agree. Each batch is one transaction, so that an interrupted run leaves whole conversations behind.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from botgpt.accounts.models import User
from conversations.models import Conversation, Message
from llm import allowances
from llm.limits import units
from llm.models import LLMCall

from .rows import Row, reserve, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLE: Final = "sample-"  # begins the names of the users
USERS_A_BATCH: Final = 20_000
CONVERSATIONS_A_BATCH: Final = 5_000
TURNS_A_BATCH: Final = 10_000
SPAN = dt.timedelta(days=365)
PACE = dt.timedelta(minutes=1)  # between two turns of a conversation
THINKING = dt.timedelta(seconds=3)
QUESTIONS = (
    "How often does the machine have to be descaled?",
    "Which temperature suits a dark roast?",
    "The display shows E3. What can I do?",
    "Can a gift be returned?",
    "How long does a repair take?",
    "What does a new gasket cost?",
    "Is the grinder under warranty for three years too?",
)
ANSWER = "This is a made-up answer of sample data, number {}. It was written by no model and cites no document."
PROVIDER = "sample"
MODELS = ("sample-small", "sample-large")
PRICES = {"sample-small": (Decimal("0.1"), Decimal("0.5")), "sample-large": (Decimal("0.15"), Decimal("0.75"))}
PRICE_TEXTS = {
    name: json.dumps({"input_mtok": str(given), "output_mtok": str(gained)}) for name, (given, gained) in PRICES.items()
}
FEEDBACK = {1: "up", 2: "up", 3: "down"}  # of every twenty replies
FAILED_EVERY = 40  # replies: one came at the second attempt

USER = ("id", "username", "password", "created_at")
CONVERSATION = (
    *("id", "user_id", "title", "message_count", "active_leaf_id", "created_at", "updated_at", "activity_at"),
)
MESSAGE = (
    *("id", "conversation_id", "parent_id", "role", "content", "tokens_used", "model_used", "citations", "feedback"),
    *("created_at", "updated_at"),
)
CALL = (
    *("id", "user_id", "conversation_id", "message_id", "provider", "model", "attempt", "outcome", "prompt_tokens"),
    *("completion_tokens", "cost", "price", "latency_ms", "created_at"),
)


@dataclass(frozen=True, slots=True)
class Volume:
    """How much there is to make, or was made."""

    users: int
    conversations: int
    messages: int

    def whole(self) -> Volume:
        """The same, rounded up to what can exist: messages come in pairs, and every conversation has a pair."""
        conversations = self.conversations or int(self.messages > 0)
        return Volume(self.users, conversations, 2 * max(conversations, (self.messages + 1) // 2))


def fill(volume: Volume, *, owner: User, progress: Callable[[int], object]) -> None:
    """Make it all: the conversations spread evenly over the new users and the last year, the oldest first.

    Args:
        volume: a whole one.
        owner: who gets the conversations when no users are to be made.
        progress: told how many messages were written since it was last told.
    """
    owners = list(_add_users(volume.users)) or [owner.pk]
    plans = _plans(volume, owners)
    while batch := list(_next_batch(plans)):
        with transaction.atomic():
            _write(batch)
        progress(2 * sum(plan.turns for plan in batch))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A conversation that is to be written; `ends` is when its last reply came."""

    number: int
    user_id: int
    turns: int
    ends: dt.datetime


def _add_users(count: int) -> Iterator[int]:
    mark = secrets.token_hex(3)  # tells the users of this run from those of earlier ones
    password, now = make_password(None), timezone.now()  # with which nobody can log in
    for start in range(0, count, USERS_A_BATCH):
        numbers = range(start, min(start + USERS_A_BATCH, count))
        with transaction.atomic():
            keys = reserve(User, len(numbers))
            names = (f"{SAMPLE}{mark}-{n:07}" for n in numbers)
            write(User, USER, ((key, name, password, now) for key, name in zip(keys, names, strict=True)))
        yield from keys


def _plans(volume: Volume, owners: list[int]) -> Iterator[_Plan]:
    count, turns, now = volume.conversations, volume.messages // 2, timezone.now()
    for number in range(count):
        yield _Plan(
            number=number,
            user_id=owners[number % len(owners)],
            turns=turns // count + (number < turns % count),
            ends=now - SPAN * ((count - number - 1) / count),
        )


def _next_batch(plans: Iterator[_Plan]) -> Iterator[_Plan]:
    turns = 0
    for plan in islice(plans, CONVERSATIONS_A_BATCH):
        yield plan
        turns += plan.turns
        if turns >= TURNS_A_BATCH:
            return


def _write(batch: list[_Plan]) -> None:
    conversations: list[Row] = []
    messages: list[Row] = []
    calls: list[Row] = []
    keys = iter(reserve(Message, 2 * sum(plan.turns for plan in batch)))
    for plan, key in zip(batch, reserve(Conversation, len(batch)), strict=True):
        own = list(_messages(plan, key, keys))
        messages += own
        calls += _calls(plan, key, own)
        first, last = own[0], own[-1]
        title = f"{QUESTIONS[plan.number % len(QUESTIONS)]} ({plan.number + 1})"
        conversations.append((key, plan.user_id, title, 2 * plan.turns, last[0], first[-1], plan.ends, plan.ends))
    write(Conversation, CONVERSATION, conversations)
    write(Message, MESSAGE, messages)
    write(LLMCall, CALL, ((key, *call) for key, call in zip(reserve(LLMCall, len(calls)), calls, strict=True)))
    _add_up(batch, calls)


def _messages(plan: _Plan, conversation: int, keys: Iterator[int]) -> Iterator[Row]:
    parent = None
    for turn in range(plan.turns):
        replied = plan.ends - PACE * (plan.turns - turn - 1)
        asked = replied - THINKING
        question, reply, place = next(keys), next(keys), plan.number + turn
        text = QUESTIONS[place % len(QUESTIONS)]
        yield question, conversation, parent, "user", text, 0, None, "[]", None, asked, asked
        text, model, given = ANSWER.format(turn + 1), MODELS[place % 3 == 0], FEEDBACK.get(place % 20)
        yield reply, conversation, question, "assistant", text, sum(_tokens(turn)), model, "[]", given, replied, replied
        parent = reply


def _tokens(turn: int) -> tuple[int, int]:
    """Of the prompt, which grows with the history, and of the answer."""
    return 80 + 40 * min(turn, 50), 20 + turn % 200


def _calls(plan: _Plan, conversation: int, messages: list[Row]) -> Iterator[Row]:
    for turn, message in enumerate(messages[1::2]):
        reply, model, at, attempt = message[0], message[6], message[-1], 1
        whose = (plan.user_id, conversation, reply, PROVIDER, model)
        if (plan.number + turn) % FAILED_EVERY == 0:
            yield *whose, attempt, "timeout", 0, 0, None, None, 1_000, at
            attempt = 2
        sent, gained = _tokens(turn)
        per_sent, per_gained = PRICES[model]
        cost = (sent * per_sent + gained * per_gained) / 1_000_000
        yield *whose, attempt, "ok", sent, gained, cost, PRICE_TEXTS[model], 400 + 7 * gained, at


def _add_up(batch: list[_Plan], calls: list[Row]) -> None:
    """Count the conversations of their owners, and add the calls to what they spent."""
    users_by_count = defaultdict(list)
    for user_id, count in Counter(plan.user_id for plan in batch).items():
        users_by_count[count].append(user_id)
    for count, user_ids in users_by_count.items():
        User.objects.filter(pk__in=user_ids).update(conversation_count=F("conversation_count") + count)
    spent: dict[tuple[int, dt.date], list[int]] = defaultdict(lambda: [0, 0])
    for user_id, *_, sent, gained, cost, _price, _latency, at in calls:
        amounts = spent[user_id, at.date()]
        amounts[0] += sent + gained
        amounts[1] += units(cost or Decimal(0))
    allowances.add_all(allowances.Spent(user_id, day, tokens, cost) for (user_id, day), (tokens, cost) in spent.items())
