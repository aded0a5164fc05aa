"""Collects a document's text piece by piece: clean, bounded, and knowing the offset of every piece."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from documents.errors import ExtractionError
from documents.types import Heading, PageSpan

from .reasons import NO_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterable

NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Control characters, lone surrogates, byte order marks and noncharacters: databases, JSON or readers choke on them.
# U+FFFE is also what PDFium puts where a hyphen broke a word at the end of a line, so the word becomes whole.
UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
SPACE = re.compile(r"\s+")
CELL = " | "
STRENGTH = ("", " ", CELL, "\n", "\n\n")


def clean(text: str) -> str:
    """The text with `\\n` as its only line break and without characters that are no text."""
    return UNWANTED.sub("", NEWLINES.sub("\n", text))


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return SPACE.sub(" ", text).strip()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read before it is refused."""

    chars: int
    pages: int
    unpacked_bytes: int


class TextBuilder:
    """The text so far, its headings and its pages.

    `gap` asks for a separator before the next piece; of several asked for in a row the strongest counts, and there is
    none at the beginning or the end.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.headings: list[Heading] = []
        self.pages: list[PageSpan] = []
        self.position = 0
        self._pieces: list[str] = []
        self._gap = ""

    def add(self, text: str) -> None:
        """Append a piece.

        Raises:
            ExtractionError: the text has become longer than its limit.
        """
        piece = clean(text)
        if not piece:
            return
        if self.position:
            piece = self._gap + piece
        self._gap = ""
        self.position += len(piece)
        if self.position > self.limits.chars:
            raise ExtractionError(f"The file has more than {self.limits.chars:,} characters of text.")
        self._pieces.append(piece)

    def gap(self, separator: str) -> None:
        """Ask for one of `STRENGTH` before the next piece."""
        self._gap = max(self._gap, separator, key=STRENGTH.index)

    def line(self, text: str) -> None:
        """Append a piece on lines of its own."""
        self.gap("\n")
        self.add(text)
        self.gap("\n")

    def row(self, cells: Iterable[str]) -> None:
        """Append the cells of a table's row as one line; a row of empty cells is left out."""
        texts = [one_line(cell) for cell in cells]
        if any(texts):
            self.line(CELL.join(texts))

    def heading(self, text: str, *, level: int) -> None:
        """Append a heading as a paragraph of its own; level 1 is the outermost."""
        title = one_line(clean(text))
        if title:
            self.gap("\n\n")
            self.add(title)
            self.headings.append(Heading(start=self.position - len(title), level=level, text=title))
            self.gap("\n\n")

    def page(self, text: str) -> None:
        """Append a page; the line break after it belongs to it."""
        start = self.position
        self.add(f"{text}\n")
        self.pages.append(PageSpan(number=len(self.pages) + 1, start=start, end=self.position))

    def text(self, *, if_empty: str = NO_TEXT) -> str:
        """The whole text.

        Raises:
            ExtractionError: there is nothing but white space; `if_empty` is the reason given.
        """
        whole = "".join(self._pieces)
        if not whole or whole.isspace():
            raise ExtractionError(if_empty)
        return whole
