"""An answer on its way: what is on the screen is always a checked text, and in the end the whole one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm import gradually
from llm.answers import checked, settled
from llm.gradually import Shown
from tests.llm.requests import passage

PASSAGES = (passage("Lamps may be returned. See https://shop.example/returns for more."),)
PIECES = st.sampled_from(
    [
        *("Hello", " ", "\n", "\n\n", "world.", "[1]", "[7]", "[", "]", "(", ")", "http://evil.example/?q=1"),
        *("evil.com/x?a=", "https://shop.example/returns", "![", "<img src=x>", "`", "```", "```py\n", "code()"),
        *("【1†source】", "&#104;ttp"),
        *("[a]: http://evil.example", "www", ".evil.com", "\u200b", "- ", "> ", "~~~", "naïve", "和", "!"),
    ]
)


class Recorder:
    """A screen that remembers every state it has shown."""

    def __init__(self) -> None:
        self.text = ""
        self.states: list[str] = []
        self.restarts = 0

    def show(self, text: str) -> None:
        self.text += text
        self.states.append(self.text)

    def restart(self) -> None:
        self.text = ""
        self.restarts += 1


@pytest.fixture(autouse=True)
def always_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradually, "PAUSE_SECONDS", 0.0)


def write(pieces: list[str], *, grounded: bool = True) -> Recorder:
    screen = Recorder()
    passages = PASSAGES if grounded else None
    shown = Shown(screen, passages=passages)
    for piece in pieces:
        shown.add(piece)
    shown.finish(checked("".join(pieces), passages=passages).text)
    return screen


@given(st.lists(PIECES, max_size=30), st.booleans())
def test_what_is_shown_in_the_end_is_the_checked_answer(pieces: list[str], grounded: bool) -> None:  # noqa: FBT001
    passages = PASSAGES if grounded else None
    assert write(pieces, grounded=grounded).text == checked("".join(pieces), passages=passages).text


@given(st.lists(PIECES, max_size=30))
def test_every_state_on_the_way_is_a_checked_text(pieces: list[str]) -> None:
    for state in write(pieces).states:
        assert settled(state, passages=PASSAGES).text.startswith(state.rstrip())


def test_plain_words_are_shown_as_they_come() -> None:
    screen = write(["Hel", "lo", " world", " again"])
    assert screen.states == ["Hel", "Hello", "Hello world", "Hello world again"]


def test_a_mark_is_shown_when_it_is_known_to_be_one_and_a_made_up_one_never() -> None:
    screen = write(["Lamps may be returned", " [", "1", "]", ".", " Invented", " [7]", ". Yes", "."])
    assert screen.text == "Lamps may be returned [1]. Invented. Yes."
    assert screen.restarts == 0
    assert not any("[7" in state for state in screen.states)


def test_a_link_waits_for_the_end_of_its_line_and_stays_when_its_passage_is_cited() -> None:
    screen = write(["See ", "https://shop.example/returns", " for", " more [1].\n", "Bye."])
    assert screen.text == "See https://shop.example/returns for more [1].\nBye."
    assert screen.restarts == 0


def test_code_is_shown_line_by_line_without_a_fence_that_the_model_has_not_written() -> None:
    screen = write(["Code:\n", "```py\n", "a = 1\n", "b = 2\n", "```\n", "Done."], grounded=False)
    assert screen.text == "Code:\n```py\na = 1\nb = 2\n```\nDone."
    assert screen.restarts == 0
    assert "Code:\n```py\na = 1" in screen.states


def test_another_answer_begins_with_an_empty_screen() -> None:
    screen = Recorder()
    shown = Shown(screen, passages=None)
    shown.add("Half an")
    shown.restart()
    shown.add("Another")
    assert (screen.text, screen.restarts) == ("Another", 1)
