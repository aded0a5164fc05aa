"""Statements whose SQL is built once: Django's compiler takes ten times as long as a database does for them.

They do what the ORM does, field by field and on both engines. Writes are of single rows, on the default database, and
send no signals.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from django.db.models.base import ModelState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Field

    Conversion = tuple[int, Callable[[Any, Any, BaseDatabaseWrapper], Any], Any]

Row = TypeVar("Row", bound=Model)


def select(model: type[Row], rest: str, values: Sequence[Any], *, using: str) -> list[Row]:
    """Rows with all their fields. `QuerySet.raw` does the same, and takes two to three times as long.

    Args:
        rest: SQL that comes after the table's name; a constant.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute(_select(model) + rest, values)
        rows = cursor.fetchall()
    names, conversions = _conversions(model, connection.alias)
    return [_instance(model, names, _converted(row, conversions, connection), using=using) for row in rows]


def insert(row: Model) -> None:
    """Store a new row, as `save(force_insert=True)` does; its key comes from the database."""
    connection = connections[DEFAULT_DB_ALIAS]
    fields, sql = _insert(type(row), returning=connection.features.can_return_columns_from_insert)
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        key = cursor.fetchone()[0] if sql.endswith("RETURNING id") else cursor.lastrowid
    row.pk, row._state.adding, row._state.db = key, False, connection.alias


def update(row: Model, *names: str, where: str = "TRUE", values: Sequence[Any] = ()) -> bool:
    """Write these fields of a row, if it still meets the condition; whether it did.

    Args:
        where: SQL, besides the key.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    fields, sql = _update(type(row), names)
    new = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} AND {where}", [*new, row.pk, *values])
        return bool(cursor.rowcount)


@cache
def _select(model: type[Model]) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return f'SELECT {columns} FROM "{model._meta.db_table}" '  # noqa: S608  our own names


@cache
def _conversions(model: type[Model], alias: str) -> tuple[list[str], list[Conversion]]:
    """The names of the fields, and how to read those that the engine gives in another form: the place of each."""
    connection = connections.create_connection(alias)  # never opened; a thread's own would be kept by what it gives
    names, conversions = [], []
    for place, field in enumerate(model._meta.concrete_fields):
        names.append(field.attname)
        column = field.get_col(model._meta.db_table)
        for convert in connection.ops.get_db_converters(column) + field.get_db_converters(connection):
            conversions.append((place, convert, column))
    return names, conversions


def _converted(row: Sequence[Any], conversions: list[Conversion], connection: BaseDatabaseWrapper) -> list[Any]:
    values = list(row)
    for place, convert, column in conversions:
        values[place] = convert(values[place], column, connection)
    return values


def _instance(model: type[Row], names: list[str], values: list[Any], *, using: str) -> Row:
    """As unpickling does it: `from_db` asks every field how to be set, and sends two signals."""
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, using
    row.__dict__.update(zip(names, values, strict=True))
    return row


@cache
def _insert(model: type[Model], *, returning: bool) -> tuple[list[Field[Any, Any]], str]:
    fields = [field for field in model._meta.local_concrete_fields if not field.primary_key]
    columns, marks = ", ".join(f'"{field.column}"' for field in fields), ", ".join(["%s"] * len(fields))
    sql = f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})'  # noqa: S608  our own names
    return fields, sql + " RETURNING id" * returning


@cache
def _update(model: type[Model], names: tuple[str, ...]) -> tuple[list[Field[Any, Any]], str]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    return fields, f'UPDATE "{model._meta.db_table}" SET {columns} WHERE id = %s'  # noqa: S608  our own names
