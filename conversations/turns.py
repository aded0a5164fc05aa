"""The turn: a question goes in, a reply is stored, and nothing on the way can lose the question.

Open (one short transaction) → generate (nothing held) → close (one statement). The reply row is written when the turn
opens; while it is `in_progress`, a unique constraint keeps every other turn out of the conversation.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from llm.durable import durably
from llm.providers.offline import OFFLINE
from llm.replies import Reply, check_question, generate_reply
from llm.types import Attribution, HistoryMessage

from .models import Conversation, Message
from .titles import title_from
from .turn_signals import announced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from botgpt.accounts.models import User
    from documents.models import Document

logger = logging.getLogger(__name__)

Status = Message.Status
GRACE_SECONDS = 60  # what a live turn may need beyond its deadline: resolving names, a write that waits for a lock


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
class Turn:
    """A question and its reply. `timings` are the seconds of the reply's parts, see `Reply`."""

    conversation: Conversation
    question: Message
    reply: Message
    document_ids: Sequence[int] = ()
    timings: dict[str, float] = field(default_factory=dict)


def start_conversation(*, user: User, first_message: str, mode: str, documents: Sequence[Document] = ()) -> Turn:
    """Create a conversation and answer its first message.

    Raises:
        QuestionTooLong: nothing is stored.
        ConversationGone: it was deleted before the reply was there.
    """
    grounded = mode == Conversation.Mode.RAG
    check_question(first_message, grounded=grounded)
    with transaction.atomic():
        conversation = Conversation.objects.create(
            user=user, title=title_from(first_message), mode=mode, message_count=2
        )
        get_user_model().objects.filter(pk=user.pk).update(conversation_count=F("conversation_count") + 1)
        if grounded:
            conversation.link(documents)
        question, reply = _add_rows(conversation, first_message, parent_id=None)
        Conversation.objects.filter(pk=conversation.pk).update(active_leaf=reply)
    conversation.active_leaf = reply
    turn = Turn(conversation, question, reply, document_ids=[d.pk for d in documents] if grounded else ())
    return _run(turn)


def take_turn(conversation: Conversation, *, question: str) -> Turn:
    """Add a question to the active branch and answer it.

    Raises:
        QuestionTooLong: nothing is stored.
        TurnInProgress: another turn is running; nothing is stored.
        ConversationGone: it was deleted before the reply was there.
    """
    check_question(question, grounded=conversation.is_grounded)
    try:
        turn = _open(conversation, question)
    except IntegrityError:
        _take_over(conversation)
        try:
            turn = _open(conversation, question)
        except IntegrityError as exc:
            raise TurnInProgress(retry_after=1) from exc
    return _run(turn)


def _open(conversation: Conversation, text: str) -> Turn:
    with transaction.atomic():
        question, reply = _add_rows(conversation, text, parent_id=conversation.active_leaf_id)
        conversation.record_turn(leaf=reply, added=2)
    return Turn(conversation, question, reply, document_ids=conversation.document_ids or ())


def _add_rows(conversation: Conversation, text: str, *, parent_id: int | None) -> tuple[Message, Message]:
    """The question, complete, and the reply, empty and running. The reply's row is the conversation's lock."""
    now = timezone.now()
    question = Message.objects.create(
        conversation=conversation,
        parent_id=parent_id,
        role=Message.Role.USER,
        content=text,
        created_at=now,
        updated_at=now,
    )
    reply = Message.objects.create(
        conversation=conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        status=Status.IN_PROGRESS,
        created_at=now,
        updated_at=now,
    )
    return question, reply


def _take_over(conversation: Conversation) -> None:
    """Free the conversation from a turn whose process is gone: its heartbeat is older than any deadline.

    Raises:
        TurnInProgress: the running turn is alive.
        ConversationGone: the conversation is not there any more.
    """
    deadline = dt.timedelta(seconds=settings.LLM_TURN_SECONDS + GRACE_SECONDS)
    now = timezone.now()
    abandoned = conversation.messages.filter(status=Status.IN_PROGRESS, updated_at__lt=now - deadline)
    if abandoned.update(status=Status.INCOMPLETE, updated_at=now, error="The process that generated it stopped."):
        logger.warning("Took conversation %s over from an abandoned turn", conversation.pk)
        conversation.refresh_from_db(fields=["active_leaf"])
        return
    heartbeat = conversation.messages.filter(status=Status.IN_PROGRESS).values_list("updated_at", flat=True).first()
    if heartbeat is None and not Conversation.objects.filter(pk=conversation.pk).exists():
        raise ConversationGone
    raise TurnInProgress(retry_after=2 if heartbeat else 1)


@announced
def _run(turn: Turn) -> Turn:
    """Generate the reply and close the turn, also when something unforeseen breaks."""
    conversation = turn.conversation
    try:
        reply = generate_reply(
            question=turn.question.content,
            history=_history(conversation, through=turn.question.parent_id),
            summary=conversation.summary,
            document_ids=turn.document_ids if conversation.is_grounded else None,
            attribution=Attribution(
                user_id=conversation.user_id,
                conversation_id=conversation.pk,
                message_id=turn.reply.pk,
                request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
            ),
        )
    except BaseException:
        _close(turn, Reply(text=settings.FALLBACK_REPLY, status="failed", error="An unexpected error happened."))
        raise
    _close(turn, reply)
    turn.timings.update(reply.timings)
    return turn


def _history(conversation: Conversation, *, through: int | None) -> Iterator[HistoryMessage]:
    """Earlier messages, newest first, as far as they are read.

    Failed and empty replies never enter a context, nor do those of the offline provider, which no model gave.
    """
    if through is None:
        return
    for message in conversation.path(through=through):
        if message.status != Status.FAILED and message.content and message.model_used != OFFLINE:
            yield HistoryMessage(id=message.pk, role=message.role, content=message.content)  # type: ignore[arg-type]


def _close(turn: Turn, reply: Reply) -> None:
    """Write the reply, in one statement: it has been paid for, so a lost connection or a lock is tried again.

    Raises:
        ConversationGone: there is no row left to write it to.
    """
    row = turn.reply
    row.finish(
        content=reply.text,
        status=reply.status,
        tokens_used=reply.tokens_used,
        model_used=reply.model,
        citations=list(reply.citations),
        grounded=reply.grounded,
        context=reply.context,
        error=reply.error,
    )
    if not durably(row.store_result):
        raise ConversationGone
