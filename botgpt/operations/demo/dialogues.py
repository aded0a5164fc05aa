"""The demo's conversations: real turns, answered by the offline provider, so that every citation is a real one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from conversations.models import Conversation
from conversations.titles import title_from
from conversations.turns import start_conversation, take_turn
from llm.providers import registry

from . import QUESTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botgpt.accounts.models import User
    from documents.models import Document


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What is asked, and in which documents the answers are looked up; none for an open conversation."""

    questions: tuple[str, ...]
    filenames: tuple[str, ...] = ()


DIALOGUES = (
    Dialogue(
        (QUESTION, "What do I pay for a repair outside the warranty?", "And how long does it take?"),
        ("alta-user-manual.pdf", "service-and-spare-parts.docx"),
    ),
    Dialogue(
        (
            "Until when can a machine be returned?",
            "Who pays for the shipping of a return?",
            "Who approves a refund of 400 euros?",
        ),
        ("returns-and-refunds.html", "employee-handbook.md"),
    ),
    Dialogue(("Write a friendly subject line for an order confirmation.",)),
)


def ensure_dialogues(user: User, documents: Mapping[str, Document]) -> int:
    """Hold the conversations that the user does not have; gives how many those were."""
    titles = set(user.conversations.values_list("title", flat=True))
    missing = [dialogue for dialogue in DIALOGUES if title_from(dialogue.questions[0]) not in titles]
    with _no_model_asked():
        for dialogue in missing:
            _hold(dialogue, user=user, documents=[documents[name] for name in dialogue.filenames])
    return len(missing)


def _hold(dialogue: Dialogue, *, user: User, documents: list[Document]) -> None:
    mode = Conversation.Mode.RAG if documents else Conversation.Mode.OPEN
    first, *others = dialogue.questions
    turn = start_conversation(user=user, first_message=first, mode=mode, documents=documents)
    for question in others:
        take_turn(turn.conversation, question=question)


@contextmanager
def _no_model_asked() -> Iterator[None]:
    """Answer offline in this process, whatever is configured: a demo spends nobody's tokens."""
    configured = settings.LLM_CHAIN
    settings.LLM_CHAIN = ["offline"]
    registry.chain.cache_clear()
    try:
        yield
    finally:
        settings.LLM_CHAIN = configured
        registry.chain.cache_clear()
