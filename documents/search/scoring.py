"""Makes one score of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEYWORDS, VECTORS = 0.7, 0.3  # better than either alone and than rank fusion, on every collection measured

# Coverage of the question's words (see keywords.py) from which on they say that a chunk answers it: alone where there
# are no vectors, alone beside vectors, and together with a cosine that is high for the model. Words are always asked
# for, since models with little of a language find all its texts alike.
ALONE, STRONG, WEAK = 0.25, 0.35, 0.2


def is_relevant(*, coverage: float, cosine: float | None, relevant_cosine: float) -> bool:
    """Whether the best chunk of a scope answers the question rather than not."""
    if cosine is None:
        return coverage >= ALONE
    return coverage >= STRONG or (coverage >= WEAK and cosine >= relevant_cosine)


def mix(bm25: NDArray[np.float64], cosines: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """.7 of BM25 and .3 of the cosine, each over its own maximum; BM25 alone where the cosine is NaN or there is none.

    0 for a chunk that neither finds, and never more than 1.
    """
    keywords = bm25 / (bm25.max(initial=0.0) or 1.0)
    if cosines is None:
        return keywords
    near = np.maximum(cosines, 0.0)
    vectors = near / (np.nanmax(near, initial=0.0) or 1.0)
    return np.where(np.isnan(cosines), keywords, KEYWORDS * keywords + VECTORS * vectors)


def best(scores: NDArray[np.float64], limit: int) -> NDArray[np.intp]:
    """Where the highest scores above 0 stand, best first; among equals the one that stands first."""
    if 0 < limit < len(scores):
        least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        candidates = np.flatnonzero((scores >= least) & (scores > 0))
    else:
        candidates = np.flatnonzero(scores > 0)
    return candidates[np.argsort(-scores[candidates], kind="stable")][:limit]
