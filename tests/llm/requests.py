"""What the provider tests ask."""

from __future__ import annotations

from typing import Any

from documents.deadline import Deadline
from documents.search.packing import ChunkSpan
from llm.types import ChatMessage, ChatRequest, Passage


def chat_request(question: str = "Why is the sky blue?", *, seconds: float = 10.0, **changes: Any) -> ChatRequest:
    """A small request whose deadline is `seconds` away."""
    fields: dict[str, Any] = {
        "messages": (ChatMessage("system", "Be brief."), ChatMessage("user", question)),
        "deadline": Deadline.after(seconds),
        "max_tokens": 500,
        "temperature": 0.3,
        "question": question,
    }
    return ChatRequest(**(fields | changes))


def passage(text: str, *, number: int = 1, score: float = 1.0) -> Passage:
    """A passage that is the beginning of a document of its own."""
    chunks = (ChunkSpan(chunk_id=number, start=0, end=len(text), page=None),)
    return Passage(
        number=number,
        document_id=number,
        filename=f"{number}.txt",
        start=0,
        end=len(text),
        text=text,
        score=score,
        chunks=chunks,
    )
