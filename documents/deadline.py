"""A moment that several steps together have to keep, and a way to end them before it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock that a whole chain of calls has to keep."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at - time.monotonic()


class Cancellation:
    """Lets one thread end what another is waiting for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._interrupt: Callable[[], None] | None = None

    def cancel(self) -> None:
        """End it: a wait returns, a read on a socket fails at once."""
        with self._lock:
            self._event.set()
            if self._interrupt:
                self._interrupt()

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until it is cancelled; whether it is."""
        return self._event.wait(seconds)

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Within it, cancelling calls `interrupt`, also when it was cancelled before."""
        with self._lock:
            self._interrupt = interrupt
            if self._event.is_set():
                interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None
