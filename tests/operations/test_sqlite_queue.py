"""Writers of an SQLite file queue, behind other threads and other processes, no longer than the database's timeout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest
from django.db import OperationalError, connections
from django.db.utils import ConnectionHandler

from botgpt.operations.sqlite3.queueing import write_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django import DjangoDbBlocker

    from botgpt.operations.sqlite3.base import DatabaseWrapper

TIMEOUT = 1.0
HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "db.sqlite3")


@pytest.fixture
def connect(path: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[], DatabaseWrapper]]:
    """Opens connections to one file; every thread may use them."""
    opened = []

    def open_one() -> DatabaseWrapper:
        options = {"transaction_mode": "IMMEDIATE", "timeout": TIMEOUT, "init_command": "PRAGMA journal_mode=WAL"}
        engine = "botgpt.operations.sqlite3"
        handler = ConnectionHandler({"default": {"ENGINE": engine, "NAME": path, "OPTIONS": options}})
        connection = cast("DatabaseWrapper", handler["default"])
        connection.inc_thread_sharing()
        opened.append(connection)
        return connection

    with django_db_blocker.unblock():
        with open_one().cursor() as cursor:
            cursor.execute("CREATE TABLE numbers (number INTEGER)")
        yield open_one
        for connection in opened:
            connection.close()


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
    if free := queue.enter(timeout=0.05):
        queue.leave()
    return free


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
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"):
        begin(other)
    assert time.monotonic() - began >= TIMEOUT
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
        os._exit(0 if _waits(path) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    end(one)


def _waits(path: str) -> bool:
    """Whether the queue's kernel part keeps this process waiting."""
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    write_queue(path).enter(timeout=1)
    return False


def test_a_folder_that_cannot_hold_the_queue_changes_nothing(tmp_path: Path) -> None:
    queue = write_queue(str(tmp_path / "absent" / "db.sqlite3"))
    assert not queue.enter(timeout=1)
    assert not queue.enter(timeout=1)


def test_the_service_queues() -> None:
    connection = connections["default"]
    if connection.vendor != "sqlite":
        pytest.skip("The tests run on another database.")
    assert connection.settings_dict["ENGINE"] == "botgpt.operations.sqlite3"
