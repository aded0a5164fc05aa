"""What a request could cost at most, set aside before it is sent."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import budgets, pricing, tokens
from .limits import limits_of
from .providers import registry
from .types import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import ChatRequest

TEMPLATE_TOKENS = 100  # room for what a provider's chat template adds of its own, which a short prompt feels most


def reserved(request: ChatRequest, *, models: Sequence[tuple[str, str]] | None = None) -> budgets.Reservation:
    """Set aside the prompt as estimated, with head room, and the longest answer, at the price of the dearest model.

    Args:
        models: those that may be asked, (provider, model); the whole chain unless told.

    Raises:
        BudgetExceeded: the user may not spend so much; nothing is set aside.
    """
    if not limits_of(request.attribution.user_id):
        return budgets.Reservation()  # what it could cost is nobody's question then
    asked = registry.usable_chain() if models is None else models
    prompt = tokens.estimate_messages(request.messages) * tokens.correction(model for _, model in asked)
    most = math.ceil(prompt * tokens.HEADROOM) + TEMPLATE_TOKENS
    usage = Usage(prompt_tokens=most, completion_tokens=request.max_tokens)
    cost = pricing.dearest(asked, usage=usage)
    return budgets.reserve(user_id=request.attribution.user_id, tokens=usage.total_tokens, cost=cost)
