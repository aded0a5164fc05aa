"""Turns a follow-up into a question that can be searched by itself; an option, since it costs a call to the model."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from documents.deadline import Deadline

from . import tokens
from .errors import ProviderError
from .models import LLMCall
from .neutral import neutral, one_line
from .providers import registry
from .reserving import reserved
from .types import ChatMessage, ChatRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .types import Attribution, HistoryMessage

logger = logging.getLogger(__name__)

INSTRUCTION = (
    "You get the end of a conversation and the user's next message. Write that message as one question that can be "
    "understood without the conversation: replace words that point back by what they mean. Keep its language, its "
    "names and its intent, add nothing, and answer with the question alone."
)
SECONDS = 10.0  # it stands before the reply: a slow one is not waited for
MAX_TOKENS = 400  # of the rewritten question and the model's reasoning
MESSAGE_CHARS = 400
QUESTION_CHARS = 600


def stand_alone(
    question: str, *, recent: Sequence[HistoryMessage], deadline: Deadline, attribution: Attribution
) -> str | None:
    """The question in words that need no conversation; None when no model gives it in time, or only what
    cannot be read.

    Args:
        recent: the last messages, newest first.

    Raises:
        BudgetExceeded: the user may not spend what it could cost.
    """
    lines = [f"{message.role}: {message.content[:MESSAGE_CHARS]}" for message in reversed(recent)]
    request = ChatRequest(
        messages=(
            ChatMessage("system", INSTRUCTION),
            ChatMessage("user", neutral("\n".join([*lines, "", f"next message: {question}"]))),
        ),
        deadline=Deadline(min(deadline.at, Deadline.after(SECONDS).at)),
        max_tokens=MAX_TOKENS,
        temperature=0.0,
        attribution=replace(attribution, purpose=LLMCall.Purpose.REWRITE),
    )
    try:
        with reserved(request):
            completion = registry.chain().complete(request)
    except ProviderError as exc:
        logger.warning("A follow-up is searched as it stands, no model rewrote it: %s", exc)
        return None
    tokens.learn(
        model=completion.model,
        estimated=tokens.estimate_messages(request.messages),
        reported=completion.usage.prompt_tokens,
    )
    return one_line(completion.text)[:QUESTION_CHARS] or None
