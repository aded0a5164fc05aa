"""Values as CSV files have them, which people open in spreadsheets."""

from __future__ import annotations

import csv
import datetime as dt
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What spreadsheets take for the beginning of a formula. A number keeps its minus.
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Line:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The lines of a file as RFC 4180 has them, one by one."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([plain(value) for value in row])


def plain(value: Any) -> str:
    """A value as a cell that no spreadsheet runs."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = str(value)
    if not isinstance(value, int | float) and text.lstrip(" ").startswith(FORMULAS):
        return f"'{text}"
    return text
