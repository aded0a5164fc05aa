"""Writers of an SQLite file queue, behind other threads, no longer than the database's timeout, and other processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, OperationalError, connections
from django.db.backends.sqlite3 import base

from botgpt.operations.sqlite3.queueing import write_queue

from .conftest import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from botgpt.operations.sqlite3.base import DatabaseWrapper

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def begin(connection: DatabaseWrapper) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def end(connection: DatabaseWrapper, *, well: bool = True) -> None:
    connection.commit() if well else connection.rollback()
    connection.set_autocommit(True)


def insert(connection: DatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO numbers VALUES (1)")


def is_free(path: str) -> bool:
    queue = write_queue(path)
    try:
        assert queue.enter(timeout=0.05)
    except TimeoutError:
        return False
    queue.leave()
    return True


def test_a_transaction_has_its_turn_until_it_ends(connect: Callable[[], DatabaseWrapper], path: str) -> None:
    one = connect()
    for well in (True, False):
        begin(one)
        assert not is_free(path)
        end(one, well=well)
        assert is_free(path)


def test_a_connection_that_is_closed_in_a_transaction_frees_its_turn(
    connect: Callable[[], DatabaseWrapper], path: str
) -> None:
    one = connect()
    begin(one)
    one.close()
    assert is_free(path)


def test_a_write_without_a_transaction_waits_for_one_and_a_read_does_not(
    connect: Callable[[], DatabaseWrapper],
) -> None:
    one, other = connect(), connect()
    begin(one)
    insert(one)
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(insert, other)
        with connect().cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM numbers")
            assert cursor.fetchone() == (0,)
        assert not written.done()
        end(one)
        written.result(timeout=TIMEOUT)


def test_many_writers_lose_nothing(connect: Callable[[], DatabaseWrapper]) -> None:
    started = threading.Barrier(8)

    def add(connection: DatabaseWrapper) -> None:
        started.wait()
        for _ in range(20):
            begin(connection)
            insert(connection)
            end(connection)
            insert(connection)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(add, connect()) for _ in range(8)]:
            done.result()
    with connect().cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM numbers")
        assert cursor.fetchone() == (8 * 20 * 2,)


def test_who_waits_too_long_is_told_what_sqlite_says(connect: Callable[[], DatabaseWrapper]) -> None:
    one, other = connect(), connect()
    begin(one)
    insert(one)
    for write in (begin, insert):
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            write(other)
        assert TIMEOUT <= time.monotonic() - began < 1.8 * TIMEOUT
    end(one)
    begin(other)  # the turn that it never had was not taken from anybody
    end(other)


def test_a_process_that_is_killed_frees_its_turn(connect: Callable[[], DatabaseWrapper], path: str) -> None:
    one = connect()
    insert(one)
    with (
        subprocess.Popen([sys.executable, "-c", HOLDER, f"{path}-queue"], stdout=subprocess.PIPE) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        written = pool.submit(insert, one)
        time.sleep(0.2)
        assert not written.done()
        holder.kill()
        written.result(timeout=5)


def test_a_fork_has_its_own_place(connect: Callable[[], DatabaseWrapper], path: str) -> None:
    one = connect()
    begin(one)
    if (child := os.fork()) == 0:
        one.close()  # its turn is the parent's
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))  # the kernel keeps it waiting, for the parent
        with suppress(TimeoutError):  # and not a thread that it does not have
            write_queue(path).enter(timeout=0.1)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    end(one)


def test_a_commit_that_is_interrupted_when_it_is_done_frees_its_turn(
    connect: Callable[[], DatabaseWrapper], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = base.DatabaseWrapper._commit  # type: ignore[attr-defined]

    def interrupted(wrapper: DatabaseWrapper) -> None:
        commit(wrapper)
        raise KeyboardInterrupt

    begin(one := connect())
    monkeypatch.setattr(base.DatabaseWrapper, "_commit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.commit()
    assert is_free(path)


def test_a_transaction_that_sqlite_ends_itself_does_not_wait_for_its_own_turn(
    connect: Callable[[], DatabaseWrapper], path: str
) -> None:
    one = connect()
    with one.cursor() as cursor:
        cursor.execute("CREATE TABLE once (number INTEGER PRIMARY KEY)")
        begin(one)
        cursor.execute("INSERT INTO once VALUES (1)")
        with pytest.raises(IntegrityError):
            cursor.execute("INSERT OR ROLLBACK INTO once VALUES (1)")
        began = time.monotonic()
        cursor.execute("INSERT INTO once VALUES (1)")
    assert time.monotonic() - began < TIMEOUT / 2
    assert is_free(path)


def test_statements_of_many_rows_and_ones_that_begin_with_a_line_break_wait_too(
    connect: Callable[[], DatabaseWrapper],
) -> None:
    one, other = connect(), connect()
    begin(one)
    with other.cursor() as cursor:
        with pytest.raises(OperationalError, match="other writers"):
            cursor.executemany("INSERT INTO numbers VALUES (%s)", [(1,), (2,)])
        with pytest.raises(OperationalError, match="other writers"):
            cursor.execute("\n    INSERT INTO numbers VALUES (1)")
    end(one)


def test_whoever_may_use_the_database_may_queue(connect: Callable[[], DatabaseWrapper], path: str) -> None:
    insert(connect())
    queue, database = Path(f"{path}-queue").stat(), Path(path).stat()
    assert (queue.st_mode, queue.st_uid, queue.st_gid) == (database.st_mode, database.st_uid, database.st_gid)


def test_a_database_that_is_known_by_two_names_has_one_queue(
    connect: Callable[[], DatabaseWrapper], path: str, tmp_path: Path
) -> None:
    (link := tmp_path / "link.sqlite3").symlink_to(path)
    begin(one := connect())
    with ThreadPoolExecutor(1) as pool:
        entered = pool.submit(write_queue(str(link)).enter, timeout=1)
        time.sleep(0.2)
        assert not entered.done()
        end(one)
        assert entered.result(timeout=5)
    write_queue(str(link)).leave()


def test_a_folder_that_cannot_hold_the_queue_changes_nothing(tmp_path: Path) -> None:
    queue = write_queue(str(tmp_path / "absent" / "db.sqlite3"))
    assert not queue.enter(timeout=1)
    assert not queue.enter(timeout=1)


def test_the_service_queues() -> None:
    connection = connections["default"]
    if connection.vendor != "sqlite":
        pytest.skip("The tests run on another database.")
    assert connection.settings_dict["ENGINE"] == "botgpt.operations.sqlite3"
