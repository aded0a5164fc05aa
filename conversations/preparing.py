"""A question with all that goes along with it: one way for the turns and for the dry run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from llm import replies
from llm.replies import Options
from llm.types import Attribution

from .history import earlier, summary_for

if TYPE_CHECKING:
    from documents.deadline import Cancellation
    from llm.replies import Prepared

    from .models import Conversation
    from .opening import Turn


def for_turn(turn: Turn, *, cancellation: Cancellation) -> Prepared:
    """What is sent for the question of a turn; raises as `replies.prepare`."""
    conversation, through = turn.conversation, turn.question.parent_id
    summary = summary_for(conversation, through=through)
    return replies.prepare(
        question=turn.question.content,
        history=earlier(conversation, through=through, summary=summary),
        summary=summary,
        document_ids=conversation.document_ids,
        attribution=_attribution(conversation, message_id=turn.reply.pk),
        options=Options(model=turn.asking.model, fresh=turn.is_regeneration),
        cancellation=cancellation,
    )


def dry_run(conversation: Conversation, *, question: str) -> Prepared:
    """What would be sent for a question at the end of the active branch. No model is asked, and nothing is stored.

    Raises:
        QuestionTooLong: nothing would be sent.
    """
    through = conversation.active_leaf_id
    summary = summary_for(conversation, through=through)
    return replies.prepare(
        question=question,
        history=earlier(conversation, through=through, summary=summary),
        summary=summary,
        document_ids=conversation.document_ids,
        attribution=_attribution(conversation),
        options=Options(rewrites=False),
    )


def _attribution(conversation: Conversation, *, message_id: int | None = None) -> Attribution:
    return Attribution(
        user_id=conversation.user_id,
        conversation_id=conversation.pk,
        message_id=message_id,
        request_id=structlog.contextvars.get_contextvars().get("request_id", ""),
    )
