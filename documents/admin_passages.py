"""The chunks of a document as its page in the admin shows them: some at a time, a cited passage marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.core.paginator import Paginator

from .marking import marked

if TYPE_CHECKING:
    from django.core.paginator import Page
    from django.http import QueryDict
    from django.utils.safestring import SafeString

    from .models import Chunk, Document

PER_PAGE = 20
PASSAGE = re.compile(r"(\d{1,9})-(\d{1,9})")
ANCHOR = "passage"


@dataclass(frozen=True, slots=True)
class ShownChunk:
    """A chunk with its text as HTML, in two: what it repeats of the chunk before it, and what is new."""

    chunk: Chunk
    repeated: SafeString
    text: SafeString


@dataclass(frozen=True, slots=True)
class ShownChunks:
    """A page of chunks.

    Attributes:
        marked_in: the position of the chunk that holds the passage that was asked for; None when none does.
    """

    page: Page[int]
    chunks: tuple[ShownChunk, ...]
    asked_for_passage: bool
    marked_in: int | None


def shown_chunks(document: Document, asked: QueryDict) -> ShownChunks:
    """The page `page`; without one that of the passage `passage`, as `start-end` in the document's text."""
    passage = _passage(asked.get("passage", ""))
    holder = _holder(document, passage) if passage else None
    number = asked.get("page") or (1 if holder is None else page_of(holder))
    page = Paginator(range(document.chunk_count), PER_PAGE).get_page(number)
    first, last = page.start_index() - 1, page.end_index() - 1
    rows = list(document.chunks.filter(position__gte=first - 1, position__lte=last))
    ends = {chunk.position: chunk.end for chunk in rows}
    return ShownChunks(
        page=page,
        chunks=tuple(
            _shown(
                chunk,
                repeats_to=ends.get(chunk.position - 1, 0),
                passage=passage,
                anchor=ANCHOR if chunk.position == holder else "",
            )
            for chunk in rows
            if chunk.position >= first
        ),
        asked_for_passage="passage" in asked,
        marked_in=holder,
    )


def page_of(position: int) -> int:
    """The page that a chunk is on."""
    return position // PER_PAGE + 1


def _passage(asked: str) -> tuple[int, int] | None:
    found = PASSAGE.fullmatch(asked)
    return (int(found[1]), int(found[2])) if found and int(found[1]) < int(found[2]) else None


def _holder(document: Document, passage: tuple[int, int]) -> int | None:
    """The position of the first chunk that has the whole passage, or else its beginning."""
    start, end = passage
    near = document.chunks.filter(start__lte=start, end__gt=start).order_by("position")
    spans = list(near.values_list("position", "end"))
    return next((position for position, its_end in spans if its_end >= end), spans[0][0] if spans else None)


def _shown(chunk: Chunk, *, repeats_to: int, passage: tuple[int, int] | None, anchor: str) -> ShownChunk:
    shared = min(max(repeats_to - chunk.start, 0), len(chunk.text))
    start, end = (at - chunk.start for at in passage) if passage else (0, 0)
    begins_in_shared = max(start, 0) < shared
    return ShownChunk(
        chunk=chunk,
        repeated=marked(chunk.text[:shared], [(start, end)], anchor=anchor if begins_in_shared else ""),
        text=marked(chunk.text[shared:], [(start - shared, end - shared)], anchor="" if begins_in_shared else anchor),
    )
