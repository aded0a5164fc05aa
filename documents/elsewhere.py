"""Where a thread says that it waits for something else than the processor, so that another may compute meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Work(Protocol):
    """What a thread does for somebody who shares out the processor.

    Attributes:
        waited_seconds: before it began.
    """

    waited_seconds: float

    def pause(self) -> None:
        """Another may compute."""

    def resume(self) -> None:
        """Return when this one may go on."""


class _Thread(threading.local):
    work: Work | None = None


_thread = _Thread()


def waited_seconds() -> float:
    """How long what this thread does had to wait before it began."""
    return _thread.work.waited_seconds if _thread.work else 0.0


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Within it, whoever shares out the processor is told when this thread is `elsewhere`."""
    _thread.work = work
    try:
        yield
    finally:
        _thread.work = None


@contextmanager
def elsewhere() -> Iterator[None]:
    """Within it, this thread waits. It holds no lock that another thread needs to go on."""
    work = _thread.work
    if work is None:
        yield
        return
    work.pause()
    try:
        yield
    finally:
        work.resume()
