"""A search is explained by the figures that it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from documents.search import search_chunks
from documents.search.analysis import term
from documents.search.explaining import explain_search, occurrences
from documents.search.languages import ENGLISH
from documents.search.scoring import KEYWORDS, VECTORS
from tests.documents.passages import ids, indexed

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

    from documents.models import Document
    from documents.search.explaining import WordFigures

pytestmark = pytest.mark.django_db

FERRY = "The ferry leaves the northern harbour at seven in the morning. Tickets are sold on board in winter."
GARDEN = "Tomatoes want six hours of sunlight. Water them in the evening, and never in the heat of noon. "
QUESTION = "Hi, could you please tell me when the fery leaves in winter?"

ENGINES = pytest.mark.parametrize("engine", ["none", "wordllama"])


@pytest.fixture
def town() -> list[Document]:
    return [indexed(GARDEN * 30, title="Garden"), indexed(FERRY, title="Timetable"), indexed(" ", title="Nothing")]


@ENGINES
@pytest.mark.parametrize(
    "question", [QUESTION, "water", "", "🚢", "北", "请问船", "ferry " * 1_700], ids=lambda text: text[:6]
)
def test_the_result_is_that_of_the_search(town: list[Document], settings: Settings, engine: str, question: str) -> None:
    settings.EMBEDDINGS = engine
    found = search_chunks(question, document_ids=ids(*town), limit=20)
    explained = explain_search(question, document_ids=ids(*town))
    assert explained.result == found
    assert [figures.hit for figures in explained.hits] == list(found.hits)


@given(st.text(max_size=60) | st.text(alphabet="请问您好船渡轮 hi,please.ferry", max_size=30))
@profile(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_can_be_explained(town: list[Document], question: str) -> None:
    explained = explain_search(question, document_ids=ids(*town))
    assert explained.result == search_chunks(question, document_ids=ids(*town), limit=20)


def test_the_figures_add_up_to_the_scores(town: list[Document], settings: Settings) -> None:
    settings.EMBEDDINGS = "wordllama"
    hits = explain_search("When does the ferry leave? Water?", document_ids=ids(*town)).hits
    assert len(hits) > 3
    best_bm25, best_cosine = max(hit.bm25 for hit in hits), max(hit.cosine or 0.0 for hit in hits)
    assert best_bm25 > 0
    for figures in hits:
        assert sum(value for _, value in figures.words) == pytest.approx(figures.bm25)
        assert figures.cosine is not None
        mixed = KEYWORDS * figures.bm25 / best_bm25 + VECTORS * max(figures.cosine, 0.0) / best_cosine
        assert figures.score == pytest.approx(mixed)
        assert figures.hit.score == pytest.approx(figures.score / hits[0].score)


def test_what_became_of_each_word_of_the_question(town: list[Document]) -> None:
    explained = explain_search(f"{QUESTION[:-1]} by zeppelin?", document_ids=ids(*town))
    words: dict[str, WordFigures] = {figures.word: figures for figures in explained.words}
    assert list(words) == ["fery", "leaves", "winter", "zeppelin"]
    assert (words["fery"].terms, words["fery"].is_repaired, words["fery"].chunks) == (("ferri",), True, 1)
    assert (words["leaves"].terms, words["leaves"].is_repaired) == (("leav",), False)
    assert (words["zeppelin"].terms, words["zeppelin"].chunks) == ((), 0)
    assert words["leaves"].weight > words["fery"].weight  # a word said every day weighs more than a repaired one
    assert explained.dropped == ("hi", "could", "you", "please", "tell", "me", "when", "the", "in", "by")


def test_the_text_behind_the_vectors_is_told_where_there_are_any(settings: Settings) -> None:
    settings.EMBEDDINGS = "wordllama"
    town = [indexed(FERRY)]
    settings.EMBEDDINGS = "none"
    explained = explain_search(QUESTION, document_ids=ids(*town))
    assert (explained.embedded, explained.model, explained.thresholds.cosine) == ((), None, None)
    assert explained.hits[0].cosine is None
    settings.EMBEDDINGS = "wordllama"
    explained = explain_search(QUESTION, document_ids=ids(*town))
    assert (explained.embedded, explained.model) == ((("when the fery leaves in winter?", 1.0),), "wordllama-256")
    assert explained.thresholds.cosine == pytest.approx(0.31)


def test_only_what_fits_into_a_prompt_is_said_to_be_sent(settings: Settings) -> None:
    document = indexed(GARDEN * 200)
    hits = explain_search("How much sunlight do tomatoes want?", document_ids=[document.pk]).hits
    sent = [figures.hit for figures in hits if figures.is_sent]
    assert 0 < len(sent) < len(hits)
    nothing = explain_search("Who won the chess championship?", document_ids=[document.pk])
    assert not nothing.result.relevant
    assert not any(figures.is_sent for figures in nothing.hits)


def test_an_explanation_costs_the_queries_of_a_search(
    town: list[Document], settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.EMBEDDINGS = "wordllama"
    for documents in (town[:2], town):
        with django_assert_num_queries(3):
            explain_search(QUESTION, document_ids=ids(*documents))


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Ferries leave. A FERRY left.", ["ferry"], ["Ferries", "FERRY"]),
        ("The harbour's walls", ["harbour"], ["harbour"]),
        ("渡轮七点离开北港。", ["渡轮", "轮七", "北港"], ["渡轮七", "北港"]),
        ("北港", ["北"], ["北"]),
        ("ferryman", ["ferry"], []),
        ("", ["ferry"], []),
    ],
)
def test_words_are_found_where_they_stand(text: str, words: list[str], marked: list[str]) -> None:
    terms = {term(word, ENGLISH) for word in words}
    assert [text[slice(*span)] for span in occurrences(text, terms=terms, languages=[ENGLISH])] == marked
