"""What grows and is of no use any more is removed, and what was lost on the way is taken up again."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from axes.models import AccessAttempt
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from conversations import abandoned, privacy
from conversations.idempotency import Once
from documents import queue
from llm import budgets, rollup

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


def tidy() -> dict[str, int | None]:
    """Do all of it; how much there was of each, None where that is not known. Safe to repeat, also at the same time.

    One that breaks keeps the others from nothing.
    """
    done: dict[str, int | None] = {}
    for name, work in WORK.items():
        try:
            done[name] = work()
        except Exception:
            logger.exception("Tidying up broke off: %s", name)
    logger.info("tidied", extra=done)
    return done


def forget_attempts() -> int:
    """Wrong passwords that lock nobody any more."""
    return int(AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - settings.AXES_COOLOFF_TIME).delete()[0])


def purge() -> int:
    """Conversations in which nothing was said for `PURGE_AFTER_DAYS`, if that is set."""
    if not settings.PURGE_AFTER_DAYS:
        return 0
    moment = timezone.now() - dt.timedelta(days=settings.PURGE_AFTER_DAYS)
    return sum(len(ids) for ids in privacy.delete(privacy.inactive_since(moment)))


def add_up() -> int:
    """Rows of the ledger that have come since its sums were last brought up to date."""
    added: list[int] = []
    rollup.catch_up(least=1, progress=added.append)
    return sum(added)


WORK: dict[str, Callable[[], int | None]] = {
    "sessions": lambda: _run("clearsessions"),
    "web_tokens": lambda: _run("flushexpiredtokens"),
    "oauth_tokens": lambda: _run("cleartokens"),
    "wrong_passwords": forget_attempts,
    "idempotency_keys": Once.forget_expired,
    "abandoned_replies": abandoned.give_up_all_abandoned,
    "expired_reservations": budgets.give_back_expired,
    "forgotten_documents": queue.read_forgotten,
    "old_conversations": purge,
    "calls_added_up": add_up,
}


def _run(command: str) -> None:
    """One that does not say how many."""
    call_command(command)
