"""Tries a provider again when that may help."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings

from documents.elsewhere import elsewhere
from llm.errors import Cancelled, Failure, ProviderError
from llm.types import Usage

from .base import label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm.types import ChatRequest, Completion, Piece

    from .base import Provider

JITTER = 0.25  # of the wait, on top: callers that failed together shall not come back together


class Retrying:
    """Asks up to `LLM_MAX_ATTEMPTS` times, waiting `LLM_BACKOFF_SECONDS` times 1, 2, 4, …, or as long as was asked for.

    A wait that does not fit the request's deadline is not begun: the error is raised at once, so that a chain goes on.
    Nor is a stream tried again that has begun: whoever reads it would have to be told.
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
            try:
                return self.provider.complete(replace(request, attempt=len(failures) + 1))
            except ProviderError as exc:
                wait = self._wait_after(exc, failures, request)
            self._pause(wait, request)

    def stream(self, request: ChatRequest) -> Iterator[Piece]:
        """Answer as it is written; raises as `complete` does."""
        failures: list[Failure] = []
        while True:
            has_begun = False
            try:
                for piece in self.provider.stream(replace(request, attempt=len(failures) + 1)):
                    has_begun = True
                    yield piece
            except ProviderError as exc:
                wait = self._wait_after(exc, failures, request)
                if has_begun:
                    raise
            else:
                return
            self._pause(wait, request)

    def _wait_after(self, exc: ProviderError, failures: list[Failure], request: ChatRequest) -> float:
        """Seconds until the next attempt; raises the error, with all failures, when there is to be none."""
        failures.append(Failure(label(self), exc.outcome, str(exc)))
        exc.failures = tuple(failures)
        attempt = len(failures)
        wait = _wait(exc, attempt=attempt)
        last = not exc.retryable or attempt >= settings.LLM_MAX_ATTEMPTS
        if last or wait >= request.deadline.remaining:
            raise exc
        return wait

    def _pause(self, seconds: float, request: ChatRequest) -> None:
        with elsewhere():
            if request.cancellation is None:
                self._sleep(seconds)
            elif request.cancellation.wait(seconds):
                raise Cancelled("The reply was cancelled.", usage=Usage())


def _wait(exc: ProviderError, *, attempt: int) -> float:
    """Seconds until the next attempt; 1-2-4 is the design's, see docs/decisions/0004-provider-chain.md."""
    backoff = settings.LLM_BACKOFF_SECONDS * 2 ** (attempt - 1)
    wait = backoff if exc.retry_after is None else exc.retry_after
    return float(wait * random.uniform(1, 1 + JITTER))  # noqa: S311  spreads load, guards nothing
