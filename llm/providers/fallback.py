"""Asks the next model when one does not answer."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from documents.deadline import Deadline
from llm.errors import AllProvidersFailed, Failure, ProviderError
from llm.events import model_given_up
from llm.types import Restart

from .base import label
from .breaker import Breaker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm.types import ChatRequest, Completion, Piece

    from .base import Provider

logger = logging.getLogger(__name__)


class Fallback:
    """A chain of providers under one deadline.

    Each gets an equal share of the time that is left, retries included, so that one that hangs leaves the others
    theirs; what one does not use goes to those behind it, and the last may use all that is left. A model that keeps
    failing is skipped for a while, unless all do.

    Args:
        breakers: by label; chains that share a model share its breaker.
    """

    def __init__(self, providers: Sequence[Provider], *, breakers: dict[str, Breaker] | None = None) -> None:
        self.providers = tuple(providers)
        self.name, self.model = self.providers[0].name, self.providers[0].model
        shared = {} if breakers is None else breakers
        self._breakers = {label(provider): shared.setdefault(label(provider), Breaker()) for provider in providers}

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole, by the first provider that can.

        Raises:
            AllProvidersFailed: none could, or the deadline has passed.
            ProviderError: the request itself is at fault, or it was cancelled, so the others were not asked.
        """
        failures: list[Failure] = []
        waiting = self._candidates()
        while waiting and request.deadline.remaining > 0:
            provider = waiting[0]
            try:
                completion = provider.complete(self._shared(request, provider, among=len(waiting)))
            except ProviderError as exc:
                self._failed(provider, exc, failures)
            else:
                self._breakers[label(provider)].succeeded()
                return completion
            waiting.popleft()
        raise AllProvidersFailed(failures)

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written, by the first provider that can; raises as `complete` does.

        When an answer breaks off, the next provider's whole answer follows a `Restart`. If there is none left, the last
        one is asked once more: its text has been seen, so it can answer.
        """
        failures: list[Failure] = []
        waiting = self._candidates()
        is_broken = False
        while waiting and request.deadline.remaining > 0:
            provider, has_begun = waiting[0], False
            try:
                for piece in provider.stream(self._shared(request, provider, among=len(waiting))):
                    if is_broken and not has_begun:
                        yield Restart()
                    has_begun = True
                    yield piece
            except ProviderError as exc:
                self._failed(provider, exc, failures)
                if has_begun and not is_broken and len(waiting) == 1:
                    waiting.append(provider)
                is_broken = is_broken or has_begun
            else:
                self._breakers[label(provider)].succeeded()
                return
            waiting.popleft()
        raise AllProvidersFailed(failures)

    def _candidates(self) -> deque[Provider]:
        usable = [provider for provider in self.providers if self._breakers[label(provider)].lets_through()]
        return deque(usable or self.providers)

    def _failed(self, provider: Provider, exc: ProviderError, failures: list[Failure]) -> None:
        if not exc.advances:
            raise exc
        logger.warning("%s did not answer: %s", label(provider), exc)
        model_given_up.send_robust(sender=None, model=label(provider), outcome=exc.outcome)
        failures += exc.failures or [Failure(label(provider), exc.outcome, str(exc))]
        if self._breakers[label(provider)].failed(exc.outcome):
            logger.warning("%s keeps failing and is skipped for a while", label(provider))

    def _shared(self, request: ChatRequest, provider: Provider, *, among: int) -> ChatRequest:
        """The request with the provider's share of the time; a stream that has begun may use all of it."""
        share = Deadline.after(request.deadline.remaining / among)
        place = self.providers.index(provider) + 1
        ends = request.stream_deadline or request.deadline
        return replace(request, deadline=share, place=place, stream_deadline=ends)
