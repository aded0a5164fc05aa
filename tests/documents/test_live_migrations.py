"""Indexes on large tables are made while others write."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
def test_an_index_is_made_and_dropped_concurrently_where_the_engine_can(transactional_db: None, direction: str) -> None:
    sql = StringIO()
    call_command("sqlmigrate", "documents", "0002", backwards=direction == "backwards", no_color=True, stdout=sql)
    assert "documents_unready" in sql.getvalue()
    assert "BEGIN" not in sql.getvalue()
    assert ("CONCURRENTLY" in sql.getvalue()) == (connection.vendor == "postgresql")
