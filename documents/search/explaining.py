"""Why a search found what it found: the figures of the very ranking that replies are grounded in, put into words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from . import Ranking, chosen, rank
from .analysis import TOKEN, term, tokens
from .keywords import repaired_to
from .packing import pack
from .scoring import ALONE, STRONG, WEAK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from .types import Hit, SearchResult


@dataclass(frozen=True, slots=True)
class WordFigures:
    """A word of the question as it was searched.

    Attributes:
        terms: what it was looked up as: its stem, in each language of the documents; of a misspelt word the stems that
            stand for it, and none if there are none.
        weight: its weight in the question times its idf.
        chunks: in how many chunks it occurs, under title and headings too.
    """

    word: str
    terms: tuple[str, ...]
    weight: float
    chunks: int
    is_repaired: bool


@dataclass(frozen=True, slots=True)
class HitFigures:
    """A chunk that was found, with the scores behind its place.

    Attributes:
        score: .7 of the keywords and .3 of the cosine, each over the best of the scope.
        words: what each word of the question adds to `bm25`, the most telling first.
        is_sent: whether it is among the best that fit into a prompt.
        marks: where the question's words stand in its text.
    """

    hit: Hit
    bm25: float
    cosine: float | None
    score: float
    words: tuple[tuple[str, float], ...]
    is_sent: bool
    marks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on the best chunk answers the question; see `scoring.is_relevant`. `cosine` is the model's own."""

    cosine: float | None
    alone: float = ALONE
    strong: float = STRONG
    weak: float = WEAK


@dataclass(frozen=True, slots=True)
class Explanation:
    """A search with the reasons for its result.

    Attributes:
        result: what `search_chunks` gives.
        dropped: words of the question that were not searched for: polite, or frequent in every text.
        embedded: the text that was compared as a vector; None without vectors.
        model: whose vectors.
    """

    result: SearchResult
    words: tuple[WordFigures, ...]
    dropped: tuple[str, ...]
    embedded: str | None
    model: str | None
    thresholds: Thresholds
    hits: tuple[HitFigures, ...]


def explain_search(question: str, *, document_ids: Sequence[int], limit: int = 20) -> Explanation:
    """`search_chunks` with the figures that it goes by."""
    ranking = rank(question, document_ids=document_ids)
    result = chosen(ranking, limit=limit)
    order = {token: place for place, token in enumerate(dict.fromkeys(tokens(question)))}
    words = tuple(sorted(_words(ranking), key=lambda figures: order[figures.word]))
    with_vectors = ranking.engine if ranking.cosines is not None else None
    return Explanation(
        result=result,
        words=words,
        dropped=_dropped(question, ranking),
        embedded=ranking.reading.texts[0][0] if with_vectors else None,
        model=with_vectors.name if with_vectors else None,
        thresholds=Thresholds(cosine=with_vectors.relevant_cosine if with_vectors else None),
        hits=tuple(_hits(ranking, result, terms={term for word in words for term in word.terms})),
    )


def _words(ranking: Ranking) -> Iterator[WordFigures]:
    keywords, scope = ranking.keywords, ranking.scope
    for number, word in enumerate(ranking.reading.words):
        is_lost = word in keywords.lost
        terms = (
            repaired_to(scope, word, words=ranking.reading.words)
            if is_lost
            else list(dict.fromkeys(term(word, language) for language in scope.languages))
        )
        yield WordFigures(
            word=word,
            terms=tuple(terms),
            weight=float(keywords.weights[number]),
            chunks=len(np.unique(keywords.postings.chunk[keywords.postings.word == number])),
            is_repaired=is_lost and bool(terms),
        )


def _dropped(question: str, ranking: Ranking) -> tuple[str, ...]:
    """The words of the question that none of the searched ones stands for, in their order."""
    main = ranking.scope.languages[0]
    searched = {term(word, main) for word in ranking.reading.words}
    return tuple(dict.fromkeys(token for token in tokens(question) if term(token, main) not in searched))


def _hits(ranking: Ranking, result: SearchResult, *, terms: Collection[str]) -> Iterator[HitFigures]:
    scope, keywords, words = ranking.scope, ranking.keywords, list(ranking.reading.words)
    counts = [chunks for _, chunks in scope.documents]
    firsts = dict(zip((key for key, _ in scope.documents), accumulate(counts, initial=0), strict=False))
    added = scope.parts(keywords.postings, keywords.weights)
    sent = {chunk.chunk_id for passage in pack(result.hits) for chunk in passage.chunks} if result.relevant else set()
    for hit in result.hits:
        place = firsts[hit.document_id] + hit.position
        here = keywords.postings.chunk == place
        by_word = np.bincount(keywords.postings.word[here], weights=added[here], minlength=len(words))
        cosine = None if ranking.cosines is None else float(ranking.cosines[place])
        yield HitFigures(
            hit=hit,
            bm25=float(keywords.bm25[place]),
            cosine=None if cosine is None or np.isnan(cosine) else cosine,
            score=float(ranking.scores[place]),
            words=tuple((words[n], float(by_word[n])) for n in np.argsort(-by_word, kind="stable") if by_word[n] > 0),
            is_sent=hit.chunk_id in sent,
            marks=tuple(occurrences(hit.text, terms=terms, languages=scope.languages)),
        )


def occurrences(text: str, *, terms: Collection[str], languages: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where words stand in a text whose terms are among these, in order; bigrams that touch are one."""
    start = end = 0
    for begins, ends in _found(text, terms=terms, languages=languages):
        if begins > end:
            if end > start:
                yield start, end
            start = begins
        elif end == 0:
            start = begins
        end = max(end, ends)
    if end > start:
        yield start, end


def _found(text: str, *, terms: Collection[str], languages: Sequence[int]) -> Iterator[tuple[int, int]]:
    for match in TOKEN.finditer(text):
        if match[2]:
            if any(term(token, language) in terms for token in tokens(match[2]) for language in languages):
                yield match.span()
            continue
        for place in range(*match.span()):  # a run without spaces: bigrams, and single ideographs
            for size in (2, 1):
                if place + size <= match.end() and text[place : place + size] in terms:
                    yield place, place + size
                    break
