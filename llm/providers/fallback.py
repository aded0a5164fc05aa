"""Asks the next model when one does not answer."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from documents.deadline import Deadline
from llm.errors import AllProvidersFailed, Failure, ProviderError
from llm.events import model_given_up

from .base import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm.types import ChatRequest, Completion

    from .base import Provider

logger = logging.getLogger(__name__)


class Fallback:
    """A chain of providers under one deadline.

    Each gets an equal share of the time that is left, retries included, so that one that hangs leaves the others
    theirs; what one does not use goes to those behind it, and the last may use all that is left.
    """

    def __init__(self, providers: Sequence[Provider]) -> None:
        self.providers = tuple(providers)
        self.name, self.model = self.providers[0].name, self.providers[0].model

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole, by the first provider that can.

        Raises:
            AllProvidersFailed: none could, or the deadline has passed.
            ProviderError: the request itself is at fault, so the others were not asked.
        """
        failures: list[Failure] = []
        for position, provider in enumerate(self.providers):
            left = request.deadline.remaining
            if left <= 0:
                break
            share = Deadline.after(left / (len(self.providers) - position))
            try:
                return provider.complete(replace(request, deadline=share))
            except ProviderError as exc:
                if not exc.advances:
                    raise
                logger.warning("%s did not answer: %s", label(provider), exc)
                model_given_up.send_robust(sender=None, model=label(provider), outcome=exc.outcome)
                failures += exc.failures or [Failure(label(provider), exc.outcome, str(exc))]
        raise AllProvidersFailed(failures)
