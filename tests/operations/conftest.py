"""A database file of its own, and connections to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from django.db.utils import ConnectionHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django import DjangoDbBlocker

    from botgpt.operations.sqlite3.base import DatabaseWrapper

TIMEOUT = 1.0


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
        with (first := open_one()).cursor() as cursor:
            cursor.execute("CREATE TABLE numbers (number INTEGER)")
        first.close()
        yield open_one
        for connection in opened:
            connection.close()
