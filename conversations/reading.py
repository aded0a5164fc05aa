"""The history of a conversation as the API gives it, read from rows, of which model instances cost a multiple."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson

from .models import Message
from .serializers import MessageSerializer

if TYPE_CHECKING:
    from .models import Conversation

COLUMNS: Final = tuple(name for name in MessageSerializer.Meta.fields if name != "sibling_ids")
PARENT: Final = COLUMNS.index("parent_id")


def history(conversation: Conversation) -> list[dict[str, Any]]:
    """The active branch, oldest message first, as `MessageSerializer` writes messages."""
    return _messages(conversation, through=conversation.active_leaf_id, limit=None)


def stretch(conversation: Conversation, *, through: int | None, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """At most `limit` messages that end with `through`, oldest first; and whether there are older ones."""
    messages = _messages(conversation, through=through, limit=limit + 1)
    return messages[-limit:], len(messages) > limit


def _messages(conversation: Conversation, *, through: int | None, limit: int | None) -> list[dict[str, Any]]:
    if through is None:
        return []
    rows = list(islice(conversation.rows(COLUMNS, through=through, batch=limit or 1_000), limit))
    branches: dict[int | None, list[int]] = {}
    if len(rows) != conversation.message_count:  # else all there are stand in one line
        branches = Message.siblings(conversation.pk, [row[PARENT] for row in rows])
    # Written out: a dictionary of pairs takes twice as long. Both engines give citations as the JSON that is stored.
    return [
        {
            "id": pk,
            "conversation_id": conversation_id,
            "parent_id": parent_id,
            "role": role,
            "content": content,
            "status": status,
            "tokens_used": tokens_used,
            "model_used": model_used,
            "citations": orjson.Fragment(citations),
            "grounded": grounded,
            "cached": cached,
            "error": error,
            "feedback": feedback,
            "created_at": created_at,
            "sibling_ids": branches.get(parent_id) or [pk],
        }
        for (
            pk, conversation_id, parent_id, role, content, status, tokens_used, model_used,
            citations, grounded, cached, error, feedback, created_at,
        ) in reversed(rows)
    ]  # fmt: skip
