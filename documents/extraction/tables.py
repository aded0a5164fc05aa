"""Reads tables: CSV, TSV and Excel workbooks. A row becomes a line that names its columns, so it makes sense alone."""

from __future__ import annotations

import csv
import datetime as dt
import io
from itertools import chain
from typing import TYPE_CHECKING, Any

from .builder import CELL, clean, one_line
from .plain import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .builder import TextBuilder

DELIMITERS = ",;\t|"


def read_csv(path: Path, out: TextBuilder) -> None:
    """Values separated by whichever of comma, semicolon, tab and bar the first line has most of."""
    text = clean(decode(path.read_bytes()))
    first = text.lstrip("\n").partition("\n")[0]
    _write_csv(text, max(DELIMITERS, key=first.count), out)


def read_tsv(path: Path, out: TextBuilder) -> None:
    """Values separated by tabs."""
    _write_csv(clean(decode(path.read_bytes())), "\t", out)


def read_xlsx(path: Path, out: TextBuilder) -> None:
    """Every sheet under its name; of formulas the values that were last computed."""
    import openpyxl

    from .archive import check_archive

    check_archive(path, max_bytes=out.limits.unpacked_bytes)
    with path.open("rb") as file:  # by its path it would be refused for its name
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # the size that a sheet claims pads every row
            rows = ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
            filled = (row for row in rows if any(row))
            if (first := next(filled, None)) is not None:
                out.heading(sheet.title, level=1)
                _write_table(chain([first], filled), out)


def _write_csv(text: str, delimiter: str, out: TextBuilder) -> None:
    csv.field_size_limit(out.limits.chars)
    _write_table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), out)


def _write_table(rows: Iterable[list[str]], out: TextBuilder) -> None:
    """Lines of `column: value | column: value` where the first row names columns, else of the bare values."""
    trimmed: Iterator[list[str]] = (row for row in map(_trim, rows) if row)
    header: list[str] = []
    for row in trimmed:
        if len(row) > 1:
            header = row
            break
        out.line(row[0])  # a title above the table, or a table of one column
    if not _names_columns(header):
        trimmed = chain([header] if header else [], trimmed)
        header = []
    lines = 0
    for row in trimmed:
        out.line(CELL.join(_named(header, row)))
        lines += 1
    if header and not lines:
        out.row(header)


def _named(header: list[str], row: list[str]) -> Iterator[str]:
    for number, value in enumerate(row):
        if number < len(header) and value:
            yield f"{header[number]}: {value}"
        elif value or not header:
            yield value


def _names_columns(row: list[str]) -> bool:
    return bool(row) and len(set(row)) == len(row) and all(cell and not cell[0].isdigit() for cell in row)


def _trim(row: list[str]) -> list[str]:
    """The cells as single lines, without empty ones at the end."""
    cells = [one_line(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.15g}"  # what Excel shows, not what binary fractions look like
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime():
            return value.isoformat(sep=" ")
        case _:
            return str(value)
