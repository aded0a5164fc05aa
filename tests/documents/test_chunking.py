"""Chunks are whole sentences, exact in their offsets, and cost time linear in the text."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.chunking import OVERLAP, SIZE, split
from documents.search.sentences import sentence_spans
from documents.types import ChunkDraft, Extracted, Heading, PageSpan

# Letters, white space, and what ends sentences or makes one long.
PIECES = st.sampled_from(
    ["word ", "x" * 150, ". ", "! ", "。", "؟ ", "\n", "\n\n", "  ", "\t", "- ", "|", '."', "é", "字", "ไทย"]
)
TEXTS = st.lists(PIECES, max_size=120).map("".join) | st.text(max_size=3_000)


def chunks_of(text: str, *, headings: tuple[Heading, ...] = (), pages: tuple[PageSpan, ...] = ()) -> list[ChunkDraft]:
    return split(Extracted(text=text, media_type="text/plain", headings=headings, pages=pages))


@given(TEXTS)
def test_offsets_are_exact_and_nothing_but_white_space_is_left_out(text: str) -> None:
    covered: set[int] = set()
    for chunk in chunks_of(text):
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip()
        assert 0 < len(chunk.text) <= SIZE
        covered.update(range(chunk.start, chunk.end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)


@given(TEXTS)
def test_chunks_go_forward_and_overlap_by_no_more_than_they_may(text: str) -> None:
    chunks = chunks_of(text)
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        assert before.end - after.start <= OVERLAP


@given(TEXTS)
def test_sentences_follow_each_other_without_a_gap(text: str) -> None:
    spans = list(sentence_spans(text))
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@pytest.mark.parametrize(
    ("sentence", "separator"),
    [
        ("The ferry leaves at seven and returns at nine.", " "),
        ('He said: "The ferry has left."', " "),
        ("Паром отходит в семь часов утра!", " "),
        ("渡轮七点离开北港，九点返回。", ""),
        ("フェリーは七時に出ますか？", ""),
        ("هل تغادر العبارة في الساعة السابعة؟", " "),
        ("नाव सात बजे निकलती है।", " "),
        ("A line without a full stop", "\n"),
        ("a | row | of a table", "\n"),
    ],
)
def test_no_sentence_is_cut_in_any_script(sentence: str, separator: str) -> None:
    if sentence.startswith("a |"):
        sentence = "A" + sentence[1:]  # a line that begins small would go on with the one before
    chunks = chunks_of(separator.join([sentence] * 100))
    assert len(chunks) > 1
    for chunk in chunks:
        assert chunk.text.replace(sentence, "").strip() == ""


def test_a_line_that_goes_on_with_a_small_letter_does_not_end_a_sentence() -> None:
    text = "The committee decided that\nferries leave at seven. Dogs travel free."
    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "The committee decided that\nferries leave at seven. ",
        "Dogs travel free.",
    ]


def test_a_long_sentence_is_cut_between_words_and_no_mark_leaves_its_letter() -> None:
    words = chunks_of("ferry " * 1_000)
    assert {word for chunk in words for word in chunk.text.split()} == {"ferry"}
    marked = chunks_of("e\u0301" * 2_000)
    assert all(chunk.text[0] == "e" and chunk.text[-1] == "\u0301" for chunk in marked)


@pytest.mark.parametrize("unit", ["x", " ", ".", ". ", "\n", "\n ", "字", "。", '."', "|\n", "\u0301", "ab ", "= "])
def test_time_is_linear_whatever_the_text_is_made_of(unit: str) -> None:
    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        begun = time.process_time()
        chunks_of(text)
        return time.process_time() - begun

    small = min(seconds(150_000) for _ in range(2))
    assert seconds(1_200_000) < 8 * 4 * small + 0.5


@pytest.mark.parametrize("text", ["", " ", "\n\n\t"])
def test_a_text_of_nothing_has_no_chunks(text: str) -> None:
    assert chunks_of(text) == []


def test_a_chunk_has_the_path_of_headings_over_its_middle() -> None:
    def section(title: str) -> str:
        return f"{title}\n" + f"Something about {title.lower()} is said here. " * 40

    text = section("Ferries") + section("Winter") + section("Summer") + section("Trains")
    headings = tuple(
        Heading(start=text.index(f"{title}\n"), level=level, text=title)
        for title, level in [("Ferries", 1), ("Winter", 2), ("Summer", 2), ("Trains", 1)]
    )
    for chunk in chunks_of(text, headings=headings):
        middle = chunk.text[len(chunk.text) // 2 - 60 :]
        path = {"ferries": "Ferries", "winter": "Ferries > Winter", "summer": "Ferries > Summer", "trains": "Trains"}
        assert chunk.heading in {path[word] for word in path if word in middle.lower()}


def test_of_a_path_that_is_too_long_the_innermost_part_is_kept() -> None:
    headings = (Heading(0, 1, "Outer " * 200), Heading(0, 2, "Inner"))
    (chunk,) = chunks_of("Text.", headings=headings)
    assert len(chunk.heading) == 500
    assert chunk.heading.endswith("> Inner")


@pytest.mark.parametrize("style", ["== {} ==", " = = {} = = ", "==  {}  =="])
def test_wiki_headings_are_known_where_the_reader_knows_none(style: str) -> None:
    text = f"= Ferries =\nAll of them.\n{style.format('Winter')}\n" + "They leave at seven. " * 60
    assert chunks_of(text)[-1].heading == "Ferries > Winter"


@pytest.mark.parametrize("line", ["== ==", "a == b ==", "== a =", "=" * 400, "= " * 400])
def test_other_lines_with_equals_signs_are_no_headings(line: str) -> None:
    assert {chunk.heading for chunk in chunks_of(f"{line}\nText.")} == {""}


def test_a_chunk_names_the_page_it_begins_on_and_where_the_next_ones_begin() -> None:
    text = "First page. \nSecond page. \nThird page. \n"
    pages = (PageSpan(1, 0, 13), PageSpan(2, 13, 27), PageSpan(3, 27, 40))
    (chunk,) = chunks_of(text, pages=pages)
    assert (chunk.page, chunk.page_breaks) == (1, (13, 27))
    assert chunks_of(text)[0].page is None
