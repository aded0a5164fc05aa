"""What is sent to the model: the newest messages that fit, in an order that provider caches like.

The stable part comes first (system prompt, summary, history), what changes with every turn last (passages, question).
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from . import prompts, tokens
from .neutral import neutral
from .types import ChatMessage, Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .types import HistoryMessage, Summary

logger = logging.getLogger(__name__)


class QuestionTooLong(ValueError):
    """The question does not fit into the window, even alone.

    Attributes:
        needed, limit: estimated tokens.
    """

    def __init__(self, *, needed: int, limit: int) -> None:
        super().__init__(f"The message needs about {needed:,} tokens; the model's window leaves {limit:,} for it.")
        self.needed = needed
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Context:
    """The messages to send, and an account of how they came about.

    Attributes:
        estimated: prompt tokens before correction, to compare with what the provider reports.
        tokens: estimated tokens by part (`system`, `summary`, `history`, `passages`, `question`), corrected.
        sent: how many earlier messages are in it.
        dropped_through: the id of the newest earlier message that did not fit; None when all did.
        summarized_through: the id of the last message that the summary stands for; None when none is sent.
    """

    messages: tuple[ChatMessage, ...]
    passages: tuple[Passage, ...]
    estimated: int
    limit: int
    tokens: dict[str, int]
    sent: int
    dropped_through: int | None
    summarized_through: int | None = None

    def report(self) -> dict[str, Any]:
        """As it is stored with the reply: no message text, only what was sent and what was not."""
        passages = [
            {key: value for key, value in asdict(passage).items() if key not in {"text", "chunks", "flagged_chunks"}}
            | {"chunk_ids": [chunk.chunk_id for chunk in passage.chunks]}
            for passage in self.passages
        ]
        return {
            "limit": self.limit,
            "tokens": self.tokens,
            "history_sent": self.sent,
            "dropped_through": self.dropped_through,
            "summarized_through": self.summarized_through,
            "passages": passages,
            "flagged": {
                "passages": sum(bool(passage.flags) for passage in self.passages),
                "chunk_ids": [chunk_id for passage in self.passages for chunk_id in passage.flagged_chunks],
            },
        }


def build(
    *,
    system: str,
    question: str,
    history: Iterable[HistoryMessage] = (),
    summary: Summary | None = None,
    passages: Sequence[Passage] | None = None,
    limit: int,
    correction: float = 1.0,
) -> Context:
    """Fill the window of `limit` tokens.

    The system prompt and the question are always in it, then the summary, then the passages in order while they fit,
    then the newest messages. History stops at the first message that does not fit, and never begins with a reply
    whose question was dropped.

    Args:
        history: newest first, as far back as the summary reaches; it is read only as far as the window reaches.
        passages: None in open mode; empty when nothing relevant was found.
        limit: prompt tokens, as the provider would count them.
        correction: real over estimated tokens of the model, see `tokens.correction`.

    Raises:
        QuestionTooLong: system prompt and question alone pass the limit.
    """
    factor = correction * tokens.HEADROOM
    left = limit / factor
    head = [ChatMessage("system", system)]
    parts = {"system": tokens.estimate_messages(head)}
    left -= parts["system"]

    last = ChatMessage("user", neutral(question))
    parts["question"] = tokens.estimate_messages([last])
    if passages is not None:
        chosen, last = _with_passages(question, passages, room=left)
        parts["passages"] = tokens.estimate_messages([last]) - parts["question"]
        passages = chosen
    left -= parts["question"] + parts.get("passages", 0)
    if left < 0:
        used = parts["system"] + parts.get("passages", 0)
        raise QuestionTooLong(needed=round(parts["question"] * factor), limit=max(0, round(limit - used * factor)))

    summarized_through = None
    if summary:
        note = ChatMessage("system", prompts.summary_note(summary.text))
        cost = tokens.estimate_messages([note])
        if cost <= left:
            head.append(note)
            parts["summary"] = cost
            left -= cost
            summarized_through = summary.through

    harmless = (replace(message, content=neutral(message.content)) for message in history)
    window, dropped_through = _newest_that_fit(harmless, room=left)
    if dropped_through is None and summary and summarized_through is None:
        dropped_through = summary.through  # the summary did not fit, and what it stands for is left out with it
    parts["history"] = sum(cost_of(message) for message in window)
    if dropped_through is not None:
        logger.warning("Context window full: messages through %s were dropped", dropped_through)
    earlier = [ChatMessage(message.role, message.content) for message in reversed(window)]
    if passages is not None:
        code = prompts.code_over(*(message.content for message in (*head, *earlier, last)))
        last = ChatMessage("user", prompts.grounded_question(question, passages=passages, code=code))
    return Context(
        messages=(*head, *earlier, last),
        passages=tuple(passages or ()),
        estimated=sum(parts.values()),
        limit=limit,
        tokens={name: round(count * factor) for name, count in parts.items()},
        sent=len(window),
        dropped_through=dropped_through,
        summarized_through=summarized_through,
    )


def _with_passages(question: str, passages: Sequence[Passage], *, room: float) -> tuple[Sequence[Passage], ChatMessage]:
    """The last message with as many passages, best first, as there is room for."""
    kept = sorted(passages, key=lambda passage: -passage.score)
    while True:
        chosen = [passage for passage in passages if passage in kept]
        message = ChatMessage("user", prompts.grounded_question(question, passages=chosen))
        if not kept or tokens.estimate_messages([message]) <= room:
            return chosen, message
        kept.pop()


def _newest_that_fit(history: Iterable[HistoryMessage], *, room: float) -> tuple[list[HistoryMessage], int | None]:
    """The newest messages within `room` estimated tokens, newest first, and the id of the first one left out."""
    window: list[HistoryMessage] = []
    for message in history:
        room -= cost_of(message)
        if room < 0:
            dropped = message.id
            while window and window[-1].role == "assistant":
                dropped = window.pop().id
            return window, dropped
        window.append(message)
    return window, None


def cost_of(message: HistoryMessage) -> int:
    """Its estimated tokens, before correction."""
    return tokens.PER_MESSAGE + tokens.estimate(message.content)
