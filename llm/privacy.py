"""A user's rows of the ledger, to hand over or to keep without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.batches import in_batches

from .models import LLMCall
from .providers.caching import forget_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

BATCH = 5_000
COLUMNS = (
    *(
        "id",
        "created_at",
        "conversation_id",
        "message_id",
        "purpose",
        "provider",
        "model",
        "attempt",
        "place",
        "outcome",
    ),
    *("error", "prompt_tokens", "completion_tokens", "cached_tokens", "estimated", "cost", "price", "latency_ms"),
    "request_id",
)


def calls_of(user_id: int) -> QuerySet[LLMCall]:
    """Those that were made for the user."""
    return LLMCall.objects.filter(user=user_id)


def exported(user_id: int) -> Iterator[dict[str, Any]]:
    """Each call as a dict."""
    for batch in in_batches(calls_of(user_id), size=BATCH):
        for call in batch:
            yield {name: getattr(call, name) for name in COLUMNS}


def forget(user_id: int) -> Iterator[int]:
    """Keep the user's calls without the user, and drop the answers that are kept for them; gives how many calls,
    batch by batch.
    """
    forget_user(user_id)
    for batch in in_batches(calls_of(user_id).only("pk"), size=BATCH):
        yield LLMCall.objects.filter(pk__in=[call.pk for call in batch]).forget_who()
