"""Large amounts of made-up conversations, to see how everything behaves when there is much of it.

The rows are as the application would have written them: counters, the chain of parents and the active end agree. Each
batch is one transaction, so that an interrupted run leaves whole conversations behind.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from botgpt.accounts.models import User
from conversations.models import Conversation, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SAMPLE: Final = "sample-"  # begins the names of the users
USERS_A_BATCH: Final = 5_000
CONVERSATIONS_A_BATCH: Final = 500
TURNS_A_BATCH: Final = 5_000
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
VERDICTS = {3: Message.Feedback.UP, 7: Message.Feedback.UP, 11: Message.Feedback.UP, 19: Message.Feedback.DOWN}
ANSWER = "This is a made-up answer of sample data, number {}. It was written by no model and cites no document."


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
    for start in range(0, count, USERS_A_BATCH):
        numbers = range(start, min(start + USERS_A_BATCH, count))
        users = [User(username=f"{SAMPLE}{mark}-{n:07}", password=make_password(None)) for n in numbers]
        yield from (user.pk for user in User.objects.bulk_create(users))


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
    conversations = Conversation.objects.bulk_create(
        Conversation(
            user_id=plan.user_id,
            title=f"{QUESTIONS[plan.number % len(QUESTIONS)]} ({plan.number + 1})",
            message_count=2 * plan.turns,
            activity_at=plan.ends,
            updated_at=plan.ends,
        )
        for plan in batch
    )
    Message.objects.bulk_create(_messages(batch, conversations), batch_size=TURNS_A_BATCH)
    _connect([conversation.pk for conversation in conversations])
    users_by_count = defaultdict(list)
    for user_id, count in Counter(plan.user_id for plan in batch).items():
        users_by_count[count].append(user_id)
    for count, user_ids in users_by_count.items():
        User.objects.filter(pk__in=user_ids).update(conversation_count=F("conversation_count") + count)


def _messages(batch: list[_Plan], conversations: Iterable[Conversation]) -> Iterator[Message]:
    for plan, conversation in zip(batch, conversations, strict=True):
        for turn in range(plan.turns):
            replied = plan.ends - PACE * (plan.turns - turn - 1)
            asked = replied - THINKING
            yield Message(
                conversation=conversation,
                role=Message.Role.USER,
                content=QUESTIONS[(plan.number + turn) % len(QUESTIONS)],
                created_at=asked,
                updated_at=asked,
            )
            yield Message(
                conversation=conversation,
                role=Message.Role.ASSISTANT,
                content=ANSWER.format(turn + 1),
                tokens_used=100 + turn % 400,
                model_used="sample",
                feedback=VERDICTS.get((plan.number + turn) % 23),
                created_at=replied,
                updated_at=replied,
            )


def _connect(conversation_ids: list[int]) -> None:
    """Chain the messages of each conversation in the order of their times, and make the last one its active end."""
    earlier = Message.objects.filter(conversation=OuterRef("conversation"), created_at__lt=OuterRef("created_at"))
    Message.objects.filter(conversation__in=conversation_ids).update(
        parent=Subquery(earlier.order_by("-created_at").values("pk")[:1])
    )
    own = Message.objects.filter(conversation=OuterRef("pk"))
    Conversation.objects.filter(pk__in=conversation_ids).update(
        active_leaf=Subquery(own.order_by("-created_at").values("pk")[:1]),
        created_at=Subquery(own.order_by("created_at").values("created_at")[:1]),
    )
