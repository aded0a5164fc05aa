"""Exact counts of calls, shared by all processes: in the cache when it is a server, else in a file of this machine.

REST framework's throttles read a list of times, add to it and write it back, so of calls at the same moment one counts.
Here the store adds one and says what it has then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

LOCAL = ("locmem", "dummy")  # caches of one process


class FileCounter:
    """Counts in an SQLite file that nothing is ever flushed for: some 30 µs a call, and its loss is harmless.

    A process uses one connection, one thread at a time, so that only processes contend for the file's lock.
    """

    SCHEMA = """
        PRAGMA journal_mode=WAL;
        PRAGMA synchronous=OFF;
        CREATE TABLE IF NOT EXISTS calls (name TEXT PRIMARY KEY, ends INTEGER NOT NULL, count INTEGER NOT NULL)
        WITHOUT ROWID;
    """
    ADD_ONE = """
        INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (name) DO UPDATE SET
        count = CASE ends WHEN excluded.ends THEN count + 1 ELSE 1 END, ends = excluded.ends RETURNING count
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._swept = 0

    def add_one(self, name: str, *, ends: int) -> int:
        """The number of calls in the window that ends then; raises `sqlite3.Error` or `OSError`."""
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            ((count,),) = self._connection.execute(self.ADD_ONE, (name, ends)).fetchall()
            if count == 1 and ends > self._swept:
                self._connection.execute("DELETE FROM calls WHERE ends < ?", (time.time(),))
                self._swept = ends
        return int(count)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=1, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Of several that make a new file WAL at once, SQLite refuses all but one, without waiting; so we do."""
        for wait in (0.01, 0.05, 0.2):
            with contextlib.suppress(sqlite3.OperationalError):
                connection.executescript(self.SCHEMA)
                return
            time.sleep(wait)
        connection.executescript(self.SCHEMA)


class Counter:
    """The process's counter. When its store is away calls are not counted, and that is logged once."""

    def __init__(self) -> None:
        self._files: dict[Path, FileCounter] = {}
        self._is_away = False

    def add_one(self, name: str, *, ends: int) -> int | None:
        """The number of calls under this name in the window that ends then; None when it cannot be told."""
        try:
            count = self._in_file(name, ends) if self._cache_is_local() else self._in_cache(name, ends)
        except (sqlite3.Error, OSError):
            count = None
        if (count is None) != self._is_away:
            self._is_away = count is None
            logger.warning("limits are not kept" if self._is_away else "limits are kept again")
        return count

    @staticmethod
    def _cache_is_local() -> bool:
        return any(kind in settings.CACHES["default"]["BACKEND"] for kind in LOCAL)

    def _in_file(self, name: str, ends: int) -> int:
        path = Path(settings.LIMITS_FILE)
        if path not in self._files:
            self._files[path] = FileCounter(path)
        return self._files[path].add_one(name, ends=ends)

    @staticmethod
    def _in_cache(name: str, ends: int) -> int | None:
        key = f"calls:{name}:{ends}"
        with contextlib.suppress(ValueError):  # there is none yet
            return cache.incr(key)
        if cache.add(key, 1, timeout=ends - int(time.time()) + 10):
            return 1
        with contextlib.suppress(ValueError):  # the cache does not answer: then there is none still
            return cache.incr(key)
        return None


counter = Counter()
