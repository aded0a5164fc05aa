"""What a model wrote, and what of it is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.answers import checked
from llm.markdown import code_spans, parts
from llm.tags import without_targets
from llm.urls import is_web, normal, stated_in, trimmed
from tests.llm.requests import passage

LINK = "https://shop.example/form"
STATES = passage(f"Lamps may be returned. The form is at {LINK}.")
OTHER = passage("Sofas may not.", number=2)


def test_a_link_of_a_cited_passage_stays() -> None:
    answer = checked(f"Use [the form]({LINK}) [1].", passages=[STATES, OTHER])
    assert (answer.text, answer.links_removed, len(answer.citations)) == (f"Use [the form]({LINK}) [1].", 0, 1)


def test_a_link_of_a_passage_that_is_not_cited_goes() -> None:
    answer = checked(f"Use [the form]({LINK}) [2].", passages=[STATES, OTHER])
    assert (answer.text, answer.links_removed) == ("Use the form [2].", 1)


def test_a_link_of_a_flagged_passage_goes_though_it_is_cited() -> None:
    flagged = replace(STATES, flags=("override",))
    assert checked(f"Use {LINK} [1].", passages=[flagged]).text == "Use ‹link removed› [1]."


def test_a_citation_cannot_be_gained_by_what_a_link_hides() -> None:
    # [1] stands only in the target of a link that goes, so nothing is cited and the other link goes, too.
    answer = checked(f"[a](https://evil.example/[1]) {LINK}", passages=[STATES])
    assert LINK not in answer.text
    assert "evil" not in answer.text


def test_without_passages_no_link_and_no_mark_stays() -> None:
    answer = checked(f"See {LINK} [1].", passages=[])
    assert (answer.text, answer.citations) == ("See ‹link removed›.", ())


def test_open_answers_keep_their_links_and_have_no_citations() -> None:
    answer = checked(f"See {LINK} and [1].", passages=None)
    assert (answer.text, answer.citations, answer.links_removed) == (f"See {LINK} and [1].", (), 0)


def test_what_no_reader_sees_goes_first() -> None:
    assert checked("Th\u200birty\u202e days\U000e0041 [\u20601].", passages=[STATES]).text == "Thirty days [1]."


@given(st.text(alphabet="[]()!<>`1 2a:/.\n\\", max_size=60))
def test_every_mark_that_is_left_is_a_citation(text: str) -> None:
    answer = checked(text, passages=[STATES, OTHER])
    for citation in answer.citations:
        assert 0 <= citation["start"] <= citation["end"] <= len(answer.text)
    assert checked(answer.text, passages=[STATES, OTHER]).text == answer.text


# --- Code -------------------------------------------------------------------------------------------


def test_code_is_told_from_text() -> None:
    text = "a `b[1]` c\n```py\nd[2]\n```\n~~~\ne\n~~~\nf"
    assert [text[start:end] for start, end in code_spans(text)] == ["`b[1]`", "```py\nd[2]\n```\n", "~~~\ne\n~~~\n"]


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        ("```\nopen to the end", "```\nopen to the end\n```"),
        ("a ` stray", "a \\` stray"),
        ("> ```\n> quoted\nnot any more", "> ```\n> quoted\n> ```\nnot any more"),
        ("- ```\n  in a list\n\nnot any more", "- ```\n  in a list\n\n  ```\nnot any more"),
        ("| `a | b` |", "| \\`a | b\\` |"),
    ],
)
def test_code_that_clients_would_disagree_about_is_made_tidy(written: str, tidy: str) -> None:
    assert "".join(part.text for part in parts(written)) == tidy


@given(st.lists(st.sampled_from(["```", "~~~", "`", "\n", "> ", "- ", "  ", "a", "|", "\\", "1. "]), max_size=14))
def test_tidy_text_stays_as_it_is(pieces: list[str]) -> None:
    tidy = "".join(part.text for part in parts("".join(pieces)))
    assert "".join(part.text for part in parts(tidy)) == tidy


def test_tags_in_code_lose_what_leads_elsewhere() -> None:
    def nowhere(url: str) -> bool:
        return False

    assert without_targets('<img src="//x.example/a"> <b class="c">', allows=nowhere) == ('<img> <b class="c">', 1)
    assert without_targets("<a href=java&#115;cript:x>", allows=nowhere) == ("<a>", 1)
    assert without_targets(f'<a href="{LINK}">', allows={LINK}.__contains__) == (f'<a href="{LINK}">', 0)


# --- URLs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTPS://Shop.Example/a", "https://shop.example/a"),
        ("https://shop.example:443", "https://shop.example/"),
        ("https://shop.example/a&amp;b", "https://shop.example/a&b"),
        ("shop.example/a", "//shop.example/a"),
        ("mailto:A@Shop.example", "mailto:a@shop.example"),
    ],
)
def test_two_ways_to_write_a_url_are_one(one: str, other: str) -> None:
    assert normal(one) == normal(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://shop.example/a", "https://shop.example/A"),
        ("https://shop.example", "http://shop.example"),
        ("https://shop.example", "https://shop.example:8443"),
        ("https://shop.example", "https://shоp.example"),  # with a Cyrillic о
        ("https://shop.example/a", "https://shop.example/a?"),
    ],
)
def test_urls_that_lead_elsewhere_are_not(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize("url", ["javascript:x", "data:text/html,x", "VBScript:x", "mailto:a@b.example?body=x", "a b"])
def test_what_runs_or_carries_is_no_url_to_be_stated(url: str) -> None:
    assert normal(url) is None
    assert not is_web(url)


@pytest.mark.parametrize(
    ("run", "url"),
    [
        ("https://x.example/a.", "https://x.example/a"),
        ("https://x.example/a_(b)", "https://x.example/a_(b)"),
        ("https://x.example/a)", "https://x.example/a"),
        ("https://x.example/a[1][2].", "https://x.example/a"),
        ("https://x.example/a”。", "https://x.example/a"),
    ],
)
def test_a_url_ends_before_the_punctuation_of_its_sentence(run: str, url: str) -> None:
    assert trimmed(run) == url


def test_a_passage_states_its_urls_and_mailboxes() -> None:
    stated = set(stated_in("See (https://x.example/a), www.y.example/b or info@z.example。"))
    assert {"https://x.example/a", "//www.y.example/b", "https://www.y.example/b", "mailto:info@z.example"} <= stated
    assert not any("evil" in url for url in stated)
