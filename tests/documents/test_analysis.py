"""Words are compared as readers compare them, in every script."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documents.search import courtesy
from documents.search.analysis import language_of, terms, tokens
from documents.search.languages import LATIN
from documents.search.question import EVERYDAY, read_question

GERMAN = next(place for place, language in enumerate(LATIN) if language.name == "german")
SPANISH = next(place for place, language in enumerate(LATIN) if language.name == "spanish")
ENGLISH = 0


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("running", "runs", ENGLISH),
        ("the children's ferry", "children ferry", ENGLISH),
        ("Biden’s", "Biden", ENGLISH),
        ("résumé", "resume", ENGLISH),
        ("São Paulo", "sao paulo", ENGLISH),
        ("cafe\u0301", "café", ENGLISH),
        ("ＦＥＲＲＹ", "ferry", ENGLISH),
        ("ﬁne", "fine", ENGLISH),
        ("İstanbul", "istanbul", ENGLISH),
        ("Häuser", "Haus", GERMAN),
        ("Müller", "Mueller", GERMAN),
        ("Straße", "STRASSE", GERMAN),
        ("canciones", "cancion", SPANISH),
        ("студентов", "студенты", ENGLISH),
        ("ёлка", "елки", ENGLISH),
        ("большой", "большого", ENGLISH),
        ("الكتاب", "كتاب", ENGLISH),
        ("العَرَبِيَّة", "العربية", ENGLISH),
        ("λέξεις", "λεξεισ", ENGLISH),
        ("लड़कों", "लड़के", ENGLISH),
        ("שָׁלוֹם", "שלום", ENGLISH),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str, language: int) -> None:
    assert terms(one, language=language) == terms(other, language=language) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("北港的渡轮", ["北港", "港的", "的渡", "渡轮"]),
        ("渡", ["渡"]),
        ("渡轮 2024 ferry", ["渡轮", "2024", "ferri"]),
        ("เรือออก", ["เร", "รื", "ือ", "ออ", "ออ", "อก"]),
        ("학교에서", ["학교", "교에", "에서"]),
        ("foo_bar v1.2", ["foo", "bar", "v1", "2"]),
        ("हिन्दी", ["हिन्द"]),
        ("I don't know what it is", ["know"]),
        ("😀 — !?", []),
    ],
)
def test_a_text_gives_these_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_documents_hold_ideographs_alone_too_so_that_a_question_of_one_finds_them() -> None:
    assert set(tokens("渡轮", singles=True)) == {"渡轮", "渡", "轮"}
    assert tokens("渡轮") == ["渡轮"]
    assert tokens("เรือ", singles=True) == tokens("เรือ")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The ferry leaves the northern harbour at seven, and there is no other.", "english"),
        ("Die Fähre fährt um sieben Uhr ab, und es gibt keine andere.", "german"),
        ("Le bac quitte le port du nord à sept heures et il n'y en a pas d'autre.", "french"),
        ("El barco sale del puerto a las siete y no hay otro hasta la noche.", "spanish"),
        ("Il traghetto parte dal porto alle sette e non ce ne sono altri per oggi.", "italian"),
        ("O barco sai do porto às sete e não há outro até à noite.", "portuguese"),
        ("De boot vertrekt om zeven uur uit de haven en er is geen andere.", "dutch"),
        ("Färjan lämnar hamnen klockan sju och det finns ingen annan som går.", "swedish"),
        ("Prom odpływa z portu o siódmej i nie ma już innego, który by płynął.", "polish"),
        ("Vapur saat yedide limandan kalkar ve başka bir vapur yok.", "turkish"),
        ("渡轮七点离开北港", "english"),
        ("", "english"),
    ],
)
def test_the_language_of_a_text_is_told_by_its_small_words(text: str, language: str) -> None:
    assert LATIN[language_of(text)].name == language


@example("ـ", 0)  # a stroke that lengthens Arabic words, and of which their stemmer leaves nothing
@given(st.text(max_size=400), st.integers(0, len(LATIN) - 1))
def test_any_text_can_be_analysed_in_any_language(text: str, language: int) -> None:
    assert all(terms(text, language=language))


NOT_COURTESIES = """
    What tax do I pay if you have a second home?
    If you get a second opinion, is it covered?
    What if you have a moment magnitude of 7?
    Which airline issued apologies for the delay in 2019?
    Does the manual give any advice on scaling?
    Is it possible to learn a language in a month?
    Which plants suit a garden if you don't mind slugs?
    Is it legal to look forward to hearing a verdict?
