"""What is answered when no language model is configured."""

from __future__ import annotations

import pytest

from llm import citations
from llm.providers.offline import Offline
from llm.types import Completion, Passage, Usage
from tests.llm.requests import chat_request, passage

REFUNDS = passage(
    "Refunds and returns\n\nYou may return any item within 30 days. Refunds are paid within five working days. "
    "Gift cards are excluded.",
    number=1,
    score=0.9,
)
SHIPPING = passage(
    "Orders are shipped on the next working day. A refund of the shipping costs is made when we sent the wrong item. "
    "Our warehouse is in Lyon.",
    number=2,
    score=0.5,
)


def ask(question: str, *passages: Passage) -> Completion:
    return Offline().complete(chat_request(question, passages=passages, grounded_mode=True))


def test_open_questions_are_told_which_variable_to_set() -> None:
    completion = Offline().complete(chat_request("What is the capital of France?"))

    assert "No language model is configured" in completion.text
    assert "GROQ_API_KEY" in completion.text
    assert "Paris" not in completion.text
    assert (completion.model, completion.provider, completion.usage) == ("offline", "offline", Usage())


def test_grounded_questions_get_the_best_sentences_each_with_its_mark() -> None:
    lines = ask("When are refunds paid?", REFUNDS, SHIPPING).text.splitlines()

    assert lines[0].startswith("No language model is configured.")
    assert "- Refunds are paid within five working days. [1]" in lines
    assert all(line.endswith(("[1]", "[2]")) for line in lines if line.startswith("- "))


def test_at_most_three_sentences_are_quoted_and_none_that_does_not_match() -> None:
    many = passage(" ".join(f"Refund rule {name} applies to refunds." for name in ("A", "B", "C", "D", "E")))

    assert ask("refund", many).text.count("[1]") == 3
    assert "warehouse" not in ask("When are refunds paid?", REFUNDS, SHIPPING).text


def test_a_sentence_that_matches_far_less_than_the_best_is_left_out() -> None:
    text = ask("When are refunds paid?", REFUNDS, SHIPPING).text

    assert "shipping costs" not in text


@pytest.mark.parametrize(
    ("source", "quoted"),
    [
        ("* refunds take five working days", "refunds take five working days"),
        ("## - refunds take five working days", "refunds take five working days"),
        ("-5 euros are kept of refunds", "-5 euros are kept of refunds"),
    ],
)
def test_a_list_item_is_quoted_without_its_bullet(source: str, quoted: str) -> None:
    assert f"\n- {quoted} [1]" in ask("refunds", passage(source)).text


def test_what_is_quoted_stands_in_the_order_of_the_documents() -> None:
    text = ask("refund of shipping costs, refunds paid", REFUNDS, SHIPPING).text

    assert text.index("[1]") < text.index("[2]")


def test_a_heading_alone_is_not_an_answer() -> None:
    assert "- Refunds and returns [1]" not in ask("refunds and returns", REFUNDS).text


def test_a_line_at_a_pages_foot_gives_way_to_whole_sentences() -> None:
    page = passage("The warranty of the Alta lasts three years.\n\nThe Alta user manual, warranty, page 4\n\n")

    assert "page 4" not in ask("warranty of the Alta", page).text


def test_a_match_by_meaning_alone_is_answered_with_the_best_passages_beginning() -> None:
    text = ask("Kann ich etwas zurückgeben?", SHIPPING, REFUNDS).text

    assert "[1]" in text
    assert "[2]" not in text


def test_without_passages_it_says_that_nothing_was_found() -> None:
    text = ask("When are refunds paid?").text

    assert "nothing relevant" in text
    assert "[" not in text


def test_a_quote_cannot_carry_marks_of_its_own() -> None:
    text = ask("refunds", passage("Refunds are described elsewhere [2], see also [7, 8] and 【3†source】.")).text

    assert "Refunds are described elsewhere (2), see also (7, 8) and (3†source). [1]" in text


def test_endless_sentences_are_cut_at_a_word() -> None:
    line = ask("refund", passage("refund " + "word " * 500)).text.splitlines()[-1]

    assert line.endswith("word … [1]")
    assert len(line) < 420


@pytest.mark.parametrize("question", ["", "🤷", "?", "the of and", "退"])
def test_odd_questions_never_fail(question: str) -> None:
    assert ask(question, REFUNDS).text


def test_its_marks_become_citations_of_the_sentences_it_quotes() -> None:
    cited = citations.verify(ask("When are refunds paid?", REFUNDS, SHIPPING).text, passages=[REFUNDS, SHIPPING])

    quotes = {citation["quote"] for citation in cited.citations}
    assert "Refunds are paid within five working days." in quotes
    for citation in cited.citations:
        source = {1: REFUNDS, 2: SHIPPING}[citation["document_id"]]
        assert source.text[citation["quote_start"] : citation["quote_end"]] == citation["quote"]
        assert cited.text[citation["start"] : citation["end"]].removeprefix("- ").strip() == citation["quote"]
