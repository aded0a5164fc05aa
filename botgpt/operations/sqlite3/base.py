"""The backend: a transaction, and a write without one, waits for its turn (`queueing`) before it asks SQLite."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from .queueing import write_queue

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from .queueing import WriteQueue

DEFAULT_SECONDS = 5.0  # sqlite3's own
WRITES: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection; between BEGIN and COMMIT or ROLLBACK it is the one that writes."""

    _entered: WriteQueue | None = None

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ARG002  other databases have named ones
        return self.connection.cursor(factory=partial(_Cursor, wrapper=self))

    def enter(self) -> None:
        """Wait for this connection's turn; where writers cannot queue, SQLite's own lock is left to tell.

        Raises:
            OperationalError: it did not come within the database's timeout.
        """
        if self._entered or self.is_in_memory_db():
            return
        queue = write_queue(str(self.settings_dict["NAME"]))
        try:
            if queue.enter(timeout=self.settings_dict["OPTIONS"].get("timeout", DEFAULT_SECONDS)):
                self._entered = queue
        except TimeoutError as exc:
            raise OperationalError("database is locked: other writers took too long") from exc

    def leave(self) -> None:
        """End the turn, if it has one."""
        queue, self._entered = self._entered, None
        if queue:
            queue.leave()

    def _start_transaction_under_autocommit(self) -> None:
        self.enter()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self.leave()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            if not (self.connection and self.connection.in_transaction):  # else it failed, and is rolled back
                self.leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.leave()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self.leave()


class _Cursor(base.SQLiteCursorWrapper):
    def __init__(self, connection: sqlite3.Connection, *, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        return self._in_turn(super().execute, query, params)

    def executemany(self, query: str, param_list: Any) -> Any:
        return self._in_turn(super().executemany, query, param_list)

    def _in_turn(self, execute: Callable[[str, Any], Any], query: str, params: Any) -> Any:
        if self.connection.in_transaction or not WRITES.match(query):
            return execute(query, params)
        self._wrapper.enter()
        try:
            return execute(query, params)
        finally:
            self._wrapper.leave()
