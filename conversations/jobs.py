"""Replies that a worker generates. The row says how; the broker only has its id, and may lose it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from django.conf import settings

from documents.queue import hand_over

if TYPE_CHECKING:
    from .models import Message

ANSWER: Final = "conversations.tasks.answer"


@dataclass(frozen=True, slots=True)
class Job:
    """How a worker is to generate a reply.

    Attributes:
        model, fresh: see `llm.replies.Options`.
        request_id: of the request that asked for it.
        attempts: how many workers have begun it.
    """

    model: str = ""
    fresh: bool = False
    request_id: str = ""
    attempts: int = 0

    @classmethod
    def of(cls, reply: Message) -> Self | None:
        """The reply's job, if it has one."""
        return cls(**reply.job) if reply.job is not None else None

    def stored(self) -> dict[str, Any]:
        """As the row has it."""
        return asdict(self)


def have_workers() -> bool:
    """Whether there are any, as far as this process knows."""
    return bool(settings.CELERY_BROKER_URL)


def order(reply: Message, job: Job) -> bool:
    """Have a worker generate the reply; False where none can be told, and the reply is the caller's still.

    What a broker did not confirm, it may have passed on all the same: then the reply is the worker's that took it.
    """
    if not have_workers():
        return False
    rows = type(reply).objects.filter(pk=reply.pk)
    rows.update(job=job.stored())  # before a worker may ask for it
    if order_again(reply.pk):
        return True
    return not rows.filter(job=job.stored()).update(job=None)


def order_again(reply_id: int) -> bool:
    """Tell the workers of a reply that has a job; False where none can be told."""
    return hand_over(ANSWER, reply_id)
