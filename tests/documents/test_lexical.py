"""The keyword index gives exact BM25 over a scope, however its chunks are spread over documents."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import bm25s
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from documents.search.analysis import term
from documents.search.keywords import score_keywords
from documents.search.lexical import HEADER, VERSION, Scope, build, is_current
from documents.search.spelling import is_repairable, repairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ENGLISH, GERMAN = 0, 1
Chunk = list[str]
WORDS = [f"w{number}" for number in range(40)]
CHUNKS = st.lists(st.sampled_from(WORDS), max_size=30)
DOCUMENTS = st.lists(st.lists(CHUNKS, min_size=1, max_size=6), min_size=1, max_size=6)
QUESTIONS = st.lists(st.sampled_from([*WORDS, "nowhere"]), min_size=1, max_size=8, unique=True)


def scope_of(documents: Sequence[Sequence[Chunk]], *, language: int = ENGLISH) -> Scope:
    return Scope((key, len(chunks), build(chunks, language=language)) for key, chunks in enumerate(documents, start=1))


def scores(scope: Scope, question: Sequence[str]) -> NDArray[np.float64]:
    return score_keywords(scope, dict.fromkeys(question, 1.0)).bm25


def by_the_formula(chunks: Sequence[Chunk], question: Sequence[str]) -> list[float]:
    average = sum(map(len, chunks)) / len(chunks)
    frequency = {word: sum(word in chunk for chunk in chunks) for word in question}
    found = []
    for chunk in chunks:
        score = 0.0
        for word in question:
            if tf := chunk.count(word):
                idf = math.log(1 + (len(chunks) - frequency[word] + 0.5) / (frequency[word] + 0.5))
                score += idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(chunk) / average))
        found.append(score)
    return found


@given(DOCUMENTS, QUESTIONS)
def test_scores_are_those_of_the_formula(documents: list[list[Chunk]], question: list[str]) -> None:
    chunks = [chunk for document in documents for chunk in document]
    assume(any(chunks))
    assert scores(scope_of(documents), question) == pytest.approx(by_the_formula(chunks, question), abs=1e-9)


@given(DOCUMENTS, QUESTIONS)
def test_scores_are_those_of_a_reference_library(documents: list[list[Chunk]], question: list[str]) -> None:
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    chunks = [chunk for document in documents for chunk in document]
    known = [word for word in question if any(word in chunk for chunk in chunks)]
    assume(known)
    reference = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    reference.index(chunks, show_progress=False)
    # It leaves out the factor k1 + 1, which is the same for all.
    assert scores(scope_of(documents), question) == pytest.approx(reference.get_scores(known) * 2.2, abs=1e-6)


@given(st.lists(st.tuples(CHUNKS, st.booleans()), min_size=1, max_size=20), QUESTIONS)
def test_how_chunks_are_spread_over_documents_changes_nothing(
    spread: list[tuple[Chunk, bool]], question: list[str]
) -> None:
    documents: list[list[Chunk]] = [[]]
    for chunk, opens_a_document in spread:
        if documents[-1] and opens_a_document:
            documents.append([])
        documents[-1].append(chunk)
    together = scope_of([[chunk for chunk, _ in spread]])
    assert scores(scope_of(documents), question).tolist() == scores(together, question).tolist()


def test_a_term_may_be_more_frequent_in_a_chunk_than_a_byte_can_count() -> None:
    chunks = [["w1"] * 700 + ["w2"], ["w1"], ["w3"] * 20]
    assert scores(scope_of([chunks, [["w1", "w2"]]]), ["w1", "w2"]) == pytest.approx(
        by_the_formula([*chunks, ["w1", "w2"]], ["w1", "w2"])
    )


def test_a_document_may_have_more_chunks_than_two_bytes_can_count() -> None:
    chunks = [["w1"]] * 70_000 + [["w2"]]
    found = scores(scope_of([chunks]), ["w2"])
    assert found.argmax() == 70_000
    assert np.count_nonzero(found) == 1


@pytest.mark.parametrize("index", [b"", b"\x00", b"\xff" * 64, bytes([VERSION + 1]) + bytes(40)])
def test_an_index_of_another_version_counts_as_one_without_terms(index: bytes) -> None:
    scope = Scope([(1, 2, index), (2, 1, build([["w1"]], language=ENGLISH)), (3, 1, index)])
    assert np.flatnonzero(scores(scope, ["w1"])).tolist() == [2]


def test_an_index_of_another_number_of_chunks_is_not_current() -> None:
    index = build([["w1"], ["w2"]], language=ENGLISH)
    assert is_current(index, chunks=2)
    assert is_current(index[: HEADER.size], chunks=2)
    assert not is_current(index, chunks=3)


@pytest.mark.parametrize("documents", [[], [[[]]]])
def test_a_scope_without_a_word_finds_nothing(documents: list[list[Chunk]]) -> None:
    found = score_keywords(scope_of(documents), {"w1": 1.0})
    assert not found.bm25.any()
    assert found.coverage == 0


def test_an_index_takes_a_few_hundred_bytes_a_chunk() -> None:
    chunks = [[f"w{(chunk * 17 + place * place) % 1_000}" for place in range(75)] for chunk in range(100)]
    assert len(build(chunks, language=ENGLISH)) / len(chunks) < 500


def test_a_word_is_stemmed_for_each_document_as_its_language_asks() -> None:
    english = build([["hous"], ["haus"]], language=ENGLISH)  # of "houses", and of "haus" untouched
    german = build([["haus"], ["kirch"]], language=GERMAN)
    scope = Scope([(1, 2, english), (2, 2, german)])
    assert scope.languages == [ENGLISH, GERMAN]
    assert np.flatnonzero(scores(scope, ["häuser"])).tolist() == [2]
    assert np.flatnonzero(scores(scope, ["houses"])).tolist() == [0]


@pytest.mark.parametrize("typo", ["harbor", "habour", "harbouur", "harbuor", "hrabour", "harboru", "xarbour", "harbou"])
def test_one_slip_of_a_key_is_repaired(typo: str) -> None:
    scope = scope_of([[["harbour", "ferri"], ["station", "train"]]])
    assert np.flatnonzero(scores(scope, [typo])).tolist() == [0]


@pytest.mark.parametrize(
    ("typo", "word", "language"),
    [
        ("пером", "паром", ENGLISH),
        ("паорм", "паром", ENGLISH),
        ("gebüude", "gebäude", GERMAN),
        ("gebude", "gebäude", GERMAN),
    ],
)
def test_slips_are_repaired_in_other_scripts(typo: str, word: str, language: int) -> None:
    scope = scope_of([[["x"], [term(word, language)]]], language=language)
    assert np.flatnonzero(scores(scope, [typo])).tolist() == [1]


def test_a_repaired_word_weighs_less_and_a_word_that_is_there_is_not_touched() -> None:
    scope = scope_of([[["harbour"], ["harbours", "harbout"], ["w1"]]])
    assert scores(scope, ["harbour"]).tolist()[1:] == [0, 0]
    assert scores(scope, ["harbouw"])[0] < scores(scope, ["harbour"])[0]


@pytest.mark.parametrize("word", ["cat", "1234567", "渡轮", "x" * 40, "w1"])
def test_short_words_numbers_and_bigrams_are_left_as_they_are(word: str) -> None:
    assert not is_repairable(word)


def test_a_repair_never_makes_a_short_word() -> None:
    assert "ferri" in repairs("fery", ENGLISH)
    assert "dog" not in repairs("dogg", ENGLISH)
