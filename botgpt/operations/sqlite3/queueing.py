"""Where writers of a database file wait for their turn."""

from __future__ import annotations

import fcntl
import os
import threading
from functools import cache


class WriteQueue:
    """One writer at a time: first of the threads of this process, then, in the kernel's queue, of all processes.

    The kernel frees the place of a process that dies. SQLite's own lock still decides; this only keeps writers from
    meeting there, since SQLite lets whoever finds it taken sleep for up to .1 s, again and again.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._threads = threading.Lock()
        self._file = -1  # a descriptor that a fork has copied would share its place

    def enter(self, *, timeout: float) -> bool:
        """Whether it is now the caller's turn, to be ended by `leave`; not when the seconds have passed."""
        if not self._threads.acquire(timeout=timeout):
            return False
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, or a folder that cannot be written to: SQLite will tell
            self._threads.release()
            return False
        return True

    def leave(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()


@cache
def write_queue(database: str) -> WriteQueue:
    """The queue of a database file; it stands beside it, as its journal does."""
    return WriteQueue(f"{database}-queue")
