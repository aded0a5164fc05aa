"""Tries a provider again when that may help."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings

from llm.errors import Failure, ProviderError

from .base import label

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm.types import ChatRequest, Completion

    from .base import Provider

JITTER = 0.25  # of the wait, on top: callers that failed together shall not come back together


class Retrying:
    """Asks up to `LLM_MAX_ATTEMPTS` times, waiting `LLM_BACKOFF_SECONDS` times 1, 2, 4, …, or as long as was asked for.

    A wait that does not fit the request's deadline is not begun: the error is raised at once, so that a chain goes on.
    """

    def __init__(self, provider: Provider, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.provider = provider
        self.name, self.model = provider.name, provider.model
        self._sleep = sleep

    def complete(self, request: ChatRequest) -> Completion:
        """Answer the request whole.

        Raises:
            ProviderError: the last attempt's, with the `failures` of all.
        """
        failures: list[Failure] = []
        while True:
            attempt = len(failures) + 1
            try:
                return self.provider.complete(replace(request, attempt=attempt))
            except ProviderError as exc:
                failures.append(Failure(label(self), exc.outcome, str(exc)))
                wait = _wait(exc, attempt=attempt)
                last = not exc.retryable or attempt >= settings.LLM_MAX_ATTEMPTS
                if last or wait >= request.deadline.remaining:
                    exc.failures = tuple(failures)
                    raise
            self._sleep(wait)


def _wait(exc: ProviderError, *, attempt: int) -> float:
    """Seconds until the next attempt; 1-2-4 is the design's, see docs/decisions/0004-provider-chain.md."""
    backoff = settings.LLM_BACKOFF_SECONDS * 2 ** (attempt - 1)
    wait = backoff if exc.retry_after is None else exc.retry_after
    return float(wait * random.uniform(1, 1 + JITTER))  # noqa: S311  spreads load, guards nothing
