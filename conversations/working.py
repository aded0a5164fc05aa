"""A worker's side of a reply: takes it, unless another worker is at it, and generates it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from structlog.contextvars import bound_contextvars

from documents.connections import release_connection

from . import turns
from .abandoned import book_lost_call, give_up
from .jobs import Job
from .models import Message
from .opening import Asking, Turn

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 10.0  # without a heartbeat, which comes every two: then the worker that had the reply is gone
MOST_ATTEMPTS: Final = 3  # a reply that has ended so many workers will end the next one, too


def answer(reply_id: int) -> None:
    """Generate a reply that was handed over. Safe to repeat: one that is over or in work is left alone."""
    reply = _waiting(reply_id).select_related("conversation", "parent").first()
    if reply is None or (job := _take(reply)) is None:
        return
    assert reply.parent is not None  # noqa: S101  a reply has its question
    turn = Turn(
        reply.conversation,
        reply.parent,
        reply,
        asking=Asking(model=job.model),
        added=1 if job.fresh else 2,
        is_promised=True,
    )
    with bound_contextvars(request_id=job.request_id):
        turns.carry_out(turn)


def _take(reply: Message) -> Job | None:
    """Make the reply this worker's; None if it is another's, or was given up.

    What an earlier worker had written is discarded, and its followers are told to begin anew. Should that worker live
    after all, it writes nothing more: what it would write to has the job as it knew it.
    """
    job = Job.of(reply)
    assert job is not None  # noqa: S101  only those that have one are read
    if job.attempts:
        release_connection()
        time.sleep(SILENCE_SECONDS)
        if not _unchanged(reply).exists():
            return None
        if job.attempts >= MOST_ATTEMPTS:
            give_up(reply, why="The workers that generated it stopped.")
            return None
    taken = replace(job, attempts=job.attempts + 1)
    restarts = reply.restarts + bool(reply.content)
    now = timezone.now()
    if not _unchanged(reply).update(job=taken.stored(), content="", restarts=restarts, updated_at=now):
        return None
    if job.attempts:
        logger.warning("Reply %s was lost with its worker and is generated again", reply.pk)
        book_lost_call(reply)
    reply.job, reply.content, reply.restarts, reply.updated_at = taken.stored(), "", restarts, now
    return taken


def _waiting(reply_id: int) -> QuerySet[Message]:
    return Message.objects.filter(pk=reply_id, status=Message.Status.IN_PROGRESS, job__isnull=False)


def _unchanged(reply: Message) -> QuerySet[Message]:
    return _waiting(reply.pk).filter(updated_at=reply.updated_at)
