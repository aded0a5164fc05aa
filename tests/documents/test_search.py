"""A question finds the chunks that answer it, in the documents it is asked of and in no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from documents.models import Chunk, Document
from documents.search import search_chunks
from documents.types import Heading
from tests.documents.passages import ids, indexed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db

FERRY = "The ferry leaves the northern harbour at seven in the morning. Tickets are sold on board in winter."
LIBRARY = "The library lends three books to each reader. A fine of ten cents a day is due when they come back late."
GARDEN = "Tomatoes want six hours of sunlight. Water them in the evening, and never in the heat of noon."

ENGINES = pytest.mark.parametrize("engine", ["none", "wordllama"])


@pytest.fixture
def town() -> list[Document]:
    return [indexed(FERRY, title="Ferry"), indexed(LIBRARY, title="Library"), indexed(GARDEN, title="Garden")]


def found(question: str, documents: Sequence[Document], *, history: Sequence[str] = ()) -> list[int]:
    """The documents in the order of their best chunks."""
    hits = search_chunks(question, document_ids=ids(*documents), history=history).hits
    return list(dict.fromkeys(hit.document_id for hit in hits))


@ENGINES
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When does the ferry leave?", 0),
        ("where can I buy a TICKET in winter", 0),
        ("how many books may I borrow from the libraries", 1),
        ("fines for being late", 1),
        ("watering tomato plants", 2),
    ],
)
def test_the_chunk_that_answers_comes_first(
    town: list[Document], settings: Settings, engine: str, question: str, answer: int
) -> None:
    settings.EMBEDDINGS = engine
    assert found(question, town)[0] == town[answer].pk


def test_a_hit_says_where_it_stands_and_which_search_found_it(town: list[Document]) -> None:
    result = search_chunks("northern harbour", document_ids=ids(*town))
    best = result.hits[0]
    assert best.text == town[0].content[best.start : best.end]
    assert (best.document_id, best.filename, best.position, best.score) == (town[0].pk, "notes.txt", 0, 1.0)
    assert (best.keyword_rank, best.vector_rank) == (1, 1)
    assert [hit.keyword_rank for hit in result.hits[1:]] == [None] * (len(result.hits) - 1)
    assert all(hit.score < 1 for hit in result.hits[1:])


@ENGINES
def test_documents_of_others_change_no_score_and_are_not_found(
    town: list[Document], settings: Settings, engine: str
) -> None:
    settings.EMBEDDINGS = engine
    before = search_chunks("the ferry in winter", document_ids=ids(*town))
    for _ in range(5):
        indexed("Ferry ferry ferry. Winter is coming to the harbour. " * 30)
    assert search_chunks("the ferry in winter", document_ids=ids(*town)) == before


def test_a_search_takes_three_queries_whatever_the_scope(
    town: list[Document], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    more = [indexed(f"{FERRY} Number {number}.") for number in range(150)]
    search_chunks("warm the caches", document_ids=ids(town[0]))
    with django_assert_num_queries(3):
        hits = search_chunks("When does ferry number 77 leave?", document_ids=ids(*town, *more), limit=20).hits
    assert len(hits) == 20


def test_as_many_hits_come_as_were_asked_for(town: list[Document]) -> None:
    long = indexed(" ".join(f"The ferry number {number} leaves at {number} o'clock." for number in range(400)))
    for limit in (1, 7, 10):
        assert len(search_chunks("ferry", document_ids=ids(*town, long), limit=limit).hits) == limit


@ENGINES
def test_of_equal_chunks_the_one_of_the_older_document_comes_first(settings: Settings, engine: str) -> None:
    settings.EMBEDDINGS = engine
    twins = [indexed(FERRY) for _ in range(7)]
    assert found("ferry harbour", twins[::-1]) == ids(*twins)


def test_equal_chunks_of_a_document_come_in_its_order() -> None:
    section = "The ferry leaves the northern harbour at seven in the morning and not before. " * 9
    document = indexed("\n\n".join([section] * 6))
    hits = search_chunks("harbour", document_ids=[document.pk], limit=6).hits
    equal = [hit.position for hit in hits if hit.score == hits[0].score]
    assert equal == sorted(equal)


def test_the_title_and_the_headings_find_a_chunk_too(town: list[Document]) -> None:
    text = "Departure at seven."
    titled = indexed(text, title="Zeppelin timetable")
    headed = indexed(text, headings=[Heading(0, 1, "Submarines"), Heading(0, 2, "Weekdays")])
    assert found("zeppelin", [*town, titled, headed])[0] == titled.pk
    assert found("submarine", [*town, titled, headed])[0] == headed.pk


def test_a_title_of_any_length_is_indexed_by_its_beginning(town: list[Document], settings: Settings) -> None:
    settings.EMBEDDINGS = "none"
    titled = indexed("Departure at seven. " * 100, title="Zeppelin timetable " + "valley " * 70_000 + "submarine")
    assert found("zeppelin", [*town, titled]) == [titled.pk]
    assert found("submarine", [*town, titled]) == []


@ENGINES
@pytest.mark.parametrize(
    "question", ["When dose the frery leave the harbour?", "nothern harbour", "libary books", "tomatos and sunlihgt"]
)
def test_a_typo_does_not_hide_the_answer(town: list[Document], settings: Settings, engine: str, question: str) -> None:
    settings.EMBEDDINGS = engine
    answer = {"h": 0, "b": 1, "s": 2}[question.rstrip("?").split()[-1][0]]
    assert found(question, town)[0] == town[answer].pk


def test_polite_words_change_nothing_in_the_ranking_by_keywords(town: list[Document], settings: Settings) -> None:
    settings.EMBEDDINGS = "none"
    tell = indexed("Please tell me more. Hello and thanks, said the help desk, could you please tell us, thanks.")
    plain = search_chunks("When does the ferry leave?", document_ids=ids(*town, tell))
    polite = search_chunks(
        "Hello! Could you please tell me: when does the ferry leave? Thanks!", document_ids=ids(*town, tell)
    )
    assert polite == plain


@ENGINES
def test_a_follow_up_is_searched_in_the_light_of_the_turns_before_it(
    town: list[Document], settings: Settings, engine: str
) -> None:
    settings.EMBEDDINGS = engine
    question = "And what does it cost when I am late?"
    rates = indexed("Late arrival at the ferry costs five euros. Late arrival of trains is free of charge.")
    fines = indexed("A book that is late costs ten cents a day at the library.")
    both = [*town, rates, fines]
    assert found(question, both, history=["Tell me about the ferry"])[0] == rates.pk
    assert found(question, both, history=["Tell me about the library", "Which book may I lend?"])[0] == fines.pk


def test_a_question_that_stands_alone_is_not_touched_by_the_turns_before_it(town: list[Document]) -> None:
    question = "How many hours of sunlight and how much water do tomatoes want in summer?"
    alone = search_chunks(question, document_ids=ids(*town))
    assert search_chunks(question, document_ids=ids(*town), history=["Tell me about the ferry"]) == alone


LANGUAGES = {
    "german": (
        "Die Fähren verlassen den nördlichen Hafen um sieben Uhr. Fahrkarten werden im Winter an Bord verkauft.",
        "Wann verlässt die Fähre die Häfen?",
    ),
    "french": (
        "Les élèves empruntent trois livres à la bibliothèque. Ils les rendent avant l'été.",
        "combien de livres un eleve peut-il emprunter",
    ),
    "spanish": (
        "Las canciones se cantan en la plaza durante la tarde, y no hay que pagar por ellas.",
        "¿Dónde se canta una cancion?",
    ),
    "russian": ("Паромы отходят из северной гавани в семь часов утра.", "Когда отходит паром из гавани?"),
    "arabic": ("تغادر العبّارات الميناء الشمالي في الساعة السابعة صباحا.", "متى تغادر العبارة من ميناء الشمال؟"),
    "chinese": ("渡轮早上七点离开北港。冬天可以在船上买票。", "渡轮几点离开？"),
    "japanese": ("フェリーは朝七時に北の港を出ます。切符は船で買えます。", "フェリーは何時に出ますか"),
    "korean": ("여객선은 아침 일곱 시에 북쪽 항구를 떠납니다.", "여객선이 북쪽 항구를 언제 떠납니까?"),
    "thai": ("เรือข้ามฟากออกจากท่าเรือเหนือเวลาเจ็ดโมงเช้า", "เรือข้ามฟากออกกี่โมง"),
    "hindi": ("नौका सुबह सात बजे उत्तरी बंदरगाह से निकलती है।", "नौकाएँ बंदरगाह से कब निकलती हैं?"),
    "greek": ("Τα πλοία φεύγουν από το βόρειο λιμάνι στις επτά.", "Πότε φεύγει το πλοίο από το λιμανι;"),
    "hebrew": ("המעבורת עוזבת את הנמל הצפוני בשעה שבע.", "מתי המעבורת עוזבת את הנמל?"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_finds_its_answer_in_its_language_by_keywords_alone(settings: Settings, language: str) -> None:
    settings.EMBEDDINGS = "none"
    documents = {name: indexed(text) for name, (text, _) in LANGUAGES.items()}
    result = search_chunks(LANGUAGES[language][1], document_ids=ids(*documents.values()))
    assert result.hits[0].document_id == documents[language].pk
    assert result.relevant


def test_one_ideograph_is_a_question(settings: Settings) -> None:
    settings.EMBEDDINGS = "none"
    tea, rice = indexed("这家店卖绿茶和红茶。"), indexed("这家店卖白米。")
    assert found("茶", [tea, rice]) == [tea.pk]


@pytest.mark.parametrize(
    "question",
    [
        "",
        " ",
        "\n",
        "?",
        "😀",
        "👩‍👩‍👧",
        "猫",
        "\0",
        "\ud83d",
        "a AND (b OR",
        '"',
        "*",
        "NEAR/2",
        "term:",
        "-",
        "' OR 1=1 --",
        "%s",
        "{}",
        "\\",
    ],
)
@ENGINES
def test_no_question_raises(town: list[Document], settings: Settings, engine: str, question: str) -> None:
    settings.EMBEDDINGS = engine
    for scope in ([], town):
        for history in ((), ("", "😀", "the ferry")):
            search_chunks(question, document_ids=ids(*scope), history=history)


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(question=st.text(max_size=200), history=st.lists(st.text(max_size=80), max_size=4))
def test_nothing_that_can_be_typed_raises(town: list[Document], question: str, history: list[str]) -> None:
    result = search_chunks(question, document_ids=ids(*town), history=history)
    assert all(0 < hit.score <= 1 for hit in result.hits)


@pytest.mark.parametrize("unit", ["ferry ", "x", "渡轮", "frery harbuor ", "😀", "'s", "é"])
def test_a_question_of_the_greatest_length_is_answered(town: list[Document], unit: str) -> None:
    question = (unit * 32_000)[:32_000]
    search_chunks(question, document_ids=ids(*town), history=[question])


def test_documents_that_are_not_there_or_have_no_chunks_find_nothing() -> None:
    empty = Document.objects.create(filename="empty.txt", sha256="empty")
    result = search_chunks("ferry", document_ids=[empty.pk, 10**9])
    assert (result.hits, result.relevant, result.coverage, result.cosine) == ((), False, 0.0, None)


def test_a_chunk_that_is_gone_is_left_out(town: list[Document]) -> None:
    Chunk.objects.filter(document=town[0]).delete()
    assert town[0].pk not in found("ferry", town)


@ENGINES
def test_whether_anything_answers_the_question_is_told(town: list[Document], settings: Settings, engine: str) -> None:
    settings.EMBEDDINGS = engine
    other = [
        indexed(f"Chapter {n}. The {word} was sold to a merchant of the old city.") for n, word in enumerate("abcdef")
    ]

    def relevant(question: str) -> bool:
        return search_chunks(question, document_ids=ids(*town, *other)).relevant

    assert relevant("When does the ferry leave the harbour?")
    assert relevant("How many books does the library lend?")
    assert not relevant("Who won the world championship in chess against Kasparov?")
    assert not relevant("What is the capital of Mongolia?")
    assert not relevant("")


def test_one_short_document_can_answer_a_question(settings: Settings) -> None:
    settings.EMBEDDINGS = "none"
    refunds = indexed("Refunds are paid within thirty days of the purchase.")
    assert search_chunks("What is the refund policy?", document_ids=[refunds.pk]).relevant
    assert not search_chunks("Which pets live in the office building?", document_ids=[refunds.pk]).relevant
