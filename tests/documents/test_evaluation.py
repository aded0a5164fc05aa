"""The measures of retrieval by hand, and what makes one run better than another."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from documents.evaluation import chatter as beside
from documents.evaluation import filler as polite
from documents.evaluation.measures import ndcg, paired_bootstrap, recall, reciprocal_rank, span_share
from documents.evaluation.noise import chatter, filler, typo
from documents.search.packing import Packed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

RELEVANT = {"a": 3, "b": 1}


def packed(start: int, end: int) -> Packed:
    return Packed(document_id=1, filename="", start=start, end=end, text="", score=1.0, chunks=())


def test_gain_is_discounted_by_place_and_measured_against_the_best_order() -> None:
    assert ndcg(["a", "b"], RELEVANT) == 1.0
    assert ndcg(["x", "b", "a"], RELEVANT) == pytest.approx((1 / math.log2(3) + 3 / 2) / (3 + 1 / math.log2(3)))
    assert ndcg(["x"] * 10 + ["a"], RELEVANT) == 0.0
    assert ndcg([], RELEVANT) == 0.0


def test_more_relevant_ones_than_places_do_not_lower_the_best() -> None:
    relevant = {str(number): 1 for number in range(30)}
    assert ndcg([str(number) for number in range(10)], relevant) == 1.0


def test_recall_counts_among_the_first_five() -> None:
    assert recall(["x", "a", "x", "x", "x", "b"], RELEVANT) == 0.5
    assert recall(["b", "a"], RELEVANT) == 1.0


def test_the_reciprocal_rank_is_that_of_the_first_relevant_one_among_ten() -> None:
    assert reciprocal_rank(["x", "b", "a"], RELEVANT) == 0.5
    assert reciprocal_rank(["x"] * 10 + ["a"], RELEVANT) == 0.0


def test_a_span_counts_when_it_stands_wholly_inside_one_passage() -> None:
    passages = [packed(0, 100), packed(200, 300)]
    assert span_share(passages, [(0, 100)]) == 1.0
    assert span_share(passages, [(90, 101)]) == 0.0  # its end was not sent
    assert span_share(passages, [(50, 60), (150, 160), (299, 300), (99, 201)]) == 0.5
    assert span_share([], [(0, 1)]) == 0.0


def test_a_clear_difference_is_told_from_none_and_from_chance() -> None:
    random = np.random.default_rng(3)
    before = random.random(200).tolist()
    better = paired_bootstrap(before, [min(1.0, value + 0.1) for value in before])
    assert 0 < better.low <= better.difference <= better.high
    assert better.p < 0.001
    same = paired_bootstrap(before, before)
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    shaken = paired_bootstrap(before, (np.array(before) + random.normal(0, 0.2, 200)).tolist())
    assert shaken.low < 0 < shaken.high
    assert shaken.p > 0.05


def test_a_comparison_gives_the_same_figures_each_time() -> None:
    before, after = [0.1, 0.5, 0.9, 0.4], [0.2, 0.4, 1.0, 0.6]
    assert paired_bootstrap(before, after) == paired_bootstrap(before, after)


def test_a_typo_is_one_slip_in_one_longer_word_and_the_same_each_time() -> None:
    question = "Which harbour does the ferry leave in winter?"
    spoiled = {typo(question, str(seed)) for seed in range(200)}
    assert len(spoiled) > 50
    for text in spoiled:
        before, after = question.split(), text.split()
        changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        assert len(changed) <= 1  # none: a letter that was swapped with its like
        for word, slip in changed:
            assert len(word.strip("?")) >= 5
            assert (Counter(word) - Counter(slip)).total() <= 1
            assert word[0] == slip[0]
    assert typo(question, "7") == typo(question, "7")
    assert typo("Is it so?", "7") == "Is it so?"


@pytest.mark.parametrize(("noise", "phrases"), [(filler, polite), (chatter, beside)])
@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("When does the ferry leave?", "ENGLISH"),
        ("Wann fährt die Fähre in der Stadt ab?", "GERMAN"),
        ("渡轮几点离开？", "CHINESE"),
    ],
)
def test_it_is_put_around_the_question_in_its_language(
    noise: Callable[[str, str], str], phrases: ModuleType, question: str, language: str
) -> None:
    spoiled = {noise(question, str(seed)) for seed in range(400)}
    assert spoiled == {phrase.format(question) for phrase in getattr(phrases, language)}
