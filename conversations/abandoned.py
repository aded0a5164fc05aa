"""Gives up replies whose process is gone, so that their conversations go on and their costs are known."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from llm import booking, ledger
from llm.types import Attribution

if TYPE_CHECKING:
    from .models import Message

logger = logging.getLogger(__name__)


def give_up_if_abandoned(reply: Message) -> bool:
    """Mark a running reply `incomplete`, with the text it has, if its heartbeat is older than a turn's deadline.

    The call that its process was waiting for has no row in the ledger, since nobody was there to write it. It gets one
    now, of unknown cost; the reply's tokens are those that were booked.
    """
    now = timezone.now()
    rows = type(reply).objects.filter(pk=reply.pk)
    abandoned = rows.filter(
        status=reply.Status.IN_PROGRESS, updated_at__lt=now - dt.timedelta(seconds=settings.LLM_TURN_SECONDS)
    )
    if not abandoned.update(
        status=reply.Status.INCOMPLETE, updated_at=now, error="The process that generated it stopped."
    ):
        return False
    logger.warning("Reply %s was abandoned by its process; conversation %s goes on", reply.pk, reply.conversation_id)
    attribution = Attribution(
        user_id=reply.conversation.user_id, conversation_id=reply.conversation_id, message_id=reply.pk
    )
    booking.book_abandoned(attribution)
    rows.update(tokens_used=ledger.tokens_of(message_id=reply.pk))
    return True
