"""Connections to a database file that no thread uses at the moment.

A connection takes .6 MiB, and a few milliseconds to warm up: the schema is read, statements are prepared. A turn needs
one for moments, so a few serve all threads, the one that was used last first.
"""

from __future__ import annotations

import os
import queue
import sqlite3
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 16  # unless the settings say otherwise
BUSY_SECONDS: Final = 0.1


class Places(queue.SimpleQueue[None]):
    """How many more connections there may be. Not a semaphore: the garbage collector may free a place at any moment,
    also in a thread that is just taking one."""

    def __init__(self, number: int) -> None:
        for _ in range(number):
            self.put(None)

    def has(self, seconds: float) -> bool:
        """Take one, if there is one within so many seconds."""
        try:
            self.get(timeout=seconds)
        except queue.Empty:
            return False
        return True


class Connection(sqlite3.Connection):
    """A connection that has a place until it is given back, closed, or dropped by a thread that ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.place: Places | None = None
        self.file: tuple[int, int] | None = None
        self.cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        super().__init__(*args, **kwargs)

    def close(self) -> None:
        super().close()
        self.leave()

    def __del__(self) -> None:
        self.leave()

    def leave(self) -> None:
        place, self.place = self.place, None
        if place:
            place.put(None)


class Pool:
    """So many connections of this process to one file are kept, and used by turns."""

    def __init__(self, database: str, size: int) -> None:
        self.database, self._size = database, size
        self._idle: list[Connection] = []
        self._inherited: list[Connection] = []
        self._places = Places(size)
        os.register_at_fork(before=self.close_idle, after_in_child=self._forget)

    def close_idle(self) -> None:
        """Close what no thread uses: a fork's file locks would be taken for its own by SQLite, and hold nothing."""
        while connection := self._last_given():
            connection.close()

    def _forget(self) -> None:
        """What came back while the fork was made must be neither used nor closed in it: it is kept for ever."""
        self._inherited += self._idle
        self._idle, self._places = [], Places(self._size)

    def take(self, open_one: Callable[[], Connection]) -> Connection:
        """The connection that was given back last, or a new one, to be given back or closed.

        Where all have been lent for a while there is one more, that is closed when it is given back: SQLite sets no
        limit, and somebody may wait with theirs, for a slow client or for a long transaction of another process.
        """
        places = self._places
        if not places.has(BUSY_SECONDS):
            return open_one()
        try:
            connection = self._kept() or open_one()
        except BaseException:
            places.put(None)
            raise
        connection.place, connection.file = places, self._file()
        return connection

    def _kept(self) -> Connection | None:
        while connection := self._last_given():
            if connection.file == self._file():
                return connection
            connection.close()  # another file has its name now
        return None

    def _last_given(self) -> Connection | None:
        with suppress(IndexError):
            return self._idle.pop()
        return None

    def give(self, connection: Connection) -> None:
        """Take a connection back, outside a transaction; what was left half read would keep it at an old state."""
        for cursor in list(connection.cursors):
            cursor.close()
        place, connection.place = connection.place, None
        if place is not self._places:
            connection.close()
            return
        self._idle.append(connection)  # from now on it may be another thread's
        place.put(None)

    def _file(self) -> tuple[int, int] | None:
        """Which file has the name now; None of a name that is a URI."""
        with suppress(OSError):
            found = os.stat(self.database)  # noqa: PTH116  a quarter of the time of a Path's
            return found.st_dev, found.st_ino
        return None


@cache
def pool(database: str, size: int) -> Pool:
    """The connections to a database file."""
    return Pool(database, size)
