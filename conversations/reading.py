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
    rows = islice(conversation.rows(COLUMNS, through=through, batch=limit or 1_000), limit)
    messages = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    siblings = Message.siblings(conversation.pk, [message["parent_id"] for message in messages])
    for message in messages:
        message["citations"] = orjson.Fragment(message["citations"])  # both engines give the JSON as it is stored
        message["sibling_ids"] = siblings[message["parent_id"]]
    return messages[::-1]
