"""Connections to an SQLite file go from thread to thread, fit for the next one, and there are no more than so many."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError
from django.db.backends.signals import connection_created

from botgpt.operations.sqlite3.pool import SIZE, Connection, pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_where_all_are_busy_there_is_one_more_which_is_not_kept(connect: Connect) -> None:
    everyone = [connect() for _ in range(SIZE + 1)]
    assert [count(one) for one in everyone] == [0] * len(everyone)
    extra = everyone[-1].connection
    everyone[-1].close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        extra.execute("SELECT 1")
    kept = everyone[0].connection
    everyone[0].close()
    count(everyone[-1])
    assert everyone[-1].connection is kept


def test_who_waits_has_the_next_that_is_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botgpt.operations.sqlite3.pool.BUSY_SECONDS", 20)
    everyone = [connect() for _ in range(SIZE + 1)]
    for one in everyone[:-1]:
        count(one)
    lent = everyone[3].connection
    timer = threading.Timer(0.2, everyone[3].close)
    timer.start()
    assert count(everyone[-1]) == 0
    assert everyone[-1].connection is lent
    timer.join()


def test_a_thread_that_ends_without_closing_frees_its_place(connect: Connect) -> None:
    for _ in range(2 * SIZE):
        one = connect()
        count(one)
        one.connection = None  # as when the thread's wrapper goes
        gc.collect()
    count(one)
    lent = one.connection
    one.close()
    count(other := connect())
    assert other.connection is lent


def test_who_takes_a_connection_at_the_moment_it_is_given_keeps_its_place(connect: Connect, path: str) -> None:
    one, other = connect(), connect()
    count(one)
    shared = pool(path, SIZE)

    class Watched(list[Connection]):
        def append(self, given: Connection) -> None:
            super().append(given)
            count(other)  # another thread's turn comes here

    shared._idle = Watched()
    one.close()
    shared._idle = []
    other.close()
    assert shared._places.qsize() == SIZE


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
    one.disable_constraint_checking()
    one.close()
    assert ask(other, "PRAGMA foreign_keys") == [(1,)]
    assert ask(one, "PRAGMA foreign_keys") == [(1,)]


@pytest.mark.parametrize("at_the_end_of_a_request", [False, True])
def test_a_connection_that_failed_goes_to_nobody(connect: Connect, *, at_the_end_of_a_request: bool) -> None:
    one, other = connect(), connect()
    with pytest.raises(OperationalError):
        ask(one, "SELECT nothing FROM nowhere")
    failed = one.connection
    one.close_if_unusable_or_obsolete() if at_the_end_of_a_request else one.close()
    assert one.connection is None
    count(other)
    assert other.connection is not failed
    count(one)
    assert not one.errors_occurred


def test_another_name_is_another_file(connect: Connect, tmp_path: Path) -> None:
    one = connect()
    count(one)
    one.close()
    one.settings_dict["NAME"] = str(tmp_path / "other.sqlite3")  # as Django's tests do it
    with pytest.raises(OperationalError, match="no such table"):
        count(one)
    one.close()


def test_a_file_that_took_the_place_of_another_is_opened(connect: Connect, path: str, tmp_path: Path) -> None:
    one = connect()
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(path, backup := tmp_path / "backup.sqlite3")
    ask(one, "INSERT INTO numbers VALUES (1)")
    ask(one, "PRAGMA wal_checkpoint(TRUNCATE)")
    one.close()
    backup.replace(path)
    assert count(one) == 0


def test_a_fork_opens_its_own_and_takes_no_lock_of_its_parent_for_its_own(connect: Connect, path: str) -> None:
    one, other = connect(), connect()
    count(one)
    lent = one.connection
    one.close()
    if (child := os.fork()) == 0:
        count(one)
        os._exit(0 if one.connection is not lent and is_locked(path) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert count(other) == 0


def test_what_was_lent_before_a_fork_is_kept_by_nobody_behind_it(connect: Connect) -> None:
    one, other = connect(), connect()
    count(one)
    lent = one.connection
    if (child := os.fork()) == 0:
        one.close()
        count(other)
        os._exit(0 if other.connection is not lent else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert count(one) == 0


def is_locked(path: str) -> bool:
    """Whether this process has a lock on the file, by what the kernel says."""
    me, file = str(os.getpid()), str(Path(path).stat().st_ino)
    locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    return any(me in lock and any(part.endswith(f":{file}") for part in lock) for lock in locks)
