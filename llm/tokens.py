"""How many tokens a request will cost: estimated by script, corrected by what providers report.

What remains of the estimate's error (see `documents.token_estimate`) is a matter of the model, so a moving average of
real over estimated prompt tokens is kept for each, and some head room.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.core.cache import cache

from documents.token_estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .types import ChatMessage

logger = logging.getLogger(__name__)

__all__ = ["HEADROOM", "PER_MESSAGE", "correction", "estimate", "estimate_messages", "learn"]

HEADROOM = 1.15
PER_MESSAGE = 4  # role and separators, in the chat formats of current models

LEARNING_RATE = 0.2
CORRECTION_BOUNDS = (0.5, 3.0)


def estimate_messages(messages: Iterable[ChatMessage]) -> int:
    """The prompt tokens of a request, before correction."""
    return sum(PER_MESSAGE + estimate(message.content) for message in messages)


def correction(models: Iterable[str]) -> float:
    """Real over estimated prompt tokens: the worst among `models`, 1 where nothing is known, or the cache is away."""
    try:
        known = cache.get_many([_key(model) for model in models])
    except Exception:
        logger.warning("What was learned about token counts cannot be read", exc_info=True)
        return 1.0
    return max(known.values(), default=1.0)


def learn(*, model: str, estimated: int, reported: int) -> None:
    """Move the model's correction towards what the provider has just reported."""
    if not estimated or not reported:
        return
    low, high = CORRECTION_BOUNDS
    try:
        old = cache.get(_key(model), 1.0)
        new = old + LEARNING_RATE * (reported / estimated - old)
        cache.set(_key(model), min(max(new, low), high), timeout=None)
    except Exception:
        logger.warning("What was learned about token counts cannot be kept", exc_info=True)


def _key(model: str) -> str:
    return f"token-correction:{model.replace(' ', '_')}"
