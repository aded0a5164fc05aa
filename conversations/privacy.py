"""A user's conversations, to hand over or to erase; and old ones of everybody, to purge."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import F

from documents.batches import in_batches
from llm.durable import durably
from llm.models import LLMCall

from .models import Conversation, ConversationDocument, IdempotencyKey, Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from django.db.models import QuerySet

PURGE: Final = "conversations.tasks.purge"
BATCH: Final = 500
MESSAGES_A_BATCH: Final = 500
MESSAGES_A_DELETION: Final = 2_000
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
    for ids in _batches(conversations):
        yield delete_now(conversations.filter(pk__in=ids))  # asked again: somebody may have gone on with one meanwhile


def _batches(conversations: QuerySet[Conversation]) -> Iterator[list[int]]:
    """Their ids, so many at once that a transaction neither holds many rows nor lasts; a long one is alone."""
    for page in in_batches(conversations.only("pk", "user_id", "message_count"), size=BATCH):
        ids: list[int] = []
        messages = 0
        for conversation in page:
            if ids and messages + conversation.message_count > MESSAGES_A_DELETION:
                yield ids
                ids, messages = [], 0
            ids.append(conversation.pk)
            messages += conversation.message_count
        yield ids


def delete_now(conversations: QuerySet[Conversation]) -> list[int]:
    """Delete them with their messages in one transaction; gives their ids.

    A reply that is being closed meets it in the other order, and one of the two is told of a deadlock: then it is tried
    again.
    """
    return durably(lambda: _delete(conversations))


@transaction.atomic
def _delete(conversations: QuerySet[Conversation]) -> list[int]:
    """What the cascade does, by one statement a table: it would read each message first, and count each owner down
    conversation by conversation.
    """
    owners = dict(conversations.order_by("pk").select_for_update().values_list("pk", "user_id"))
    ids = list(owners)
    messages = Message.objects.filter(conversation__in=ids)
    LLMCall.objects.filter(conversation__in=ids).update(conversation=None, message=None)
    for rows in (
        IdempotencyKey.objects.filter(reply__in=messages.values("pk")),
        ConversationDocument.objects.filter(conversation__in=ids),
        messages,
        Conversation.objects.filter(pk__in=ids),
    ):
        rows._raw_delete(DEFAULT_DB_ALIAS)
    users = get_user_model().objects
    by_count = defaultdict(list)
    for user_id, count in Counter(owners.values()).items():
        by_count[count].append(user_id)
    for count, user_ids in by_count.items():
        users.filter(pk__in=user_ids).update(conversation_count=F("conversation_count") - count)
    return ids
