"""How long an adapter waits for one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from documents.deadline import Deadline
from documents.http import Patience
from llm.errors import Cancelled, ProviderTimeout
from llm.types import Usage

if TYPE_CHECKING:
    from llm.types import ChatRequest


def patience_for(request: ChatRequest) -> Patience:
    """`LLM_CALL_SECONDS`, or what is left until the request's deadline, whichever is less.

    Raises:
        ProviderTimeout: nothing is left.
        Cancelled: the user has stopped the reply already.
    """
    if request.is_cancelled:
        raise Cancelled("The reply was cancelled.", usage=Usage())
    seconds = min(settings.LLM_CALL_SECONDS, request.deadline.remaining)
    if seconds <= 0:
        raise ProviderTimeout("No time was left for a call.", usage=Usage())
    return Patience(Deadline.after(seconds), silence=settings.LLM_CALL_SECONDS, cancellation=request.cancellation)
