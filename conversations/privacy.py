"""A user's conversations, to hand over or to erase; and old ones of everybody, to purge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from documents.batches import in_batches

from .models import Conversation, Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from django.db.models import QuerySet

PURGE: Final = "conversations.tasks.purge"
BATCH = 100
MESSAGES_A_BATCH = 500
COLUMNS = (
    *("id", "title", "mode", "message_count", "active_leaf_id", "summary", "summarized_through", "created_at"),
    *("updated_at", "activity_at"),
)
MESSAGE_COLUMNS = (
    *("id", "parent_id", "role", "content", "status", "tokens_used", "model_used", "citations", "grounded", "error"),
    *("cached", "restarts", "context", "feedback", "created_at", "updated_at"),
)


def owned_by(user_id: int) -> QuerySet[Conversation]:
    """Those of the user."""
    return Conversation.objects.filter(user=user_id)


def inactive_since(moment: dt.datetime) -> QuerySet[Conversation]:
    """Those in which nothing was said since then."""
    return Conversation.objects.filter(activity_at__lt=moment)


def exported(user_id: int) -> Iterator[tuple[dict[str, Any], Iterator[dict[str, Any]]]]:
    """Each conversation as a dict, and the messages of all its branches, which are read as they are asked for."""
    for batch in in_batches(owned_by(user_id).prefetch_related("document_links"), size=BATCH):
        for conversation in batch:
            documents = [link.document_id for link in conversation.document_links.all()]
            row = {name: getattr(conversation, name) for name in COLUMNS} | {"document_ids": documents}
            yield row, _messages(conversation)


def _messages(conversation: Conversation) -> Iterator[dict[str, Any]]:
    rows: QuerySet[Message] = conversation.messages.all()
    for batch in in_batches(rows, size=MESSAGES_A_BATCH):
        for message in batch:
            yield {name: getattr(message, name) for name in MESSAGE_COLUMNS}


def delete(conversations: QuerySet[Conversation]) -> Iterator[list[int]]:
    """Delete them with their messages, batch by batch; gives the ids of each. The owners' counters follow."""
    for batch in in_batches(conversations, size=BATCH):
        ids = [conversation.pk for conversation in batch]
        conversations.filter(pk__in=ids).delete()  # asked again: somebody may have gone on with one meanwhile
        yield ids
