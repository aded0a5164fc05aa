"""Walks through tables of any length, a batch at a time, so that neither memory nor a transaction grows with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound="Model")


def in_batches(rows: QuerySet[Row], *, size: int) -> Iterator[list[Row]]:
    """The rows in the order of their keys; what a batch deletes or changes does not disturb the next."""
    rows = rows.order_by("pk")
    batch = list(rows[:size])
    while batch:
        yield batch
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:size])
