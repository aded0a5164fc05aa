"""What users write is text in the admin, never markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from botgpt.accounts.models import ApiKey, User
from conversations.models import Message
from documents.models import Document
from tests.builders import add_turn, conversation_of, document_of

from .conftest import call_of

if TYPE_CHECKING:
    from django.test import Client

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def pages(alice: User) -> list[str]:
    """Every page that shows something of a user who puts markup everywhere."""
    User.objects.filter(pk=alice.pk).update(username=EVIL, first_name=EVIL)
    document = document_of(alice, f"Text {EVIL}")
    fields = {"filename": f"{EVIL}.txt", "error": EVIL, "status": "failed", "metadata": {"a": EVIL}}
    Document.objects.filter(pk=document.pk).update(**fields)
    document.chunks.update(heading=EVIL)
    conversation = conversation_of(alice, title=EVIL, documents=[document])
    reply = add_turn(conversation, question=EVIL, answer=EVIL)
    citation = {"document_id": document.pk, "filename": EVIL, "page": EVIL, "quote": EVIL, "quote_start": 9}
    Message.objects.filter(pk=reply.pk).update(citations=[citation], error=EVIL, model_used=EVIL)
    key, _ = ApiKey.objects.issue(user=alice, name=EVIL)
    call = call_of(alice, conversation=conversation, model=EVIL, error=EVIL, request_id=EVIL, price={EVIL: EVIL})
    rows = {
        "accounts/user": alice,
        "accounts/apikey": key,
        "documents/document": document,
        "conversations/conversation": conversation,
        "llm/llmcall": call,
    }
    lists = [f"/admin/{name}/" for name in rows]
    return [
        *lists,
        *(f"/admin/{name}/{row.pk}/change/" for name, row in rows.items()),
        *(f"/admin/{name}/{row.pk}/delete/" for name, row in rows.items() if name != "llm/llmcall"),
        *(f"{page}?q={EVIL}" for page in lists),
        f"/admin/conversations/conversation/{conversation.pk}/change/?branch={reply.pk}",
        f"/admin/conversations/conversation/{conversation.pk}/messages/{reply.pk}/sources/0/",
        f"/admin/documents/document/{document.pk}/change/?question={EVIL}",
        f"/admin/documents/document/{document.pk}/change/?passage=0-30",
    ]


def test_no_page_runs_what_a_user_wrote(admin_client: Client, pages: list[str]) -> None:
    shown = 0
    for page in pages:
        text = admin_client.get(page, follow=True).content.decode()
        assert EVIL not in text, page
        shown += "&lt;script&gt;alert(1)" in text
    assert shown == len(pages)


def test_no_message_runs_what_a_user_wrote(admin_client: Client, alice: User) -> None:
    files = [SimpleUploadedFile(f"{EVIL}.txt", b"Text"), SimpleUploadedFile(f"{EVIL}.pdf", b"%PDF-1.7 nothing")]
    page = admin_client.post("/admin/documents/document/add/", {"files": files}, follow=True).content.decode()
    key = {"user": alice.pk, "name": EVIL, "scopes": ["read"]}
    page += admin_client.post("/admin/accounts/apikey/add/", key, follow=True).content.decode()
    assert EVIL not in page
    assert "&lt;script&gt;" in page
