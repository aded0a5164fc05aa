"""Some ten thousand rows with fresh statistics, and what the database plans to do with a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from botgpt.accounts.models import ApiKey, AuditEvent, User
from botgpt.operations.demo.volume import Volume, fill
from conversations.models import Conversation, IdempotencyKey, Message
from documents.models import Chunk, Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker

OTHERS = Volume(users=20_000, conversations=20_000, messages=48_000)
OWN = Volume(users=0, conversations=300, messages=600)
LONG = Volume(users=0, conversations=1, messages=1_000)
DOCUMENTS, CHUNKS = 3_000, 4


@dataclass(frozen=True, slots=True)
class Crowd:
    """A user with some conversations, one of them long, among many others."""

    owner: User
    admin: User
    long: Conversation
    document: Document

    @property
    def reply(self) -> Message:
        """The last one of the long conversation."""

        return Message.objects.get(conversation=self.long, pk=self.long.active_leaf_id or 0)


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Crowd]:
    """For all tests of a module, which change nothing that another one looks at."""
    with django_db_blocker.unblock(), transaction.atomic():
        owner = User.objects.create_user("owner", "owner@example.com")
        admin = User.objects.create_superuser("admin")
        fill(OTHERS, owner=owner, progress=lambda _: None)
        fill(OWN, owner=owner, progress=lambda _: None)
        fill(LONG, owner=owner, progress=lambda _: None)
        yield Crowd(owner, admin, owner.conversations.get(message_count=LONG.messages), _everything_else(owner))
        transaction.set_rollback(True)


def _everything_else(owner: User) -> Document:
    """As many rows of what `fill` does not make; the document is the owner's."""
    users = list(User.objects.order_by("id")[:DOCUMENTS])
    replies = Message.objects.filter(role="assistant").order_by("id")[:DOCUMENTS]
    numbered = list(enumerate(users))
    now = timezone.now()
    documents = Document.objects.bulk_create(
        Document(owner=user, filename=f"{n}.txt", sha256=f"{n:064}", status="ready", chunk_count=CHUNKS)
        for n, user in numbered
    )
    Chunk.objects.bulk_create(
        Chunk(document=document, position=position, start=0, end=1, text="x" * 200)
        for document in documents
        for position in range(CHUNKS)
    )
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(user=user, key=f"key {n}", fingerprint="", reply=reply)
        for (n, user), reply in zip(numbered, replies, strict=True)
    )
    ApiKey.objects.bulk_create(ApiKey(user=user, name="key", prefix=f"{n:012}", digest="") for n, user in numbered)
    AuditEvent.objects.bulk_create(
        AuditEvent(actor=user, actor_name=user.username, action="read", object_type="x.y", object_id=str(n))
        for n, user in numbered
    )
    OutstandingToken.objects.bulk_create(
        OutstandingToken(user=user, jti=f"{n:032}", token="x", created_at=now, expires_at=now) for n, user in numbered
    )
    AccessToken.objects.bulk_create(
        AccessToken(user=user, token=f"{n:040}", token_checksum=f"{n:064}", expires=now) for n, user in numbered
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return next(document for document in documents if document.owner_id == owner.pk)
