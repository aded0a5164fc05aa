"""Reads JSON, as indented lines that a person or a language model can follow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from documents.errors import ExtractionError

from .plain import decode
from .reasons import TOO_NESTED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .builder import TextBuilder


def read_json(path: Path, out: TextBuilder) -> None:
    """One value, or one value a line (JSON Lines), as `key: value` lines, lists with dashes.

    Raises:
        ExtractionError: it is not JSON, or nested more deeply than the parser goes.
    """
    try:
        for value in _values(decode(path.read_bytes())):
            for line in _lines(value):
                out.line(line)
            out.gap("\n\n")
    except RecursionError as exc:
        raise ExtractionError(TOO_NESTED) from exc


def _values(text: str) -> list[Any]:
    try:
        return [_parse(text)]
    except json.JSONDecodeError as whole:
        try:
            return [_parse(line) for line in text.split("\n") if line.strip()]
        except json.JSONDecodeError:
            where = f"line {whole.lineno}, column {whole.colno}"
            raise ExtractionError(f"The file is not valid JSON: {whole.msg} at {where}.") from whole


def _parse(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)  # numbers stay as they were written


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                yield f"{key}:"
                yield from (f"  {line}" for line in _lines(item))
            else:
                yield f"{key}: {_scalar(item)}"
    elif isinstance(value, list) and value:
        for item in value:
            yield from (("  " if number else "- ") + line for number, line in enumerate(_lines(item)))
    else:
        yield _scalar(value)


def _scalar(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
