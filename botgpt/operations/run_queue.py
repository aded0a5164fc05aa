"""The requests of a process, and which of them compute now.

Python runs one thread at a time, and a thread leaves it to another with every row that it reads and every byte that it
sends. Requests that compute beside each other so take turns every few microseconds, and spend a tenth of the processor
and more on that (docs/decisions/0039-one-request-computes-at-a-time.md).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from documents.elsewhere import working

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS: Final = 0.02  # several times what most requests compute


class RunQueue:
    """Threads for requests: `parallelism` of them compute, and others while those are `elsewhere`.

    One that computes for long, or waits and does not say so, loses its place after `PATIENCE_SECONDS` and goes on
    beside the others. So a wait that nobody thought of costs no more than that. Those that come back go on before
    new ones begin; but one begins as often as that, however many come back.
    """

    def __init__(self, threads: int, *, parallelism: int = 1) -> None:
        self.parallelism = parallelism
        self._threads, self._idle = ThreadPoolExecutor(threads), threads
        self._change = threading.Lock()
        self._new: deque[_Request] = deque()
        self._resuming: deque[_Request] = deque()
        self._running: dict[_Request, float] = {}  # since when
        self._last_begun = 0.0
        self._is_ending = False

    def submit(self, handle: Callable[..., Any], *args: Any) -> Future[Any]:
        """Handle a request as soon as there is a place; as an executor does."""
        request = _Request(self, handle, args)
        with self._change:
            self._new.append(request)
            self._fill()
        return request.future

    def shutdown(self, *, wait: bool = True) -> None:
        """Begin no more; without a wait, no lock is taken: the worker quits by a signal, in whatever that interrupts.

        The threads then end with the process.
        """
        self._is_ending = True
        if wait:
            self._threads.shutdown()

    @property
    def has_new(self) -> bool:
        """Whether requests wait for their beginning; whoever looks must `relieve` them from time to time."""
        return bool(self._new)

    def relieve(self) -> None:
        """Take the places of those that have had theirs for too long, if others wait for one."""
        if not (self._new or self._resuming):
            return
        with self._change:
            late = time.monotonic() - PATIENCE_SECONDS
            self._running = {request: since for request, since in self._running.items() if since > late}
            self._fill()

    def pause(self, request: _Request) -> None:
        """Its place is free."""
        with self._change:
            self._running.pop(request, None)
            self._fill()

    def resume(self, request: _Request) -> None:
        """Return when it has a place again, before any that has not begun yet."""
        with self._change:
            if len(self._running) < self.parallelism:
                self._go(request)
                return
            request.may_go.acquire()
            self._resuming.append(request)
        while not request.may_go.acquire(timeout=PATIENCE_SECONDS):
            self.relieve()
        request.may_go.release()

    def _fill(self) -> None:
        while len(self._running) < self.parallelism:
            if self._idle and self._may_begin():
                self._idle -= 1
                self._threads.submit(self._run, self._begin())
            elif self._resuming:
                self._go(self._resuming.popleft()).may_go.release()
            else:
                return

    def _may_begin(self) -> bool:
        """Whether the next place is a new one's."""
        if not self._new or self._is_ending:
            return False
        return not self._resuming or time.monotonic() - self._last_begun > PATIENCE_SECONDS

    def _begin(self) -> _Request:
        request = self._go(self._new.popleft())
        self._last_begun = self._running[request]
        request.waited_seconds = self._last_begun - request.came
        return request

    def _go(self, request: _Request) -> _Request:
        self._running[request] = time.monotonic()
        return request

    def _run(self, request: _Request | None) -> None:
        while request:
            request.run()
            request = self._next_after(request)

    def _next_after(self, done: _Request) -> _Request | None:
        """The one that the same thread begins now, as waking another takes time; None if this one is to rest."""
        with self._change:
            self._running.pop(done, None)
            if len(self._running) < self.parallelism and self._may_begin():
                return self._begin()
            self._idle += 1
            self._fill()
            return None


class _Request:
    """A call to be made, and what comes of it."""

    def __init__(self, queue: RunQueue, handle: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._queue, self._handle, self._args = queue, handle, args
        self.came, self.waited_seconds = time.monotonic(), 0.0
        self.future: Future[Any] = Future()
        self.may_go = threading.Lock()

    def run(self) -> None:
        with working(self):
            try:
                result = self._handle(*self._args)
            except BaseException as exc:  # noqa: BLE001  raised by whoever asks for the result
                self.future.set_exception(exc)
            else:
                self.future.set_result(result)

    def pause(self) -> None:
        self._queue.pause(self)

    def resume(self) -> None:
        self._queue.resume(self)
