"""Cuts a document's text into the passages that are searched."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from .headings import wiki_headings
from .search.sentences import sentence_spans
from .types import ChunkDraft

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .types import Extracted, Heading

SIZE = 800  # characters; with OVERLAP the best of what was measured, see docs/retrieval.md
OVERLAP = 200
HEADING_CHARS = 500  # what the column holds
BREAKS = "\n 。，、；，؛،,;\t\u3000\u200b"  # where a sentence that is too long may be cut, best first

Span = tuple[int, int]


def split(extracted: Extracted) -> list[ChunkDraft]:
    """Pack whole sentences into chunks of at most 800 characters that overlap by at most 200.

    Chunks neither begin nor end with white space, and `extracted.text[start:end] == text` for each. The heading path is
    that in the middle of the chunk, since its beginning may be the tail of another section. Headings do not end a
    chunk: that was measured to lose more than it gains. The time is linear in the text.
    """
    found = extracted.headings or wiki_headings(extracted.text)
    headings = sorted(found, key=lambda heading: heading.start)
    heading_starts = [heading.start for heading in headings]
    paths = _heading_paths(headings)
    pages = [page.start for page in extracted.pages]
    pieces = [piece for start, end in sentence_spans(extracted.text) for piece in _parts(extracted.text, start, end)]
    drafts = []
    for start, end in _packed(pieces):
        page = bisect_right(pages, start)
        drafts.append(
            ChunkDraft(
                start=start,
                end=end,
                text=extracted.text[start:end],
                heading=paths[bisect_right(heading_starts, (start + end) // 2)],
                page=extracted.pages[page - 1].number if page else None,
                page_breaks=tuple(pages[page : bisect_left(pages, end)]) if page else (),
            )
        )
    return drafts


def _packed(pieces: Sequence[Span]) -> Iterator[Span]:
    """Spans of consecutive pieces, as many as fit, each beginning in the tail of the one before."""
    floor = following = 0
    while following < len(pieces):
        # Step back into the chunk before, if there is one, as far as the next piece still fits behind the overlap.
        first = following
        if following:
            earliest = max(pieces[following - 1][1] - OVERLAP, pieces[following][1] - SIZE)
            while first > floor and pieces[first - 1][0] >= earliest:
                first -= 1
        start = pieces[first][0]
        while following < len(pieces) and pieces[following][1] - start <= SIZE:
            following += 1
        floor = first + 1
        yield start, pieces[following - 1][1]


def _parts(text: str, start: int, end: int) -> Iterator[Span]:
    """The stretch, trimmed, in parts of at most `OVERLAP` characters if it is longer than `SIZE`."""
    sentence = text[start:end]
    start += len(sentence) - len(sentence.lstrip())
    end -= len(sentence) - len(sentence.rstrip())
    if end - start <= SIZE:
        if start < end:
            yield start, end
        return
    while start < end:
        stop = end if end - start <= OVERLAP else _cut(text, start)
        yield start, start + len(text[start:stop].rstrip())
        start = stop
        while start < end and text[start].isspace():
            start += 1


def _cut(text: str, start: int) -> int:
    """Where to end a part that begins at `start`: behind a break in its second half, else between two letters."""
    for mark in BREAKS:
        place = text.rfind(mark, start + OVERLAP // 2, start + OVERLAP)
        if place >= 0:
            return place if mark.isspace() else place + 1
    stop = start + OVERLAP
    while stop > start + OVERLAP // 2 and unicodedata.category(text[stop])[0] == "M":
        stop -= 1  # a mark belongs to the letter before it
    return stop


def _heading_paths(headings: Sequence[Heading]) -> list[str]:
    """The path of headings in force behind the first n headings, for every n; the innermost part is kept if long."""
    paths, stack = [""], list[tuple[int, str]]()
    for heading in headings:
        stack = [entry for entry in stack if entry[0] < heading.level]
        stack.append((heading.level, heading.text))
        paths.append(" > ".join(text for _, text in stack)[-HEADING_CHARS:])
    return paths
