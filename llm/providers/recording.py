"""Writes each call to the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from documents.connections import release_connection
from llm import booking, tokens
from llm.errors import Cancelled, Outcome, ProviderError
from llm.types import Completion, Delta, Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm.types import ChatRequest, Piece

    from .base import Provider


class Recording:
    """One `LLMCall` row for every call, by one INSERT after it. No database connection is held during the call.

    A row that cannot be written does not keep the answer back, see `booking`. Of a call that ended before the provider
    said what it used, what is known to have been sent and received is estimated.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.name, self.model = provider.name, provider.model

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole; raises what the provider raises, or that it was cancelled."""
        release_connection()
        began = time.perf_counter()
        try:
            completion = self.provider.complete(request)
        except ProviderError as exc:
            raise self._failed(request, exc, began=began, text="") from None
        self._answered(request, completion, began=began)
        return completion

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written; raises as `complete` does."""
        release_connection()
        began = time.perf_counter()
        texts: list[str] = []
        try:
            for piece in self.provider.stream(request):
                if isinstance(piece, Completion):
                    self._answered(request, piece, began=began)
                elif isinstance(piece, Delta):
                    texts.append(piece.text)
                yield piece
        except ProviderError as exc:
            raise self._failed(request, exc, began=began, text="".join(texts)) from None
        except GeneratorExit:  # whoever read it broke off; the provider has worked all the same
            self._failed(request, Cancelled("The reader broke off."), began=began, text="".join(texts))
            raise

    def _answered(self, request: ChatRequest, completion: Completion, *, began: float) -> None:
        used = completion.usage if completion.usage.total_tokens else None  # no answer is without tokens
        self._book(request, outcome=Outcome.OK, usage=used, began=began)

    def _failed(self, request: ChatRequest, exc: ProviderError, *, began: float, text: str) -> ProviderError:
        usage = exc.usage
        if request.is_cancelled and not isinstance(exc, Cancelled):
            exc = Cancelled("The reply was cancelled.")
        if usage is None and (text or isinstance(exc, Cancelled)):
            usage = self._estimate(request, text)
        self._book(request, outcome=exc.outcome, usage=usage, began=began, error=str(exc))
        release_connection()  # a wait may follow
        return exc

    def _estimate(self, request: ChatRequest, text: str) -> Usage:
        prompt = tokens.estimate_messages(request.messages) * tokens.correction([self.model])
        return Usage(prompt_tokens=round(prompt), completion_tokens=tokens.estimate(text), estimated=True)

    def _book(
        self, request: ChatRequest, *, outcome: Outcome, usage: Usage | None, began: float, error: str = ""
    ) -> None:
        booking.book(
            request.attribution,
            provider=self.name,
            model=self.model,
            attempt=request.attempt,
            place=request.place,
            outcome=outcome,
            usage=usage,
            seconds=time.perf_counter() - began,
            error=error,
        )
