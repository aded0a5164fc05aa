"""Rows for tests, as short to write as they are to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile

from conversations.models import Conversation, Message
from documents.ingestion import add_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botgpt.accounts.models import User
    from documents.models import Document


def document_of(owner: User | None, text: str, *, filename: str = "notes.txt") -> Document:
    """A ready document, through the real pipeline."""
    file = ContentFile(text.encode(), name=filename)
    document, _ = add_document(owner=owner, file=file, filename=filename, metadata={})
    assert document.status == "ready", document.error
    return document


def conversation_of(
    user: User, *, title: str = "A conversation", turns: int = 0, documents: Sequence[Document] = ()
) -> Conversation:
    """A conversation with `turns` questions and answers, `Question 0`, `Answer 0`, and so on."""
    mode = Conversation.Mode.RAG if documents else Conversation.Mode.OPEN
    conversation = Conversation.objects.create(user=user, title=title, mode=mode)
    type(user).objects.filter(pk=user.pk).update(conversation_count=user.conversations.count())
    user.refresh_from_db(fields=["conversation_count"])
    conversation.link(documents)
    for i in range(turns):
        add_turn(conversation, question=f"Question {i}", answer=f"Answer {i}")
    return conversation


def add_turn(conversation: Conversation, *, question: str = "Question", answer: str = "Answer") -> Message:
    """A finished turn at the end of the active branch; gives the reply."""
    asked = Message.objects.create(
        conversation=conversation, parent_id=conversation.active_leaf_id, role="user", content=question
    )
    reply = Message.objects.create(
        conversation=conversation, parent=asked, role="assistant", content=answer, model_used="small"
    )
    conversation.record_turn(leaf=reply, added=2)
    return reply


def context_of(reply: dict[str, Any]) -> dict[str, Any]:
    """What is stored of what was sent for a reply, which the API showed."""
    context = Message.objects.get(pk=reply["id"]).context
    assert context is not None
    return dict(context)
