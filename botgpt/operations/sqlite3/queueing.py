"""Where writers of a database file wait for their turn."""

from __future__ import annotations

import fcntl
import os
import threading
from functools import cache
from pathlib import Path


class WriteQueue:
    """One writer at a time: first of the threads of this process, then, in the kernel's queue, of all processes.

    The kernel frees the place of a process that dies. SQLite's own lock still decides; this only keeps writers from
    meeting there, since SQLite lets whoever finds it taken sleep for up to .1 s, again and again.
    """

    def __init__(self, database: str) -> None:
        self._database = Path(database).resolve()  # so does SQLite
        self._threads, self._file = threading.Lock(), -1
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        if self._file >= 0:
            os.close(self._file)  # a descriptor that a fork has copied would share its place
        self._threads, self._file = threading.Lock(), -1

    def enter(self, *, timeout: float) -> bool:
        """Wait for the caller's turn, to be ended by `leave`; False where files cannot be locked.

        Raises:
            TimeoutError: the threads before it took more seconds than that. Other processes have as long as they need.
        """
        if not self._threads.acquire(timeout=timeout):
            raise TimeoutError
        try:
            if self._file < 0:
                self._file = self._open()
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, or a folder that cannot be written to: SQLite will tell
            self._threads.release()
            return False
        except BaseException:  # Ctrl-C
            self.leave()
            raise
        return True

    def leave(self) -> None:
        """Let the next one in."""
        if self._file >= 0:  # else a fork has been made in the caller's turn, and it is the parent's
            fcntl.flock(self._file, fcntl.LOCK_UN)
        if self._threads.locked():
            self._threads.release()

    def _open(self) -> int:
        """The file beside the database; whoever may use the one may use the other, as with SQLite's own."""
        database = self._database.stat()
        file = os.open(f"{self._database}-queue", os.O_RDWR | os.O_CREAT, database.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(file, database.st_uid, database.st_gid)
        return file


@cache
def write_queue(database: str) -> WriteQueue:
    """The queue of a database file."""
    return WriteQueue(database)