""".strip().splitlines()


@pytest.mark.parametrize("question", NOT_COURTESIES)
def test_words_of_courtesy_that_say_something_are_searched(question: str) -> None:
    assert courtesy.without_phrases(question.strip()) == question.strip()


def words(question: str, *history: str) -> dict[str, float]:
    return read_question(question, history=history, languages=[ENGLISH]).words


def test_polite_words_are_not_searched_for_unless_there_is_nothing_else() -> None:
    assert words("Hi, could you please tell me when the ferry leaves? Thanks!") == words("when the ferry leaves?")
    assert words("Hello, thanks!") == {"hello": 1.0, "thanks": 1.0}
    assert words("请问渡轮几点离开") == words("渡轮几点离开")


COURTESIES = """
    Hi there! I was just wondering if you know {}
    Hello, could you please help me understand the following: {}
    Good morning. I would like to know {} Thanks a lot in advance!
    Dear team, do you happen to know {} Any help would be appreciated.
    Just a quick question for you: {} I'd really appreciate it.
    Sorry to bother you: {} If you don't mind. Have a nice day!
    I am really confused about this. {} Help would be great.
    Guten Tag, könnten Sie mir bitte sagen: {} Vielen Dank im Voraus.
    Pourriez-vous me dire, s'il vous plaît: {} Merci beaucoup!
    Hey, any chance you know {}
    May I ask {}
    Hiya! Would you be so kind as to tell me {} Cheers!
    Do you have any idea {}
    Could anybody here tell me {}
    I would like to find out {}
    Good evening, would it be possible to find out {} Much obliged.
    Sorry to trouble you, {} If you don't mind me asking.
    If you have a second, {}
    Would you be so kind as to explain {} I look forward to your reply.
    Apologies for the interruption, what I'd like to know is {} Please advise.
    Forgive my ignorance, can anyone shed some light on this? {}
    Out of interest, any pointers on {} Any help is welcome.
    It would be great to know {}
    Could I trouble you for an answer? {}
    I have been asked to find out {}
    Sehr geehrte Damen und Herren, {} Mit freundlichen Grüßen
""".strip().splitlines()


@pytest.mark.parametrize("courtesy", COURTESIES)
def test_a_question_is_searched_as_if_nothing_polite_stood_around_it(courtesy: str) -> None:
    question = "when the ferry leaves the northern harbour in winter, with how many passengers?"
    polite = read_question(courtesy.strip().format(question), history=["Tell me about trains"], languages=[ENGLISH])
    plain = read_question(question, history=["Tell me about trains"], languages=[ENGLISH])
    assert polite.words == plain.words
    assert [text.strip(" .,:") for text, _ in polite.texts] == [text for text, _ in plain.texts]


CHATTER = """
    My daughter has a test on Friday and she keeps bugging me about this. {}?
    {}? My colleague and I have a bet running, so be precise.
    {}? Kind regards, Thomas Higgins
    Meine Tochter schreibt morgen eine Klausur. {}?
    {}. I swear my colleague knew this yesterday.
    {}. It is such a long morning.
