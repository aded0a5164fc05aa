"""From hits to the passages that are sent to a model: merged, bounded, in document order."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .types import Hit


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """Where a chunk of a passage lies in its document."""

    chunk_id: int
    start: int
    end: int
    page: int | None
    page_breaks: tuple[int, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """The page of a place in the chunk; None for kinds of files without pages."""
        return None if self.page is None else self.page + bisect_right(self.page_breaks, offset)


@dataclass(frozen=True, slots=True)
class Packed:
    """A stretch of a document made of one hit or of several that overlap: `content[start:end] == text`.

    Attributes:
        score: the best of its chunks.
        keyword_rank, vector_rank: likewise; None when none of them was found that way.
        chunks: in order.
    """

    document_id: int
    filename: str
    start: int
    end: int
    text: str
    score: float
    chunks: tuple[ChunkSpan, ...]
    keyword_rank: int | None = None
    vector_rank: int | None = None


def pack(hits: Sequence[Hit], *, max_chars: int = 5_000) -> list[Packed]:
    """The best hits that add up to at most `max_chars`, a character that two share counted once.

    A hit that does not fit is passed over for the next that does; the best one is always taken. The passages come in
    the order of documents (by id) and of their text.
    """
    chosen: list[Hit] = []
    room = max_chars
    for hit in hits:
        size = _new_characters(hit, chosen)
        if size <= room or not chosen:
            room -= size
            chosen.append(hit)
    chosen.sort(key=lambda hit: (hit.document_id, hit.start, hit.end))
    groups: list[list[Hit]] = []
    end = 0
    for hit in chosen:
        if groups and groups[-1][0].document_id == hit.document_id and hit.start <= end:
            groups[-1].append(hit)
            end = max(end, hit.end)
        else:
            groups.append([hit])
            end = hit.end
    return [_merged(group) for group in groups]


def _new_characters(hit: Hit, chosen: Iterable[Hit]) -> int:
    """How many characters of the hit are in none of the chosen ones."""
    covered = position = 0
    position = hit.start
    overlapping = sorted(
        (max(other.start, hit.start), min(other.end, hit.end))
        for other in chosen
        if other.document_id == hit.document_id and other.start < hit.end and hit.start < other.end
    )
    for start, end in overlapping:
        covered += max(0, end - max(start, position))
        position = max(position, end)
    return hit.end - hit.start - covered


def _merged(group: Sequence[Hit]) -> Packed:
    text = ""
    start = end = group[0].start
    for hit in group:
        if hit.end > end:
            text += hit.text[end - hit.start :]
            end = hit.end
    return Packed(
        document_id=group[0].document_id,
        filename=group[0].filename,
        start=start,
        end=end,
        text=text,
        score=max(hit.score for hit in group),
        chunks=tuple(ChunkSpan(hit.chunk_id, hit.start, hit.end, hit.page, hit.page_breaks) for hit in group),
        keyword_rank=min((hit.keyword_rank for hit in group if hit.keyword_rank), default=None),
        vector_rank=min((hit.vector_rank for hit in group if hit.vector_rank), default=None),
    )
