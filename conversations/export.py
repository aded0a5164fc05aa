"""A conversation's transcript as a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models import Conversation, Message

SPEAKER = {"user": "User", "assistant": "Assistant"}


def to_markdown(conversation: Conversation, messages: Iterable[Message]) -> str:
    """The active branch as Markdown, oldest message first, with the sources of each reply below it."""
    parts = [f"# {conversation.title}", f"{conversation.mode} · started {conversation.created_at:%Y-%m-%d %H:%M} UTC"]
    for message in messages:
        by = f" ({message.model_used})" if message.model_used else ""
        parts += [f"## {SPEAKER[message.role]}{by}", message.content]
        if message.citations:
            parts.append("\n".join(_sources(message)))
    return "\n\n".join(parts) + "\n"


def _sources(message: Message) -> Iterable[str]:
    seen = set()
    for citation in message.citations:
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
