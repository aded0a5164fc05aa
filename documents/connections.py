"""Database connections are few: whoever waits for something else gives theirs back."""

from __future__ import annotations

from django.db import DEFAULT_DB_ALIAS, connections


def release_connection(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Give the thread's connection back to its pool before something slow; inside a transaction nothing happens."""
    connection = connections[alias]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
