"""The backend. A transaction, and a write without one, waits for its turn (`queueing`) before it asks SQLite; a
connection that is closed goes to the next thread that opens one (`pool`)."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from django.db import OperationalError
from django.db.backends.sqlite3 import base, operations

from .pool import SIZE, Connection, pool
from .queueing import write_queue

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from .pool import Pool
    from .queueing import WriteQueue

DEFAULT_SECONDS = 5.0  # sqlite3's own
WRITES: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b")


class DatabaseOperations(operations.DatabaseOperations):
    """What SQLite gives, as Django's fields want it."""

    def convert_datetimefield_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """As Django's, which takes five times as long: a page of a list has sixty moments."""
        if type(value) is datetime and value.tzinfo is None and connection.timezone:
            return value.replace(tzinfo=connection.timezone)
        return super().convert_datetimefield_value(value, expression, connection)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection; between BEGIN and COMMIT or ROLLBACK it is the one that writes.

    `OPTIONS` may have a `pool_size`: how many connections this process keeps to the file.
    """

    ops_class = DatabaseOperations
    _entered: WriteQueue | None = None
    _pool: Pool | None = None
    _take: Callable[[], Connection]

    def connect(self) -> None:
        """As Django's, which takes 30 µs to set this up as the thread's last connection has left it."""
        is_same = self._pool and self._pool.database == str(self.settings_dict["NAME"])
        if is_same and self.autocommit and not self.errors_occurred:
            with self.wrap_database_errors:
                self.connection = self._take()
        else:
            super().connect()

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        params |= {"factory": Connection, "isolation_level": None}
        size = params.pop("pool_size", SIZE)
        self._pool = None if self.is_in_memory_db() else pool(str(params["database"]), size)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        self._take = partial(super().get_new_connection, conn_params)
        if self._pool:
            self._take = partial(self._pool.take, self._take)
        return self._take()

    @property
    def _is_as_it_was(self) -> bool:
        """Whether another thread may have the connection."""
        connection = self.connection
        return self.autocommit and not (self.in_atomic_block or self.errors_occurred or connection.in_transaction)

    def disable_constraint_checking(self) -> bool:
        """As Django's; the connection is not used by others afterwards."""
        try:
            return super().disable_constraint_checking()
        finally:
            self._pool = None

    def is_usable(self) -> bool:
        """Django asks after an error, and Django's own answer is always yes."""
        return not self.errors_occurred

    def close_pool(self) -> None:
        """Close what no thread uses; PostgreSQL's has the same."""
        if self._pool:
            self._pool.close_idle()

    def create_cursor(self, name: str | None = None) -> Any:  # noqa: ARG002  other databases have named ones
        cursor = self.connection.cursor(factory=partial(_Cursor, wrapper=self))
        if self._pool:
            self.connection.cursors.add(cursor)
        return cursor

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
            if self._pool and self._is_as_it_was:
                self._pool.give(self.connection)
            else:
                super()._close()  # type: ignore[misc]
        finally:
            self.leave()


class _Cursor(base.SQLiteCursorWrapper):
    def __init__(self, connection: sqlite3.Connection, *, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        """As Django's, which searches the same few statements again and again."""
        return str(super().convert_query(query, param_names=param_names)) if param_names else _with_marks(query)

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


@lru_cache(1_000)
def _with_marks(query: str) -> str:
    """`?` for each `%s`, by Django's own expression."""
    return str(base.FORMAT_QMARK_REGEX.sub("?", query)).replace("%%", "%")
