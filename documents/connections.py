"""Database connections are few: whoever waits for something else gives theirs back."""

from __future__ import annotations

from django.db import connection


def release_connection() -> None:
    """Give the thread's connection back to its pool before something slow; inside a transaction nothing happens."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
