"""Books the calls that documents make to an embedding endpoint; they know nothing of a ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog
from django.dispatch import receiver

from documents.embeddings.calls import embedding_called

from . import booking
from .models import LLMCall
from .types import Attribution, Usage

if TYPE_CHECKING:
    from documents.embeddings.calls import EmbeddingCall

PROVIDER_CHARS = 50  # of a host's name


@receiver(embedding_called)
def book(call: EmbeddingCall, **_: Any) -> None:
    """One row: the asking turn's if there is one, else the user's for whom documents made the call."""
    attribution = call.booking.reference
    if not isinstance(attribution, Attribution):
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        attribution = Attribution(user_id=call.booking.user_id, request_id=request_id)
    booking.book(
        replace(attribution, purpose=LLMCall.Purpose.EMBEDDING),
        provider=call.provider[:PROVIDER_CHARS],
        model=call.model,
        attempt=call.attempt,
        outcome=call.outcome,
        usage=None if call.tokens is None else Usage(prompt_tokens=call.tokens),
        seconds=call.seconds,
        error=call.error,
    )
