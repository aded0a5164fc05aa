"""The replies that this process is generating: their text so far, whoever waits for it, and a way to stop them.

A watcher keeps the rows in step, a few times a second for all of them together: it writes text that has come, moves the
heartbeat of `updated_at`, and cancels what another process has cancelled or taken over.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import Error, connection, transaction
from django.utils import timezone

from documents.connections import release_connection
from documents.deadline import Cancellation

from .models import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
HEARTBEAT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reply has come.

    Attributes:
        restarts: how often the text began anew.
        has_ended: nothing follows, and its row says what became of it.
    """

    text: str = ""
    restarts: int = 0
    has_ended: bool = False


class Running:
    """One reply. It is the screen that its answer is shown on."""

    def __init__(self, reply: Message) -> None:
        self.reply_id, self.job = reply.pk, reply.job
        self.cancellation = Cancellation()
        self.began = self.heartbeat_at = time.monotonic()
        self.written = self._progress = Progress(restarts=reply.restarts)  # what its row holds
        self._changed = threading.Condition()

    @property
    def progress(self) -> Progress:
        return self._progress

    def show(self, text: str) -> None:
        """More of the answer."""
        self._now(Progress(self._progress.text + text, self._progress.restarts))

    def restart(self) -> None:
        """Another answer takes its place."""
        self._now(Progress("", self._progress.restarts + 1))

    def end(self) -> None:
        """Its row is written."""
        self._now(Progress(self._progress.text, self._progress.restarts, has_ended=True))

    def _now(self, progress: Progress) -> None:
        with self._changed:
            self._progress = progress
            self._changed.notify_all()

    def wait(self, *, beyond: Progress, seconds: float) -> Progress:
        """How far it has come, as soon as that is another than `beyond`, or after so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._progress != beyond, timeout=seconds)
            return self._progress


_running: dict[int, Running] = {}
_lock = threading.Lock()
_watcher: threading.Thread | None = None


def find(reply_id: int) -> Running | None:
    """The reply, if this process is generating it."""
    return _running.get(reply_id)


def start(reply: Message) -> Running:
    """Generate a reply from now on; whoever does must `end` it."""
    running = Running(reply)
    with _lock:
        if replaced := _running.get(reply.pk):  # taken for lost, and handed out again to this very process
            replaced.cancellation.cancel()
        _running[reply.pk] = running
        if not connection.in_atomic_block:  # else no other thread can see its row
            _watch()
    return running


def end(running: Running) -> None:
    """Its row is written, or gone."""
    with _lock:
        if _running.get(running.reply_id) is running:
            del _running[running.reply_id]
    running.end()


@contextmanager
def generating(reply: Message) -> Iterator[Running]:
    """Within it, this process is generating a reply."""
    running = start(reply)
    try:
        yield running
    finally:
        end(running)


def _watch() -> None:
    global _watcher  # noqa: PLW0603  one a process, under the lock
    if _watcher is None:
        _watcher = threading.Thread(target=_until_idle, name="watcher", daemon=True)
        _watcher.start()


def _until_idle() -> None:
    global _watcher  # noqa: PLW0603
    while True:
        time.sleep(TICK_SECONDS)
        with _lock:
            everyone = list(_running.values())
            if not everyone:
                _watcher = None
                connection.close()
                return
        try:
            _tick([running for running in everyone if time.monotonic() - running.began > TICK_SECONDS])
        except Error:
            logger.warning("Running replies could not be watched", exc_info=True)
        finally:
            release_connection()


def _tick(everyone: list[Running]) -> None:
    ids = [running.reply_id for running in everyone]
    rows = Message.objects.filter(pk__in=ids, status=Message.Status.IN_PROGRESS).values_list("pk", "job")
    jobs = dict(rows) if ids else {}
    due = []
    for running in everyone:
        if running.reply_id not in jobs or jobs[running.reply_id] != running.job:
            running.cancellation.cancel()
        elif running.progress != running.written or time.monotonic() - running.heartbeat_at > HEARTBEAT_SECONDS:
            due.append(running)
    if not due:
        return
    with transaction.atomic():
        for running in due:
            progress = running.progress
            Message.objects.running(job=running.job).filter(pk=running.reply_id).update(
                content=progress.text, restarts=progress.restarts, updated_at=timezone.now()
            )
            running.written, running.heartbeat_at = progress, time.monotonic()


def _forget() -> None:
    """A fork has none of its parent's threads."""
    global _lock, _watcher
    _lock, _watcher = threading.Lock(), None
    _running.clear()


os.register_at_fork(after_in_child=_forget)
