"""Reads the plan of a statement: does it go through a whole table?"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE: Final = frozenset(
    {
        *("users", "conversations", "messages", "llm_calls", "allowances", "idempotency_keys", "documents", "chunks"),
        *("api_keys", "audit_events", "token_blacklist_outstandingtoken", "oauth2_provider_accesstoken"),
    }
)
SMALL: Final = {"messages_one_running_reply", "documents_unready", "users_special"}  # indexes of few rows
READ_WHOLE: Final = {"Sort", "Aggregate", "Hash", "Materialize", "WindowAgg"}  # whatever limit stands above them
PLANNED: Final = ("SELECT", "UPDATE", "DELETE")


@contextmanager
def no_table_is_read_whole() -> Iterator[None]:
    """Fails when a statement of the block reads a large table, or an index of it, from one end to the other.

    The first so many rows of a table, in the order of an index and without a condition, are no such reading.
    """
    with CaptureQueriesContext(connection) as queries:
        yield
    found = [
        f"{problem}\n{sql[:600]}"
        for sql in (query["sql"].lstrip() for query in queries)
        if sql.startswith(PLANNED)
        for problem in whole_readings(sql)
    ]
    assert not found, "\n\n".join(found)
    assert any(query["sql"].lstrip().startswith(PLANNED) for query in queries)


def whole_readings(sql: str) -> list[str]:
    """What of the statement's plan goes through a whole table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            generic = "GENERIC_PLAN, " if "$1" in sql else ""  # sent with its parameters beside it
            cursor.execute(f"EXPLAIN ({generic}FORMAT JSON) {sql}")
            (found,) = cursor.fetchone()
            plan = json.loads(found) if isinstance(found, str) else found
            return list(_in_postgresql(plan[0]["Plan"], limited=False))
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return list(_in_sqlite(sql, [detail for *_, detail in cursor.fetchall()]))


def _in_postgresql(node: dict[str, Any], *, limited: bool) -> Iterator[str]:
    kind = node["Node Type"]
    limited = kind == "Limit" or (limited and kind not in READ_WHOLE)
    has_condition = "Index Cond" in node or kind.startswith("Bitmap")
    reads = node.get("Relation Name") in LARGE and node.get("Index Name") not in SMALL and kind != "ModifyTable"
    if reads and not has_condition and ("Filter" in node or not limited):
        yield f"{kind} of {node['Relation Name']}, filter {node.get('Filter')}"
    for child in node.get("Plans", ()):
        yield from _in_postgresql(child, limited=limited)


def _in_sqlite(sql: str, details: list[str]) -> Iterator[str]:
    """A SCAN has no condition that an index could answer."""
    is_first_rows = "LIMIT" in sql and "WHERE" not in sql and "USE TEMP B-TREE FOR ORDER BY" not in details
    for detail in details:
        scanned = re.fullmatch(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", detail)
        if scanned and scanned[1] in LARGE and scanned[2] not in SMALL and not is_first_rows:
            yield detail
