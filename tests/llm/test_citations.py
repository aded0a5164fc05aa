"""Citations: only what was retrieved can be cited, and every offset can be checked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from documents.search.packing import ChunkSpan
from llm.citations import verify
from llm.types import Passage

DOCUMENT = "Preface. Lamps may be returned within thirty days. Sofas may not be returned. Mirrors travel in crates."


def passage(number: int = 1, *, start: int = 9, end: int = len(DOCUMENT), document_id: int = 7) -> Passage:
    middle = DOCUMENT.index("Sofas")
    return Passage(
        number=number,
        document_id=document_id,
        filename="returns.txt",
        start=start,
        end=end,
        text=DOCUMENT[start:end],
        score=0.87654,
        chunks=(
            ChunkSpan(chunk_id=41, start=start, end=middle, page=2),
            ChunkSpan(chunk_id=42, start=middle, end=end, page=3, page_breaks=(DOCUMENT.index("Mirrors"),)),
        ),
    )


def test_a_mark_becomes_a_citation_of_the_sentence_that_supports_it() -> None:
    cited = verify("Hello. Sofas cannot be returned [1].", passages=[passage()])
    assert cited.text == "Hello. Sofas cannot be returned [1]."
    (citation,) = cited.citations
    quote = "Sofas may not be returned."
    assert citation == {
        "start": 7,
        "end": 32,
        "document_id": 7,
        "filename": "returns.txt",
        "chunk_id": 42,
        "page": 3,
        "quote": quote,
        "quote_start": DOCUMENT.index(quote),
        "quote_end": DOCUMENT.index(quote) + len(quote),
        "score": 0.8765,
    }
    assert cited.text[7:32].rstrip() == "Sofas cannot be returned"


def test_a_mark_behind_the_full_stop_belongs_to_the_sentence_before_it() -> None:
    cited = verify("Lamps can be returned. [1] Anything else?", passages=[passage()])
    (citation,) = cited.citations
    assert cited.text[citation["start"] : citation["end"]].strip() == "Lamps can be returned."
    assert citation["quote"] == "Lamps may be returned within thirty days."


def test_a_quote_behind_a_page_break_is_on_the_next_page() -> None:
    cited = verify("Mirrors travel in crates [1].", passages=[passage()])
    assert (cited.citations[0]["chunk_id"], cited.citations[0]["page"]) == (42, 4)


def test_a_mark_that_names_no_passage_is_removed() -> None:
    cited = verify("Lamps are bright [2]. Sofas are soft [7][1].", passages=[passage()])
    assert cited.text == "Lamps are bright. Sofas are soft [1]."
    assert len(cited.citations) == 1


def test_every_mark_is_removed_when_nothing_was_retrieved() -> None:
    cited = verify("I know this [1] and that [2, 3].", passages=[])
    assert cited == type(cited)(text="I know this and that.", citations=())


def test_a_list_of_numbers_is_taken_apart() -> None:
    cited = verify("Both [1, 2; 9].", passages=[passage(1), passage(2, document_id=8)])
    assert cited.text == "Both [1][2]."
    assert [c["document_id"] for c in cited.citations] == [7, 8]


def test_the_marks_of_the_gpt_oss_models_are_understood() -> None:
    cited = verify("Sofas stay【1†L3-L5】.", passages=[passage()])
    assert cited.text == "Sofas stay[1]."
    assert cited.citations[0]["chunk_id"] == 42


def test_brackets_in_code_are_not_marks() -> None:
    text = "Use `items[1]`:\n```python\nitems[5]\n```\nas said [1]."
    cited = verify(text, passages=[passage()])
    assert cited.text == text
    assert len(cited.citations) == 1


def test_an_answer_that_shares_no_word_is_still_cited_by_its_passage() -> None:
    cited = verify("Так и есть [1].", passages=[passage()])
    assert cited.citations[0]["quote"] in DOCUMENT


@given(st.text(alphabet="ab.[]123, \n`【†】你。", max_size=80))
def test_whatever_a_model_writes_every_offset_holds(text: str) -> None:
    cited = verify(text, passages=[passage(1), passage(2)])
    for citation in cited.citations:
        assert 0 <= citation["start"] <= citation["end"] <= len(cited.text)
        assert DOCUMENT[citation["quote_start"] : citation["quote_end"]] == citation["quote"] != ""
    assert len(cited.text) <= len(text) + 4 * len(cited.citations)
