"""Tells when a model that keeps failing should be left alone for a while."""

from __future__ import annotations

import threading
import time

from django.conf import settings

from llm.errors import Outcome

AT_ONCE = {Outcome.UNAUTHORIZED, Outcome.UNKNOWN_MODEL}  # the next call would fail alike


class Breaker:
    """The circuit breaker of one model in one process.

    After `LLM_SKIP_AFTER` failures in a row the model is skipped for `LLM_SKIP_SECONDS`. Then one call may try it: a
    success ends the pause, another failure begins it anew. A failure is an answer that did not come, retries included.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def lets_through(self) -> bool:
        """Whether the model may be asked now. Whoever asks first after the pause goes alone."""
        with self._lock:
            if self._failures < settings.LLM_SKIP_AFTER:
                return True
            now = time.monotonic()
            if now < self._until:
                return False
            self._until = now + settings.LLM_SKIP_SECONDS
            return True

    @property
    def failures(self) -> int:
        """In a row."""
        return self._failures

    @property
    def skipped_seconds(self) -> float:
        """For how long the model is left alone yet; 0 when it may be asked."""
        if self._failures < settings.LLM_SKIP_AFTER:
            return 0.0
        return max(0.0, self._until - time.monotonic())

    def succeeded(self) -> None:
        """Count from anew."""
        if self._failures:
            with self._lock:
                self._failures = 0

    def failed(self, outcome: str) -> bool:
        """Count a failure; whether the model is skipped from now on."""
        with self._lock:
            self._failures += settings.LLM_SKIP_AFTER if outcome in AT_ONCE else 1
            if self._failures < settings.LLM_SKIP_AFTER:
                return False
            self._until = time.monotonic() + settings.LLM_SKIP_SECONDS
            return True
