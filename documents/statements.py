"""Writes of single rows whose SQL is built once: Django's compiler takes ten times as long as a database does for them.

They do what the ORM does, field by field and on both engines, on the default database. No signals are sent. For reads
there is `QuerySet.raw`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model


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
