"""Writes each call to the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llm import booking
from llm.durable import release_connection
from llm.errors import Outcome, ProviderError

if TYPE_CHECKING:
    from llm.types import ChatRequest, Completion, Usage

    from .base import Provider


class Recording:
    """One `LLMCall` row for every call, by one INSERT after it. No database connection is held during the call.

    A row that cannot be written does not keep the answer back, see `booking`.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.name, self.model = provider.name, provider.model

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole; raises what the provider raises."""
        release_connection()  # a pooled one goes back, one that is kept for the thread stays
        began = time.perf_counter()
        try:
            completion = self.provider.complete(request)
        except ProviderError as exc:
            seconds = time.perf_counter() - began
            self._record(request, outcome=exc.outcome, usage=exc.usage, seconds=seconds, error=str(exc))
            release_connection()  # a wait may follow
            raise
        seconds = time.perf_counter() - began
        used = completion.usage if completion.usage.total_tokens else None  # no answer is without tokens
        self._record(request, outcome=Outcome.OK, usage=used, seconds=seconds)
        return completion

    def _record(
        self, request: ChatRequest, *, outcome: Outcome, usage: Usage | None, seconds: float, error: str = ""
    ) -> None:
        booking.book(
            request.attribution,
            provider=self.name,
            model=self.model,
            attempt=request.attempt,
            outcome=outcome,
            usage=usage,
            seconds=seconds,
            error=error,
        )
