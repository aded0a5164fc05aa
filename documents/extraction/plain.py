"""Reads plain text and Markdown, and decodes the bytes of every other kind of text."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from documents.errors import ExtractionError
from documents.types import Heading

from .builder import one_line
from .detection import looks_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .builder import TextBuilder

# UTF-32 first: its mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FALLBACK = "cp1252"
MAX_HEADING_LEVEL = 6
FENCES = ("```", "~~~")
FRONT_MATTER = re.compile(r"---\n[\w-]+:.*?\n---\n", re.S)
NOT_A_TITLE = (">", "|", "- ", "* ", "+ ")


def decode(data: bytes, *, declared: str = "") -> str:
    """Text from bytes: by byte order mark, else strict UTF-8, else as `declared`, else Windows' Western encoding.

    Guessing by statistics was measured to be worse: it took cp1252 for cp775.

    Raises:
        ExtractionError: the bytes are not text.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    if looks_binary(data):
        raise ExtractionError("The file is not text: it is full of control characters.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode(declared or FALLBACK)
    except (UnicodeError, LookupError):
        return data.decode(FALLBACK, errors="replace")


def read_text(path: Path, out: TextBuilder) -> None:
    """The text as it stands."""
    out.add(decode(path.read_bytes()))


def read_markdown(path: Path, out: TextBuilder) -> None:
    """The text as it stands, and where its headings are."""
    read_text(path, out)
    out.headings.extend(markdown_headings(out.text()))


def markdown_headings(text: str) -> Iterator[Heading]:
    """Headings marked with `#` or underlined with `=` or `-`, outside of code and front matter."""
    front_matter = FRONT_MATTER.match(text)
    skip_to = front_matter.end() if front_matter else 0
    position, fence = 0, ""
    before, last, last_start = "", "", 0
    for line in text.split("\n"):
        content = line.strip() if position >= skip_to else ""
        if fence or content.startswith(FENCES):
            fence = content[:3] if not fence else "" if content.startswith(fence) else fence
            content = ""
        elif level := _level(content):
            if title := one_line(content[level:].rstrip("#")):
                yield Heading(start=position + line.index("#"), level=level, text=title)
            content = ""
        elif _underlines(content) and last and not before and not last.startswith(NOT_A_TITLE):
            yield Heading(start=last_start, level=1 if content[0] == "=" else 2, text=one_line(last))
        before, last, last_start = last, content, position
        position += len(line) + 1


def _level(content: str) -> int:
    """How many `#` mark the line as a heading; 0 if it is none."""
    level = len(content) - len(content.lstrip("#"))
    return level if level <= MAX_HEADING_LEVEL and content[level : level + 1] in {" ", "\t"} else 0


def _underlines(content: str) -> bool:
    return len(content) > 1 and set(content) in ({"="}, {"-"})
