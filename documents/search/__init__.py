"""Search over the chunks of documents that the caller names. The one door is `search_chunks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from documents.embeddings import embedder
from documents.embeddings.base import normalised

from . import vectors
from .keywords import score_keywords
from .lexical import Scope
from .queries import chunks_at, keyword_indexes
from .question import read_question
from .scoring import best, is_relevant, mix
from .types import Hit, SearchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from documents.embeddings.base import Embedder

    from .keywords import KeywordScores
    from .question import Reading

__all__ = ["Hit", "SearchResult", "search_chunks"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every chunk of a scope with its scores for a question, before any is chosen.

    Attributes:
        cosines: NaN for a chunk without a vector; None when none has one, or there is no engine.
        scores: of both searches together; what hits are chosen by.
    """

    scope: Scope
    reading: Reading
    keywords: KeywordScores
    engine: Embedder | None
    cosines: NDArray[np.float64] | None
    scores: NDArray[np.float64]


def search_chunks(
    question: str, *, document_ids: Sequence[int], limit: int = 10, history: Sequence[str] = ()
) -> SearchResult:
    """The chunks of the documents that best answer the question.

    Nothing but the named documents is read, and nothing else enters a score: three queries, whatever the scope.

    Args:
        history: the user's earlier turns, oldest first; a follow-up question is read in their light.
    """
    return chosen(rank(question, document_ids=document_ids, history=history), limit=limit)


def rank(question: str, *, document_ids: Sequence[int], history: Sequence[str] = ()) -> Ranking:
    """Score all chunks of the documents; see `search_chunks`."""
    scope = Scope(keyword_indexes(document_ids))
    reading = read_question(question, history=history, languages=scope.languages)
    keywords = score_keywords(scope, reading.words)
    engine = embedder()
    cosines = _cosines(engine, reading.texts, scope.documents) if engine and scope.size else None
    return Ranking(scope, reading, keywords, engine, cosines, scores=mix(keywords.bm25, cosines))


def chosen(ranking: Ranking, *, limit: int) -> SearchResult:
    """The best chunks of a ranking, and whether they answer the question."""
    coverage, cosines, engine = ranking.keywords.coverage, ranking.cosines, ranking.engine
    cosine = None if cosines is None else float(np.nanmax(cosines))
    return SearchResult(
        hits=_hits(
            best(ranking.scores, limit),
            ranking.scope.documents,
            scores=ranking.scores,
            bm25=ranking.keywords.bm25,
            cosines=cosines,
        ),
        relevant=is_relevant(
            coverage=coverage, cosine=cosine, relevant_cosine=engine.relevant_cosine if engine else 1.0
        ),
        coverage=coverage,
        cosine=cosine,
    )


def _cosines(
    engine: Embedder, texts: Sequence[tuple[str, float]], documents: Sequence[tuple[int, int]]
) -> NDArray[np.float64] | None:
    """The cosine of the texts' weighted sum and every chunk, NaN for a chunk without a vector; None if all are."""
    weights = np.array([weight for _, weight in texts])
    query = normalised((weights @ engine.embed([text for text, _ in texts]))[None])[0]
    if not query.any():
        return None
    found = vectors.cosines(query, model=engine.name, documents=documents)
    return None if np.isnan(found).all() else found


def _hits(
    places: NDArray[np.intp],
    documents: Sequence[tuple[int, int]],
    *,
    scores: NDArray[np.float64],
    bm25: NDArray[np.float64],
    cosines: NDArray[np.float64] | None,
) -> tuple[Hit, ...]:
    """The chunks at these places of the scope, in the same order; one that was deleted meanwhile is left out."""
    if not len(places):
        return ()
    firsts = np.cumsum([0, *(chunks for _, chunks in documents)])
    owners = np.searchsorted(firsts, places, side="right") - 1
    wanted = [
        (documents[owner][0], position)
        for owner, position in zip(owners.tolist(), (places - firsts[owners]).tolist(), strict=True)
    ]
    rows = chunks_at(wanted)
    top = scores[places[0]]
    hits = []
    for place, key in zip(places.tolist(), wanted, strict=True):
        if key not in rows:
            continue
        chunk_id, filename, start, end, page, page_breaks, heading, text = rows[key]
        hits.append(
            Hit(
                chunk_id=chunk_id,
                document_id=key[0],
                filename=filename,
                position=key[1],
                start=start,
                end=end,
                page=page,
                page_breaks=tuple(page_breaks),
                heading=heading,
                text=text,
                score=float(scores[place] / top),
                keyword_rank=_rank(bm25, place),
                vector_rank=None if cosines is None else _rank(cosines, place),
            )
        )
    return tuple(hits)


def _rank(values: NDArray[np.float64], place: int) -> int | None:
    """1 for the highest value; None for one that is not above 0."""
    return int(np.count_nonzero(values > values[place])) + 1 if values[place] > 0 else None
