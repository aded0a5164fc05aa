"""Scores the chunks of a scope by the words of a question, misspelt ones included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .analysis import term
from .lexical import Postings
from .spelling import MOST, WEIGHT, is_repairable, repairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .lexical import Scope

POPULATION = 100


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """BM25 of every chunk of a scope, and how much of the question the best chunk covers.

    Attributes:
        coverage: best score over the sum of the question's weighted idf, 0 to about 2. Here idf is that of a scope of
            at least `POPULATION` chunks: in one of a single chunk, words that are there would weigh next to nothing.
        postings, weights: where the question's words occur, by their place in it, and what each weighs: its weight in
            the question times its idf in the scope.
        lost: the words that occur nowhere and were taken for misspelt.
    """

    bm25: NDArray[np.float64]
    coverage: float
    postings: Postings
    weights: NDArray[np.float64]
    lost: tuple[str, ...] = ()


def score_keywords(scope: Scope, words: Mapping[str, float]) -> KeywordScores:
    """BM25 of all chunks. Words of the question that occur nowhere are repaired.

    Args:
        words: token to weight.
    """
    numbers = {word: number for number, word in enumerate(words)}
    weights = np.fromiter(words.values(), dtype=float, count=len(words))
    postings = scope.find(lambda language: {term(word, language): number for word, number in numbers.items()})
    found = np.bincount(postings.word, minlength=len(words))
    lost = [word for word, number in numbers.items() if not found[number] and is_repairable(word)][:MOST]
    if lost:
        postings = Postings.joined([postings, scope.find(lambda language: _repaired(lost, numbers, language))])
        weights[[numbers[word] for word in lost]] *= WEIGHT
    idf = scope.idf(postings, words=len(words))
    telling = weights * idf
    bm25 = covering = scope.bm25(postings, telling)
    if scope.size < POPULATION:
        idf = scope.idf(postings, words=len(words), population=POPULATION)
        covering = scope.bm25(postings, weights * idf)
    coverage = float(covering.max(initial=0.0) / (weights @ idf or 1.0))
    return KeywordScores(bm25, coverage, postings=postings, weights=telling, lost=tuple(lost))


def repaired_to(scope: Scope, word: str, *, words: Mapping[str, float]) -> list[str]:
    """The terms of the scope that stand for a lost word of a question, in alphabetical order."""
    numbers = {known: number for number, known in enumerate(words)}
    spelt = sorted({spelt for language in scope.languages for spelt in _repaired([word], numbers, language)})
    found = scope.find(lambda _: {spelling: number for number, spelling in enumerate(spelt)})
    return [spelt[number] for number in np.unique(found.word).tolist()]


def _repaired(lost: list[str], numbers: Mapping[str, int], language: int) -> dict[str, int]:
    """The terms that stand for lost words, without those that the question has itself."""
    own = {term(word, language) for word in numbers}
    return {spelt: numbers[word] for word in lost for spelt in repairs(word, language) if spelt not in own}
