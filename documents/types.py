"""What passes from extraction over chunking to indexing. All offsets are characters of the document's text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that begins at `start`; level 1 is the outermost."""

    start: int
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class PageSpan:
    """Where a page lies in the text; pages count from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read from a file. `pages` is empty for formats without pages."""

    text: str
    media_type: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[PageSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """A chunk before it is a row: `content[start:end] == text`; `heading` is the path of headings above it.

    `page` is where it starts; each of `page_breaks` is an offset inside it at which the next page begins.
    """

    start: int
    end: int
    text: str
    heading: str
    page: int | None
    page_breaks: tuple[int, ...] = ()
