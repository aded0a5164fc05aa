"""A conversation's transcript as a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models import Conversation

SPEAKER = {"user": "User", "assistant": "Assistant"}


class Said(NamedTuple):
    """What a transcript shows of a message; `citations` is JSON."""

    id: int
    parent_id: int | None
    role: str
    content: str
    model_used: str | None
    citations: str
    created_at: Any


def to_markdown(conversation: Conversation) -> str:
    """The active branch as Markdown, oldest message first, with the sources of each reply below it."""
    parts = [f"# {conversation.title}", f"{conversation.mode} · started {conversation.created_at:%Y-%m-%d %H:%M} UTC"]
    for message in _said(conversation)[::-1]:
        by = f" ({message.model_used})" if message.model_used else ""
        parts += [f"## {SPEAKER[message.role]}{by}", message.content]
        if citations := orjson.loads(message.citations):
            parts.append("\n".join(_sources(citations)))
    return "\n\n".join(parts) + "\n"


def _said(conversation: Conversation) -> list[Said]:
    if (leaf := conversation.active_leaf_id) is None:
        return []
    return [*map(Said._make, conversation.rows(Said._fields, through=leaf, batch=1_000))]


def _sources(citations: Iterable[dict[str, Any]]) -> Iterable[str]:
    seen = set()
    for citation in citations:
        page = f", page {citation['page']}" if citation["page"] else ""
        quote = " ".join(citation["quote"].split())
        line = f"- {citation['filename']}{page}: “{quote}”"
        if line not in seen:
            seen.add(line)
            yield line


def file_name(conversation: Conversation, *, extension: str) -> str:
    """A name that every file system takes."""
    slug = re.sub(r"[^\w]+", "-", conversation.title.lower())[:50].strip("-")
    return f"conversation-{conversation.pk}{'-' if slug else ''}{slug}.{extension}"
