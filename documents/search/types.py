"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, best first in a result.

    Attributes:
        text: `document.content[start:end]`, offsets in characters.
        page, page_breaks: the page where it starts, and the offsets inside it at which the next ones begin.
        score: 0 to 1, relative to the best hit of this search.
        keyword_rank, vector_rank: its place (from 1) by that search alone; None if that search did not find it.
    """

    chunk_id: int
    document_id: int
    filename: str
    position: int
    start: int
    end: int
    page: int | None
    page_breaks: tuple[int, ...]
    heading: str
    text: str
    score: float
    keyword_rank: int | None
    vector_rank: int | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits of one search and how much they can be trusted.

    Attributes:
        relevant: whether anything in the scope answers the question (see docs/retrieval.md, "Grounded or not").
        coverage: best BM25 over the sum of the question's idf, 0 to about 2.
        cosine: best cosine of question and chunk; None without vectors.
    """

    hits: tuple[Hit, ...]
    relevant: bool
    coverage: float
    cosine: float | None
