"""What the search reads from the database: few queries, each with few parameters, whatever the scope.

Thousands of ids as parameters of their own, or a condition for each chunk, would cost the ORM more than the search.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import connection
from django.db.models.expressions import RawSQL

from documents.models import Chunk, Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import QuerySet

Row = TypeVar("Row")

ROWS = 100  # in memory at a time; the indexes and vectors of a scope can be more than a process should hold
CHUNK_FIELDS = ("id", "document__filename", "start", "end", "page", "page_breaks", "heading", "text")
CHUNKS_AT = {
    "sqlite": """SELECT c.id FROM json_each(%s) AS place JOIN chunks AS c
                 ON c.document_id = place.value ->> 0 AND c.position = place.value ->> 1""",
    "postgresql": """SELECT c.id FROM unnest(%s::bigint[], %s::integer[]) AS place(document_id, position)
                     JOIN chunks AS c USING (document_id, position)""",
}


def keyword_indexes(document_ids: Iterable[int]) -> Iterator[tuple[int, int, bytes | memoryview]]:
    """(id, number of chunks, keyword index) of the documents that have chunks, in the order of ids."""
    rows = Document.objects.filter(id__in=among(document_ids), chunk_count__gt=0).order_by("id")
    return streamed(rows.values_list("id", "chunk_count", "keyword_index"))


def chunks_at(places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], tuple[Any, ...]]:
    """(document id, position) to `CHUNK_FIELDS`, for those chunks that are there."""
    postgresql = connection.vendor == "postgresql"
    parameters: list[Any] = (
        [list(column) for column in zip(*places, strict=True)] if postgresql else [json.dumps(places)]
    )
    found = RawSQL(CHUNKS_AT[connection.vendor], parameters)  # noqa: S611  constant text
    rows = Chunk.objects.filter(id__in=found).order_by()
    return {row[:2]: row[2:] for row in rows.values_list("document_id", "position", *CHUNK_FIELDS)}


def among(keys: Iterable[int]) -> RawSQL:
    """For `filter(id__in=among(keys))`."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(keys))])


def streamed(rows: QuerySet[Any, Row]) -> Iterator[Row]:
    """The rows, on SQLite a few in memory at a time, on PostgreSQL in binary.

    As text, bytes would come in hexadecimal: twice as many, which took longer than all scoring of a large scope.
    """
    return _in_binary(rows) if connection.vendor == "postgresql" else rows.iterator(chunk_size=ROWS)


def _in_binary(rows: QuerySet[Any, Row]) -> Iterator[Row]:
    """Django's own cursors bind parameters on this side, and such can only read text."""
    import psycopg

    statement, parameters = rows.query.sql_with_params()
    connection.ensure_connection()
    plain: Any = psycopg.Cursor(connection.connection)
    plain.format = psycopg.pq.Format.BINARY
    wrapped = connection.make_debug_cursor(plain) if connection.queries_logged else connection.make_cursor(plain)
    with wrapped as cursor:
        cursor.execute(statement, parameters)
        yield from cast("Iterator[Row]", cursor)
