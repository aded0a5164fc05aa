"""The window: never over the limit, always the newest, the system prompt always there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from documents.search.packing import ChunkSpan
from llm import context, tokens
from llm.types import HistoryMessage, Passage, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = st.text(alphabet="abc 1é你.", max_size=200)


def turns(texts: list[str]) -> list[HistoryMessage]:
    """Questions and replies in turn, newest first, as `build` takes them."""
    messages = [HistoryMessage(i + 1, "assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    return messages[::-1]


def passage(number: int, text: str, *, score: float = 1.0) -> Passage:
    return Passage(
        number=number,
        document_id=1,
        filename="a.txt",
        start=0,
        end=len(text),
        text=text,
        score=score,
        chunks=(ChunkSpan(chunk_id=number, start=0, end=len(text), page=None),),
    )


def cost(built: context.Context, correction: float) -> float:
    return tokens.estimate_messages(built.messages) * correction * tokens.HEADROOM


@given(
    system=TEXT,
    question=TEXT,
    history=st.lists(TEXT, max_size=30),
    summary=TEXT,
    passages=st.none() | st.lists(TEXT, max_size=4),
    limit=st.integers(50, 1_500),
    correction=st.floats(0.5, 3),
)
def test_the_window_is_never_over_its_limit_and_holds_the_newest(
    system: str,
    question: str,
    history: list[str],
    summary: str,
    passages: list[str] | None,
    limit: int,
    correction: float,
) -> None:
    found = None if passages is None else [passage(i + 1, text) for i, text in enumerate(passages)]
    newest_first = turns(history)
    try:
        built = context.build(
            system=system,
            question=question,
            history=newest_first,
            summary=Summary(summary, through=0) if summary else None,
            passages=found,
            limit=limit,
            correction=correction,
        )
    except context.QuestionTooLong:
        assume(False)  # noqa: FBT003
        return

    assert cost(built, correction) <= limit
    assert built.estimated == tokens.estimate_messages(built.messages)
    assert (built.messages[0].role, built.messages[0].content) == ("system", system)
    assert built.messages[-1].role == "user"
    assert built.messages[-1].content.endswith(question)
    kept = [(m.role, m.content) for m in reversed(newest_first[: built.sent])]
    earlier = [(m.role, m.content) for m in built.messages[1:-1] if m.role != "system"]
    assert earlier == kept
    assert (built.summarized_through == 0) == ("summary" in built.tokens)
    ids = [message.id for message in newest_first] + ([0] if summary and "summary" not in built.tokens else [])
    assert built.dropped_through == next(iter(ids[built.sent :]), None)
    if built.sent:
        assert earlier[0][0] == "user" or built.sent == len(newest_first)


def test_history_is_read_only_as_far_as_the_window_reaches() -> None:
    read = 0

    def endless() -> Iterator[HistoryMessage]:
        nonlocal read
        for i in range(10**9):
            read += 1
            yield HistoryMessage(10**9 - i, "user", "ten letters" * 10)

    built = context.build(system="s", question="q", history=endless(), limit=1_000)
    assert 0 < built.sent == read - 1 < 40


def test_a_dropped_message_is_logged_as_a_warning_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="llm.context"):
        built = context.build(system="s", question="q", history=turns(["long " * 200] * 4), limit=300)
    assert "dropped" in caplog.text
    assert built.report()["dropped_through"] == 4
    assert built.report()["history_sent"] == 0


def test_a_window_that_holds_everything_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    built = context.build(system="s", question="q", history=turns(["a", "b"]), limit=300)
    assert caplog.text == ""
    assert built.dropped_through is None
    assert built.sent == 2


def test_a_question_that_could_never_fit_is_refused_with_what_would() -> None:
    with pytest.raises(context.QuestionTooLong) as caught:
        context.build(system="s", question="word " * 2_000, limit=500)
    assert caught.value.needed > 500 > caught.value.limit > 400


def test_when_passages_do_not_all_fit_the_worst_go_first_and_order_stays() -> None:
    texts = ["first " * 60, "second " * 60, "third " * 60]
    found = [passage(1, texts[0], score=0.9), passage(2, texts[1], score=0.2), passage(3, texts[2], score=0.8)]
    built = context.build(system="s", question="q", passages=found, limit=450)
    assert [p.number for p in built.passages] == [1, 3]
    sent = built.messages[-1].content
    assert "second" not in sent
    assert sent.index("first") < sent.index("third")


def test_passages_stand_between_delimiters_with_a_code_that_changes_with_them() -> None:
    one = context.build(system="s", question="q", passages=[passage(1, "alpha")], limit=500).messages[-1].content
    two = context.build(system="s", question="q", passages=[passage(1, "beta")], limit=500).messages[-1].content
    code = one.splitlines()[0].removeprefix("CODE ")
    assert len(code) == 16
    assert [line for line in one.splitlines() if code in line] == [
        f"CODE {code}", f"BEGIN PASSAGE 1 {code}", f"END PASSAGE 1 {code}", f"QUESTION {code}",
    ]  # fmt: skip
    assert code not in two


def test_the_model_is_told_when_no_passage_is_relevant() -> None:
    built = context.build(system="s", question="q", passages=[], limit=500)
    assert "No passage of the documents is relevant" in built.messages[-1].content


def test_the_report_holds_no_text_of_the_conversation() -> None:
    built = context.build(
        system="SECRET", question="SECRET", history=turns(["SECRET"]), passages=[passage(1, "SECRET")], limit=800
    )
    assert "SECRET" not in str(built.report())
    assert built.report()["passages"][0]["chunk_ids"] == [1]
