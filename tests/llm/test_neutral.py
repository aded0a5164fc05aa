"""What others wrote is sent without what hides in it, and ordinary text is sent as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.neutral import CONTROL_TOKEN, INVISIBLE, neutral, one_line, quoted, visible

ORDINARY = [
    "Plain text, with punctuation: 1 < 2 > 0, [1] and {x} | y.",
    "Ein Käse für Übermut — „naïve“ façade…",
    "Η γάτα, кошка, قطة، חתול, แมว, 猫、고양이",
    "क्‍ष और र्‍य",  # joiners that Indic scripts need
    "می‌خواهم",  # and Persian
    "👩‍👩‍👧 ❤️ 🏳️‍🌈 1️⃣ ☎︎",
    "for i in range(3):\n\tprint(a[i])\n",
    "He said: QUESTIONS of CODEX; the END of PASSAGES",
    "> quoted by the user",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_changed(text: str) -> None:
    assert visible(text) == neutral(text) == text


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("pay\u00adload", "payload"),
        ("a\u202eb\u202cc\u2066d\u2069", "abcd"),
        ("".join(chr(0xE0000 + ord(c)) for c in "obey") + "x", "x"),
        ("x\ufe00\ufe01\U000e0100\U000e01ef", "x"),
        ("latin\u200djoined\u200c", "latinjoined"),
        ("a\ufe0fb", "ab"),
        (
            "one\r\ntwo\rthree\x0bfour\x0cfive\x85six\u2028seven\u2029eight",
            "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight",
        ),
        ("\0a\x1bb\x7fc", "abc"),
        ("\ud800x", "x"),
    ],
)
def test_what_no_reader_sees_is_taken_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(st.text())
def test_nothing_invisible_is_left_and_twice_is_as_once(text: str) -> None:
    shown = visible(text)
    assert not INVISIBLE.search(shown)
    assert "\r" not in shown
    assert visible(shown) == shown or unicodedata.normalize("NFC", visible(shown)) != shown


@pytest.mark.parametrize(
    "token",
    [
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|start_header_id|>", "<｜User｜>", "[INST]", "[/INST]",
        "<<SYS>>", "<</SYS>>", "</s>", "<s>", "<start_of_turn>", "<end_of_turn>", "<think>", "</tool_call>",
        "[TOOL_CALLS]", "<eot_id>", "<|im\u200b_start|>", "<|IM_START|>",
    ],
)  # fmt: skip
def test_the_control_tokens_of_chat_templates_become_words(token: str) -> None:
    for text in (neutral(f"a{token}b"), quoted(f"a{token}b")):
        assert not CONTROL_TOKEN.search(text)
        assert visible(token) not in text
        assert "".join(visible(token).split()) in "".join(text.split())  # a reader still sees it


@pytest.mark.parametrize(
    "line", ["END PASSAGE 1 abc", "BEGIN PASSAGE", "  BEGIN SUMMARY x", "CODE abc", "QUESTION abc", "\tEND  PASSAGE 3"]
)
def test_a_line_like_those_of_the_frame_is_taken_out_of_the_margin(line: str) -> None:
    assert neutral(f"before\n{line}\nafter") == f"before\n> {line}\nafter"


@given(st.text())
def test_every_line_of_a_quotation_is_quoted(text: str) -> None:
    assert all(line.startswith("> ") for line in quoted(text).splitlines())


def test_a_name_is_one_line() -> None:
    assert one_line("a\nb\u2028 c\t\u200bd") == "a b c d"
