"""A program with the generated Python client: a document, a conversation from its start to its end, and pages."""

from __future__ import annotations

import sys
from io import BytesIO

from botgpt_client import AuthenticatedClient
from botgpt_client.api.conversations import (
    conversations_create,
    conversations_destroy,
    conversations_list,
    conversations_messages_send,
    conversations_retrieve,
)
from botgpt_client.api.documents import documents_create, documents_destroy, documents_download
from botgpt_client.models import (
    ConversationDetail,
    ConversationPage,
    Document,
    DocumentStatus,
    Error,
    FileUploadRequest,
    MessageStatus,
    Mode,
    NewConversationRequest,
    NewMessageRequest,
    Turn,
)
from botgpt_client.types import File

TEXT = b"The shop opens at nine and closes at six."


def main(url: str, key: str) -> None:
    client = AuthenticatedClient(base_url=url, token=key)

    upload = FileUploadRequest(file=File(payload=BytesIO(TEXT), file_name="hours.txt", mime_type="text/plain"))
    document = documents_create.sync(client=client, body=upload)
    assert isinstance(document, Document), document
    assert document.status is DocumentStatus.READY
    assert document.page_count is None
    file = documents_download.sync(document.id, client=client)
    assert isinstance(file, File)
    assert file.payload.read() == TEXT

    first = NewConversationRequest(
        first_message="When does the shop open?", mode=Mode.RAG, document_ids=[document.id], stream=False
    )
    started = conversations_create.sync(client=client, body=first, idempotency_key=f"python-{document.id}")
    assert isinstance(started, ConversationDetail), started
    question, reply = started.messages
    assert reply.parent_id == question.id
    assert reply.status is MessageStatus.COMPLETE
    assert [citation.quote for citation in reply.citations] == [TEXT.decode()]

    turn = conversations_messages_send.sync(started.id, client=client, body=NewMessageRequest(message="And closes?"))
    assert isinstance(turn, Turn), turn
    read = conversations_retrieve.sync(started.id, client=client)
    assert isinstance(read, ConversationDetail)
    assert [message.id for message in read.messages][2:] == [turn.user_message.id, turn.assistant_message.id]

    seen: list[int] = []
    number, total = 1, 1
    while len(seen) < total:
        page = conversations_list.sync(client=client, page=number, page_size=2)
        assert isinstance(page, ConversationPage)
        assert page.conversations
        seen += [conversation.id for conversation in page.conversations]
        number, total = page.page + 1, page.total
    assert started.id in seen

    conversations_destroy.sync_detailed(started.id, client=client)
    documents_destroy.sync_detailed(document.id, client=client)
    gone = conversations_retrieve.sync(started.id, client=client)
    assert isinstance(gone, Error)
    assert gone.code == "not_found"


main(*sys.argv[1:])