""".strip().splitlines()


@pytest.mark.parametrize("chatter", CHATTER)
def test_sentences_beside_the_question_weigh_as_the_turn_before_and_are_not_repaired(chatter: str) -> None:
    question = "when will the ferry leave northern harbours in winter with passengers"
    plain = read_question(question, history=["trains"], languages=[ENGLISH])
    found = read_question(chatter.strip().format(question), history=["trains"], languages=[ENGLISH])
    assert {word: weight for word, weight in found.words.items() if weight >= EVERYDAY} == plain.words
    beside = {word: weight for word, weight in found.words.items() if word not in plain.words}
    assert set(beside.values()) == {0.3}
    assert set(beside) == found.beside
    assert [weight for _, weight in found.texts] == [1.0, 0.3]


def test_chatter_does_not_make_a_follow_up_a_question_that_stands_alone() -> None:
    found = words("My boss is so angry and it is so late. And in winter?", "When do ferries leave?")
    assert found["ferries"] == pytest.approx(0.3)
    assert found["winter"] == 1


def test_a_question_of_common_words_has_its_subject_beside_it() -> None:
    found = words("My Fritzbox shows E42. I am so tired today. What should I press?")
    assert (found["fritzbox"], found["e42"], found["press"], found["tired"]) == (1, 1, EVERYDAY, 0.3)


@pytest.mark.parametrize(
    ("message", "everyday", "others"),
    [
        ("What would a grown woman pay for a Fritzbox?", {"grown", "woman", "pay"}, {"fritzbox"}),
        (
            "My brother swears he knows how lighthouses rotate",
            {"brother", "knows"},
            {"swears", "lighthouses", "rotate"},
        ),
        ("Wie lange lebt ein Leuchtturm?", set(), {"wie", "lange", "lebt", "ein", "leuchtturm"}),
        ("When do we leave?", set(), {"leave"}),  # everyday words alone are the question
    ],
)
def test_everyday_words_weigh_less_beside_others(message: str, everyday: set[str], others: set[str]) -> None:
    assert words(message) == dict.fromkeys(everyday, EVERYDAY) | dict.fromkeys(others, 1.0)


@pytest.mark.parametrize(
    "message",
    [
        "Tell me about lighthouses. In Brittany they are tall.",
        "Version 1.5 of the ferry timetable at 10:30",
        "How do I repair my lighthouse. Which lamps fit",
        "I am here. You are there.",
    ],
)
def test_a_message_without_a_sentence_that_asks_more_than_the_others_is_searched_whole(message: str) -> None:
    assert read_question(message, history=(), languages=[ENGLISH]).beside == frozenset()
    assert min(words(message).values(), default=1.0) >= EVERYDAY


@pytest.mark.parametrize("question", ["Thanks a lot in advance!", "Hello there,", "请问", "s'il vous plaît", "?!", ""])
def test_a_question_of_nothing_but_courtesy_stays_as_it_is(question: str) -> None:
    assert read_question(question, history=(), languages=[ENGLISH]).texts == ((question, 1.0),)


def test_polite_words_that_say_something_stay() -> None:
    assert "problem" in words("The engine has a problem. Who repairs it?")
    assert "kitty" in words("hello kitty shop")
    assert "note" in words("Which note follows after the letter?")


def test_forms_of_a_word_count_once() -> None:
    assert list(words("ferry ferries Ferry's")) == ["ferry"]


@pytest.mark.parametrize("question", ["And in winter?", "When exactly does it leave the northern harbour on Sundays?"])
def test_a_short_question_or_one_that_points_back_takes_in_the_turns_before_it(question: str) -> None:
    earlier = ["Tell me about trains", "Is there a bus?", "When do ferries leave?", "What does the ticket cost?"]
    found = words(question, *earlier)
    assert found["ticket"] == pytest.approx(0.3)
    assert found["ferries"] == pytest.approx(0.09)
    assert found["bus"] == pytest.approx(0.027)
    assert "trains" not in found


def test_a_word_of_the_question_that_came_before_weighs_more() -> None:
    assert words("And ferry tickets?", "When do ferries leave?")["ferry"] == pytest.approx(1.3)


def test_a_question_that_stands_alone_is_searched_alone() -> None:
    question = "Which museums near the northern harbour open on Sundays in winter?"
    assert words(question, "When do ferries leave?") == words(question)


def test_a_chinese_question_is_measured_in_words_not_in_bigrams() -> None:
    assert "渡轮" in words("冬天开放时间呢", "渡轮几点离开")
