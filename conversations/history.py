"""What of a conversation goes along with a question: the messages before it, and the summary of the oldest."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from django.conf import settings

from llm.providers.offline import OFFLINE
from llm.types import HistoryMessage, Summary

from .models import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .models import Conversation


def earlier(
    conversation: Conversation, *, through: int | None, summary: Summary | None = None
) -> Iterator[HistoryMessage]:
    """The message `through` and those before it, newest first, as far as they are read; what is summarised is left out.

    Failed and empty replies never enter a context, nor do those of the offline provider, which no model gave.
    """
    if through is None:
        return
    path = conversation.lines(through=through)
    for message in takewhile(lambda message: summary is None or message.id != summary.through, path):
        if message.status != Message.Status.FAILED and message.content and message.model_used != OFFLINE:
            yield HistoryMessage(id=message.id, role=message.role, content=message.content)  # type: ignore[arg-type]


def summary_for(conversation: Conversation, *, through: int | None) -> Summary | None:
    """The conversation's summary, if it was made of messages on the path that ends with `through`.

    A summary of another branch tells what was never said on this one.
    """
    last = conversation.summarized_through
    if not settings.SUMMARIZE_HISTORY or not conversation.summary or last is None or through is None:
        return None
    return Summary(conversation.summary, last) if _leads_to(conversation, last, through) else None


def _leads_to(conversation: Conversation, ancestor: int, message: int) -> bool:
    """Whether `ancestor` is the message or one of its ancestors; a message is stored after its parent."""
    between = conversation.messages.filter(pk__gt=ancestor, pk__lte=message)
    parents = dict(between.values_list("pk", "parent_id"))
    reached: int | None = message
    while reached is not None and reached > ancestor:
        reached = parents.get(reached)
    return reached == ancestor
