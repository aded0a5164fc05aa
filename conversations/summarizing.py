"""Keeps a long conversation's running summary up to date, after a reply was stored and beside whoever waits for it.

Two processes may come to the same conversation. One UPDATE claims it, and another stores the result; both say in their
WHERE how far the summary reached when it was read, so a message is folded once, and a late result overwrites nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import connection
from django.db.models import Q
from django.utils import timezone

from documents.deadline import Deadline
from documents.queue import hand_over
from llm import summaries
from llm.durable import durably
from llm.types import Attribution

from .history import earlier, summary_for
from .models import Conversation, Message
from .threads import in_background

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm.types import Summary

logger = logging.getLogger(__name__)

FOLD: Final = "conversations.tasks.fold"
SECONDS = 30.0  # for one summary; nobody waits for it but a process that ends
CLAIM = dt.timedelta(seconds=SECONDS + 30)  # one that failed, or whose process died, is tried again after it


def after_turn(reply: Message) -> None:
    """Fold the older messages before a stored reply into the summary, soon, if they are about to be left out."""
    report = reply.context
    if reply.status == Message.Status.FAILED or report is None or not summaries.is_due(report, reply=reply.content):
        return
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    if not hand_over(FOLD, reply.pk, request_id):
        run_soon(lambda: fold_older(reply.conversation_id, through=reply.pk, report=report, request_id=request_id))


def fold_before(reply_id: int, *, request_id: str) -> None:
    """The same on a worker, which finds in the reply's row what was sent for it. Safe to repeat."""
    reply = Message.objects.filter(pk=reply_id, context__isnull=False).first()
    if reply is not None:
        report: dict[str, Any] = reply.context or {}
        fold_older(reply.conversation_id, through=reply.pk, report=report, request_id=request_id)


def fold_older(conversation_id: int, *, through: int, report: dict[str, Any], request_id: str = "") -> None:
    """Fold what is older than the newest turns of the path that ends with `through`, unless somebody else does."""
    conversation = Conversation.objects.filter(pk=conversation_id).first()
    if conversation is None:
        return
    summary = summary_for(conversation, through=through)
    older = summaries.older_part(earlier(conversation, through=through, summary=summary), report=report)
    if not older:
        return
    claimed_until = _claim(conversation)
    if claimed_until is None:
        return
    folded = summaries.fold(
        summary.text if summary else "",
        older,
        attribution=Attribution(user_id=conversation.user_id, conversation_id=conversation.pk, request_id=request_id),
        deadline=Deadline.after(SECONDS),
    )
    if folded and not durably(lambda: _store(conversation, folded, claimed_until)):
        logger.warning("Conversation %s has another summary by now; this one is left aside", conversation.pk)


def run_soon(work: Callable[[], None]) -> None:
    """Do it in a thread beside; at once inside a transaction, whose rows no other thread sees.

    A process that ends lets it finish.
    """
    if connection.in_atomic_block:
        work()
        return
    with suppress(RuntimeError):  # the process is ending and takes no more; the next turn finds it undone
        in_background(copy_context().run, work)


def _claim(conversation: Conversation) -> dt.datetime | None:
    """Take the summary in work, if it still reaches as far as we read and nobody else has it; until when."""
    now = timezone.now()
    free = Q(folding_until=None) | Q(folding_until__lt=now)
    until = now + CLAIM
    return until if _as_read(conversation).filter(free).update(folding_until=until) else None


def _store(conversation: Conversation, summary: Summary, claimed_until: dt.datetime) -> int:
    """Safe to repeat: what it has written, it writes again."""
    ours = _as_read(conversation).filter(folding_until=claimed_until)
    again = Conversation.objects.filter(pk=conversation.pk, summarized_through=summary.through, summary=summary.text)
    new = {"summary": summary.text, "summarized_through": summary.through, "folding_until": None}
    return ours.update(**new) or again.count()


def _as_read(conversation: Conversation) -> Any:
    return Conversation.objects.filter(pk=conversation.pk, summarized_through=conversation.summarized_through)
