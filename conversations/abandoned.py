"""Gives up replies whose process is gone, so that their conversations go on and their costs are known.

A reply that workers have is not given up so soon: another one is told of it.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from llm import booking, ledger
from llm.types import Attribution

from .jobs import Job, order_again
from .models import Message

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)


def give_up_if_abandoned(reply: Message) -> bool:
    """End a running reply whose heartbeat is older than a turn's deadline; False if it may still come."""
    now = timezone.now()
    if reply.status != Message.Status.IN_PROGRESS or reply.updated_at >= now - dt.timedelta(
        seconds=settings.LLM_TURN_SECONDS
    ):
        return False
    if Job.of(reply) is None:
        return give_up(reply, why="The process that generated it stopped.")
    if reply.created_at < now - dt.timedelta(seconds=settings.TURN_QUEUE_SECONDS):
        return give_up(reply, why="No worker has answered it in time.")
    # The queue may be long, or what was in it is lost: one of those who ask tells the workers again.
    if _unchanged(reply).update(updated_at=now):
        order_again(reply.pk)
    return False


def give_up_all_abandoned() -> int:
    """Look at every reply that nobody may be asking for; how many were given up."""
    before = timezone.now() - dt.timedelta(seconds=settings.LLM_TURN_SECONDS)
    silent = Message.objects.filter(status=Message.Status.IN_PROGRESS, updated_at__lt=before)
    return sum(give_up_if_abandoned(reply) for reply in silent.iterator())


def give_up(reply: Message, *, why: str) -> bool:
    """Mark a running reply `incomplete`, with the text it has, unless its row has changed since it was read."""
    if not _unchanged(reply).update(status=Message.Status.INCOMPLETE, updated_at=timezone.now(), error=why):
        return False
    logger.warning("Reply %s was given up; conversation %s goes on: %s", reply.pk, reply.conversation_id, why)
    job = Job.of(reply)
    if job is None or job.attempts:
        book_lost_call(reply)
    count_tokens(reply)
    return True


def count_tokens(reply: Message) -> None:
    """Have the row say what all calls for the reply took, also those of processes that have lost it."""
    Message.objects.filter(pk=reply.pk).update(tokens_used=ledger.tokens_of(message_id=reply.pk))


def book_lost_call(reply: Message) -> None:
    """Book the call that a process was waiting for when it ended, of unknown cost: nobody was there to write it."""
    booking.book_abandoned(
        Attribution(user_id=reply.conversation.user_id, conversation_id=reply.conversation_id, message_id=reply.pk)
    )


def _unchanged(reply: Message) -> QuerySet[Message]:
    return Message.objects.filter(pk=reply.pk, status=Message.Status.IN_PROGRESS, updated_at=reply.updated_at)
