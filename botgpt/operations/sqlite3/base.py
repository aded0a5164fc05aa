"""The backend: a transaction, and a write without one, waits for its turn (`queueing`) before it asks SQLite."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.backends.sqlite3 import base

from .queueing import write_queue

if TYPE_CHECKING:
    import sqlite3

    from .queueing import WriteQueue

DEFAULT_SECONDS = 5.0  # sqlite3's own
WRITES = ("INSERT", "UPDATE", "DELETE")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection; between BEGIN and COMMIT or ROLLBACK it is the one that writes."""

    _entered: WriteQueue | None = None

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ARG002  other databases have named ones
        return self.connection.cursor(factory=partial(_Cursor, wrapper=self))

    def enter(self) -> None:
        """Wait for this connection's turn; when it does not come in time, SQLite's own lock is left to tell."""
        if self.is_in_memory_db():
            return
        queue = write_queue(str(self.settings_dict["NAME"]))
        if queue.enter(timeout=self.settings_dict["OPTIONS"].get("timeout", DEFAULT_SECONDS)):
            self._entered = queue

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
        super()._commit()  # type: ignore[misc]
        self.leave()  # only now: a commit that failed is rolled back

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
        if self.connection.in_transaction or not query.startswith(WRITES):
            return super().execute(query, params)
        self._wrapper.enter()
        try:
            return super().execute(query, params)
        finally:
            self._wrapper.leave()
