"""How good a ranking is, and whether one is better than another by more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from documents.search.packing import Packed

RESAMPLES = 10_000
SEED = 20_261_123  # any will do: it makes a comparison repeatable


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], *, depth: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains, as trec_eval computes it."""
    gains = [relevant.get(key, 0) for key in ranking[:depth]]
    ideal = sorted(relevant.values(), reverse=True)[:depth]
    return _discounted(gains) / _discounted(ideal)


def recall(ranking: Sequence[str], relevant: Mapping[str, int], *, depth: int = 5) -> float:
    """The share of what is relevant that stands among the first."""
    return sum(key in relevant for key in ranking[:depth]) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int], *, depth: int = 10) -> float:
    """1 over the place of the first relevant one; 0 if it is not among the first."""
    return next((1 / place for place, key in enumerate(ranking[:depth], start=1) if key in relevant), 0.0)


def span_share(packed: Sequence[Packed], spans: Sequence[tuple[int, int]]) -> float:
    """The share of the gold spans that stand wholly inside one passage."""
    inside = [any(passage.start <= start and end <= passage.end for passage in packed) for start, end in spans]
    return sum(inside) / len(inside)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A second run against a first: the mean difference, where 95 % of its resamples lie, and a two-sided p."""

    before: float
    after: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        return self.after - self.before


def paired_bootstrap(before: Sequence[float], after: Sequence[float]) -> Comparison:
    """Compare two runs question by question: the differences are drawn again, with replacement, 10,000 times."""
    differences = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    random = np.random.default_rng(SEED)
    means = np.array([random.choice(differences, len(differences)).mean() for _ in range(RESAMPLES)])
    low, high = np.percentile(means, [2.5, 97.5])
    tail = min((means <= 0).mean(), (means >= 0).mean())
    return Comparison(
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        low=float(low),
        high=float(high),
        p=min(1.0, 2 * float(tail)),
    )
