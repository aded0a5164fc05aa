"""Writes a call that was made to a provider into the ledger."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import Error, IntegrityError

from . import pricing
from .durable import durably
from .events import llm_called
from .models import LLMCall

if TYPE_CHECKING:
    from .types import Attribution, Usage

logger = logging.getLogger(__name__)

ERROR_CHARS = 500
REFERENCES = ("message_id", "conversation_id", "user_id")  # in the order in which a deletion takes them


def book(
    attribution: Attribution,
    *,
    provider: str,
    model: str,
    attempt: int,
    outcome: str,
    usage: Usage | None,
    seconds: float,
    error: str = "",
) -> None:
    """Write one row. One that cannot be written is logged instead, and nothing raised: the answer has been paid for.

    Args:
        usage: None when tokens may have been used and nobody said how many.
    """
    cost, price = pricing.price(provider=provider, model=model, usage=usage)
    row = LLMCall(
        user_id=attribution.user_id,
        conversation_id=attribution.conversation_id,
        message_id=attribution.message_id,
        purpose=attribution.purpose,
        request_id=attribution.request_id,
        provider=provider,
        model=model,
        attempt=attempt,
        outcome=outcome,
        error=error[:ERROR_CHARS],
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        cached_tokens=usage.cached_tokens if usage else 0,
        cost=cost,
        price=price,
        latency_ms=round(seconds * 1000),
    )
    try:
        durably(lambda: _insert(row))
    except Error:
        fields = {field.attname: getattr(row, field.attname) for field in LLMCall._meta.concrete_fields}
        logger.exception("A ledger row was not written: %s", fields)
    llm_called.send_robust(sender=None, call=row)


def _insert(row: LLMCall) -> None:
    for reference in REFERENCES:
        try:
            return row.save(force_insert=True)
        except IntegrityError:
            setattr(row, reference, None)  # it was deleted during the call
    return row.save(force_insert=True)
