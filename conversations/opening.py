"""Opens turns: the question, complete, and its reply, empty and running, in one short transaction.

The reply's row is the conversation's lock, and with an idempotency key the same transaction makes the request known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from documents.statements import insert
from llm.replies import check_question

from .abandoned import give_up_if_abandoned
from .models import Conversation, Message
from .titles import title_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from botgpt.accounts.models import User
    from documents.models import Document

    from .idempotency import Once

Status = Message.Status


class TurnInProgress(Exception):
    """Another reply is being generated in this conversation.

    Attributes:
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, *, retry_after: int) -> None:
        super().__init__("A reply is being generated in this conversation.")
        self.retry_after = retry_after


class ConversationGone(Exception):
    """The conversation was deleted while its reply was being generated."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a question is asked.

    Attributes:
        model: one of `registry.configured_models`, asked first; empty for the chain's own order.
        once: what makes a repetition of the request known; None when it cannot be.
    """

    model: str = ""
    once: Once | None = None


PLAINLY = Asking()


@dataclass(frozen=True, slots=True)
class Before:
    """What a conversation's row held before a turn was opened, to undo that."""

    active_leaf_id: int | None
    activity_at: datetime
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its reply.

    Attributes:
        is_replay: the request came before, and this is its turn, which may still be running.
        added: the messages that came with it.
        before: None when the conversation came with it, too.
        is_promised: its sender has been told that the reply will come.
        timings: the seconds of the reply's parts, see `Reply`.
    """

    conversation: Conversation
    question: Message
    reply: Message
    asking: Asking = PLAINLY
    is_replay: bool = False
    added: int = 2
    before: Before | None = None
    is_promised: bool = False
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def is_regeneration(self) -> bool:
        """Whether the question has been answered before."""
        return self.added == 1


def open_conversation(
    *, user: User, first_message: str, mode: str, documents: Sequence[Document] = (), asking: Asking = PLAINLY
) -> Turn:
    """Create a conversation with its first question.

    Raises:
        QuestionTooLong: nothing is stored.
        KeyReused: likewise; the key came with another request.
    """
    grounded = mode == Conversation.Mode.RAG
    check_question(first_message, grounded=grounded)

    def store() -> Turn:
        conversation = Conversation(user=user, title=title_from(first_message), mode=mode, message_count=2)
        conversation.store()
        if grounded:
            conversation.link(documents)
        question = _add_question(conversation, first_message, parent_id=None)
        reply = _add_reply(question)
        conversation.begin_with(reply)
        return Turn(conversation, question, reply, asking=asking)

    return _open(store, asking=asking)


def open_turn(conversation: Conversation, *, question: str, asking: Asking = PLAINLY) -> Turn:
    """Add a question at the end of the active branch.

    Raises:
        QuestionTooLong, KeyReused: see `open_conversation`.
        TurnInProgress: another turn is running; nothing is stored.
        ConversationGone: it was deleted.
    """
    check_question(question, grounded=conversation.is_grounded)

    def store() -> Turn:
        asked = _add_question(conversation, question, parent_id=conversation.active_leaf_id)
        return _recorded(conversation, asked, added=2, asking=asking)

    return _open(store, asking=asking, conversation=conversation)


def open_edit(message: Message, *, question: str, asking: Asking = PLAINLY) -> Turn:
    """Ask another question in the place of one; the old one and what followed stay as a branch. Raises as above."""
    conversation = message.conversation
    check_question(question, grounded=conversation.is_grounded)

    def store() -> Turn:
        asked = _add_question(conversation, question, parent_id=message.parent_id)
        return _recorded(conversation, asked, added=2, asking=asking)

    return _open(store, asking=asking, conversation=conversation)


def open_regeneration(question: Message, *, asking: Asking = PLAINLY) -> Turn:
    """Ask a question again; the replies that it has stay as branches. Raises as above."""
    conversation = question.conversation

    def store() -> Turn:
        return _recorded(conversation, question, added=1, asking=asking)

    return _open(store, asking=asking, conversation=conversation)


def undo(turn: Turn) -> None:
    """Take back what opening stored: no model could be asked, and the sender is told so."""
    conversation = turn.conversation
    with transaction.atomic():
        if turn.before is None:
            conversation.delete()
            return
        new = [turn.reply.pk] if turn.added == 1 else [turn.reply.pk, turn.question.pk]
        # The next turn may have been opened already, if this one was taken for abandoned.
        Conversation.objects.filter(pk=conversation.pk, active_leaf=turn.reply).update(
            active_leaf=turn.before.active_leaf_id,
            activity_at=turn.before.activity_at,
            updated_at=turn.before.updated_at,
        )
        Conversation.objects.filter(pk=conversation.pk).update(message_count=F("message_count") - turn.added)
        Message.objects.filter(pk__in=new).delete()


def _open(store: Callable[[], Turn], *, asking: Asking, conversation: Conversation | None = None) -> Turn:
    once = asking.once
    if once and (turn := _replayed(once)):
        return turn
    for is_last in (False, True):
        try:
            with transaction.atomic():
                turn = store()
                if once:
                    once.record(turn.reply)
        except IntegrityError as exc:
            if once and (turn := _replayed(once)):
                return turn
            if conversation is None:
                raise
            if is_last:
                raise TurnInProgress(retry_after=1) from exc
            _take_over(conversation)
        else:
            return turn
    raise AssertionError("unreachable")


def _replayed(once: Once) -> Turn | None:
    if (reply := once.earlier_reply()) is None:
        return None
    assert reply.parent is not None  # noqa: S101  a reply has its question
    return Turn(reply.conversation, reply.parent, reply, is_replay=True)


def _recorded(conversation: Conversation, question: Message, *, added: int, asking: Asking) -> Turn:
    before = Before(conversation.active_leaf_id, conversation.activity_at, conversation.updated_at)
    reply = _add_reply(question)
    conversation.record_turn(leaf=reply, added=added)
    return Turn(conversation, question, reply, asking=asking, added=added, before=before)


def _add_question(conversation: Conversation, text: str, *, parent_id: int | None) -> Message:
    now = timezone.now()
    question = Message(
        conversation=conversation,
        parent_id=parent_id,
        role=Message.Role.USER,
        content=text,
        created_at=now,
        updated_at=now,
    )
    insert(question)
    return question


def _add_reply(question: Message) -> Message:
    now = timezone.now()
    reply = Message(
        conversation=question.conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        status=Status.IN_PROGRESS,
        created_at=now,
        updated_at=now,
    )
    insert(reply)
    return reply


def _take_over(conversation: Conversation) -> None:
    """Free the conversation from a turn whose process is gone: its heartbeat is older than any deadline.

    Raises:
        TurnInProgress: the running turn is alive.
        ConversationGone: the conversation is not there any more.
    """
    running = conversation.messages.filter(status=Status.IN_PROGRESS).first()
    if running is None:
        if not Conversation.objects.filter(pk=conversation.pk).exists():
            raise ConversationGone
        raise TurnInProgress(retry_after=1)
    if not give_up_if_abandoned(running):
        raise TurnInProgress(retry_after=2)
    conversation.refresh_from_db(fields=["active_leaf"])
