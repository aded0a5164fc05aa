"""How long an adapter waits for one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings

from documents.deadline import Deadline
from documents.http import Patience
from llm.errors import Cancelled, ProviderTimeout
from llm.types import Usage

if TYPE_CHECKING:
    from llm.types import ChatRequest

GATHER_SECONDS: Final = 0.02  # of a stream's CPU, most goes into waking up for a piece


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


def has_begun(patience: Patience, request: ChatRequest) -> None:
    """A stream's first words are there: it may have all the time that is left, and is read in larger pieces."""
    patience.deadline, patience.rest = request.stream_deadline or request.deadline, GATHER_SECONDS
