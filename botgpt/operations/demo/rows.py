"""Writes very many rows of one table: by COPY on PostgreSQL, elsewhere by one prepared statement.

Keys are reserved first, so that rows of several tables can name each other before any of them is there.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

Row = tuple[Any, ...]


def reserve(model: type[Model], count: int) -> list[int]:
    """So many keys in ascending order that nobody else gets. On SQLite they are this transaction's alone."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()[0] or 0
    return list(range(last + 1, last + count + 1))


def write(model: type[Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert the rows. JSON is given as text; a column that is not named gets the default of its field."""
    quoted = connection.ops.quote_name
    others = {
        str(field.column): field.get_db_prep_save(field.get_default(), connection)
        for field in model._meta.concrete_fields
        if field.column not in columns
    }
    constants = {column: value for column, value in others.items() if value is not None}
    names = ", ".join(map(quoted, (*columns, *constants)))
    added = tuple(constants.values())
    whole = (row + added for row in rows)
    table = quoted(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in whole:
                    copy.write_row(row)
            return
        places = ", ".join(["%s"] * (len(columns) + len(constants)))
        cursor.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608  our own names
            [tuple(map(_adapted, row)) for row in whole],
        )


def _adapted(value: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
