"""Connections to an SQLite file go from thread to thread, fit for the next one, and there are no more than so many."""

from __future__ import annotations

import gc
import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created

from botgpt.operations.sqlite3.pool import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botgpt.operations.sqlite3.base import DatabaseWrapper

    Connect = Callable[[], DatabaseWrapper]


@pytest.fixture
def opened() -> Iterator[list[object]]:
    """What was opened anew for a thread that had none before."""
    found: list[object] = []

    def note(connection: DatabaseWrapper, **_: object) -> None:
        found.append(connection)

    connection_created.connect(note)
    yield found
    connection_created.disconnect(note)


def ask(connection: DatabaseWrapper, sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        return list(cursor.execute(sql).fetchall())


def count(connection: DatabaseWrapper) -> object:
    return ask(connection, "SELECT COUNT(*) FROM numbers")[0][0]


def test_the_next_thread_has_the_connection_that_was_closed_last(connect: Connect) -> None:
    one, other = connect(), connect()
    count(one)
    lent = one.connection
    one.close()
    assert one.connection is None
    assert count(other) == 0
    assert other.connection is lent
    count(one)
    assert one.connection is not lent


def test_a_thread_that_comes_back_is_as_it_was(connect: Connect, opened: list[object]) -> None:
    one = connect()
    for _ in range(3):
        ask(one, "INSERT INTO numbers VALUES (1)")
        one.close()
    assert count(one) == 3
    assert one.get_autocommit()
    assert opened == [one]


def test_no_more_than_so_many_are_lent(connect: Connect) -> None:
    everyone = [connect() for _ in range(SIZE + 1)]
    for one in everyone[:-1]:
        count(one)
    with pytest.raises(OperationalError, match="became free"):
        count(everyone[-1])
    everyone[0].close()
    assert count(everyone[-1]) == 0


def test_who_waits_has_the_next_that_is_closed(connect: Connect) -> None:
    everyone = [connect() for _ in range(SIZE + 1)]
    for one in everyone[:-1]:
        count(one)
    timer = threading.Timer(0.2, everyone[3].close)
    timer.start()
    assert count(everyone[-1]) == 0
    timer.join()


def test_a_thread_that_ends_without_closing_frees_its_place(connect: Connect) -> None:
    gc.disable()
    try:
        for _ in range(SIZE + 1):
            one = connect()
            assert count(one) == 0
            one.connection = None  # as when the thread's wrapper goes
    finally:
        gc.enable()


def test_what_was_left_half_read_does_not_keep_the_next_thread_at_an_old_state(connect: Connect) -> None:
    one, other, writer = connect(), connect(), connect()
    with writer.cursor() as cursor:
        cursor.executemany("INSERT INTO numbers VALUES (%s)", [(number,) for number in range(500)])
    half_read = one.cursor()
    half_read.execute("SELECT number FROM numbers")
    half_read.fetchone()
    lent = one.connection
    one.close()
    ask(writer, "DELETE FROM numbers")
    assert count(other) == 0
    assert other.connection is lent


def test_a_transaction_that_was_left_open_is_rolled_back(connect: Connect) -> None:
    one, other = connect(), connect()
    count(one)
    lent = one.connection
    one.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    ask(one, "INSERT INTO numbers VALUES (1)")
    one.close()
    assert count(other) == 0
    assert other.connection is not lent
    assert count(one) == 0
    one.set_autocommit(True)


def test_a_connection_that_does_not_check_foreign_keys_goes_to_nobody(connect: Connect) -> None:
    one, other = connect(), connect()
    count(one)
    one.disable_constraint_checking()
    one.close()
    assert ask(other, "PRAGMA foreign_keys") == [(1,)]
    assert ask(one, "PRAGMA foreign_keys") == [(1,)]


def test_a_connection_that_failed_goes_to_nobody(connect: Connect) -> None:
    one, other = connect(), connect()
    with pytest.raises(OperationalError):
        ask(one, "SELECT nothing FROM nowhere")
    failed = one.connection
    one.close()
    count(other)
    assert other.connection is not failed
    count(one)
    assert not one.errors_occurred


def test_a_file_that_took_the_place_of_another_is_opened(connect: Connect, path: str, tmp_path: Path) -> None:
    one = connect()
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, backup := tmp_path / "backup.sqlite3")
    ask(one, "INSERT INTO numbers VALUES (1)")
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    one.close()
    backup.replace(path)
    assert count(one) == 0


def test_a_fork_opens_its_own(connect: Connect) -> None:
    one, other = connect(), connect()
    count(one)
    count(other)
    idle, lent = one.connection, other.connection
    one.close()
    if (child := os.fork()) == 0:
        count(one)
        is_own = one.connection is not idle
        other.close()  # which was lent by the parent
        count(other)
        os._exit(0 if is_own and other.connection not in (idle, lent) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert count(connect()) == 0
