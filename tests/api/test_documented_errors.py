"""Each operation gives the errors that the OpenAPI document promises of it, each can be had, and it gives no others.

The request is the document's own example. It is spoiled in every way there is, one at a time.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import override_settings
from rest_framework.test import APIClient

from botgpt.accounts import tokens
from botgpt.accounts.models import ApiKey
from botgpt.api.rates import Rate
from conversations.models import Conversation, Message
from documents.models import Document
from tests.builders import conversation_of, document_of
from tests.openapi import Operation, complaint, operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django import Settings

    from botgpt.accounts.models import User

JSON = "application/json"
TEXT = "Lamps may be returned within 30 days."


class World:
    """What the examples speak of, and a caller with the credentials that the operation takes."""

    def __init__(self, alice: User, document: Document, operation: Operation) -> None:
        self.alice, self.document, self.operation = alice, document, operation
        self.conversation = conversation_of(alice, turns=1, documents=[self.document])
        self.question, self.reply = self.conversation.messages.order_by("id")
        self.key, _ = ApiKey.objects.issue(user=alice, name="given")
        is_open = "security" not in operation.spec
        self.headers = {} if is_open else {"authorization": f"Bearer {tokens.issue(alice)['access']}"}

    @property
    def path(self) -> str:
        group, names_a_question = self.operation.path.split("/")[3], self.operation.id == "messages_edit"
        ids = {
            "conversations": self.conversation.pk,
            "documents": self.document.pk,
            "auth": self.key.pk,
        }
        message = self.question.pk if names_a_question else self.reply.pk
        path = self.operation.path.replace("{conversation_id}", str(self.conversation.pk))
        path = path.replace("messages/{id}", f"messages/{message}").replace("{id}", str(ids.get(group, 0)))
        return path + ("?message=Hello" if self.operation.id == "conversations_context" else "")

    @property
    def body(self) -> dict[str, Any]:
        """The example, about what is there."""
        (name, *_) = self.operation.bodies[JSON]["examples"]
        body = dict(self.operation.bodies[JSON]["examples"][name]["value"])
        real = {
            "message_id": self.reply.pk,
            "username": "alice",
            "password": "correct horse battery",
            "refresh": tokens.issue(self.alice)["refresh"],
        }
        return body | {field: value for field, value in real.items() if field in body}

    def call(self, *, path: str = "", content: str | None = None, **extra: Any) -> Any:
        """The answer to the example, or to another body."""
        client = APIClient(headers=self.headers | extra.pop("headers", {}))
        if content is None and self.operation.bodies:
            content = json.dumps(self.body)
        content_type = extra.pop("content_type", JSON if self.operation.bodies else "")
        request = {"content_type": content_type} if content_type else {}
        answer: Any = client.generic(
            self.operation.method.upper(), path or self.path, content or "", **request, **extra
        )
        if answer.streaming:
            b"".join(answer.streaming_content)  # to its end, which closes the file
        return answer


WAYS: list[Callable[[World, Settings], Any]] = []


def way(function: Callable[[World, Settings], Any]) -> Callable[[World, Settings], Any]:
    WAYS.append(function)
    return function


@way
def nothing_is_wrong(world: World, settings: Settings) -> Any:
    return world.call()


@way
def twice(world: World, settings: Settings) -> Any:
    world.call()
    return world.call()


@way
def without_credentials(world: World, settings: Settings) -> Any:
    world.headers = {}
    return world.call()


@way
def a_key_without_the_scope(world: World, settings: Settings) -> Any:
    if not world.headers:
        return world.call()
    reads = world.operation.method == "get" or world.operation.id == "documents_search"
    _, token = ApiKey.objects.issue(user=world.alice, name="other", scopes=["write" if reads else "read"])
    world.headers = {"authorization": f"Bearer {token}"}
    return world.call()


@way
def something_that_is_not_there(world: World, settings: Settings) -> Any:
    return world.call(path="/".join("999" if part.isdigit() else part for part in world.path.split("/")))


@way
def another_format(world: World, settings: Settings) -> Any:
    return world.call(headers={"accept": "image/png"})


@way
def another_media_type(world: World, settings: Settings) -> Any:
    return world.call(content_type="text/csv") if world.operation.bodies else world.call()


@way
def broken_json(world: World, settings: Settings) -> Any:
    return world.call(content='{"message": ') if world.operation.bodies else world.call()


@way
def a_wrong_type(world: World, settings: Settings) -> Any:
    return world.call(content="[]") if world.operation.bodies else world.call()


@way
def a_bad_query(world: World, settings: Settings) -> Any:
    names = [parameter["name"] for parameter in world.operation.parameters("query")]
    return world.call(path=world.path.partition("?")[0] + "?" + "&".join(f"{name}=%00" for name in names))


@way
def a_body_that_is_too_large(world: World, settings: Settings) -> Any:
    if world.operation.bodies:
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1_000):
            return world.call(content=json.dumps({"text": "x" * 1_000}))
    return world.call()


@way
def once_too_often(world: World, settings: Settings) -> Any:
    with override_settings(LIMITS=dict.fromkeys(settings.LIMITS, Rate(0, 60))):
        return world.call()


@way
def a_broken_database(world: World, settings: Settings) -> Any:
    with before_each_statement(lambda _: fail(OperationalError("the server closed the connection"))):
        return world.call()


@way
def a_fault_of_ours(world: World, settings: Settings) -> Any:
    with before_each_statement(lambda _: fail(ZeroDivisionError())):
        return world.call()


@way
def a_wrong_password_or_token(world: World, settings: Settings) -> Any:
    if not world.operation.id.startswith("auth_"):
        return world.call()
    return (
        world.call(content=json.dumps(dict.fromkeys(world.body, "wrong"))) if world.operation.bodies else world.call()
    )


@way
def a_turn_is_running(world: World, settings: Settings) -> Any:
    if world.operation.method in {"get", "delete"} or world.operation.id == "messages_cancel":
        return world.call()
    world.conversation.messages.create(parent=world.question, role="assistant", status=Message.Status.IN_PROGRESS)
    return world.call()


@way
def a_key_that_came_before(world: World, settings: Settings) -> Any:
    if not any(parameter["name"] == "Idempotency-Key" for parameter in world.operation.parameters("header")):
        return world.call()
    other = f"/api/v1/conversations/{conversation_of(world.alice).pk}/messages"
    headers = {"idempotency-key": "the-same"}
    client = APIClient(headers=world.headers | headers)
    assert client.post(other, {"message": "Hello"}, format="json").status_code == 200
    return world.call(headers=headers)


@way
def a_question_where_a_reply_is_meant(world: World, settings: Settings) -> Any:
    is_reply = world.operation.id != "messages_edit"
    return world.call(path=world.path.replace(f"/{world.reply.pk}/", f"/{world.question.pk}/") if is_reply else "")


@way
def deleted_or_changed_meanwhile(world: World, settings: Settings) -> Any:
    """Somebody is faster: in the moment before the outcome is written."""

    def interfere(sql: str) -> None:
        if world.operation.id.startswith("documents"):
            if sql.startswith('UPDATE "documents" SET "version"'):
                Document.objects.all().update(version=99)
            if sql.startswith('UPDATE "documents" SET') and world.operation.id == "documents_create":
                Document.objects.exclude(pk=world.document.pk).delete()
        elif sql.startswith('UPDATE "messages" SET'):
            Conversation.objects.all().delete()

    with before_each_statement(interfere):
        return world.call()


def fail(error: Exception) -> None:
    raise error


@contextmanager
def before_each_statement(act: Callable[[str], None]) -> Iterator[None]:
    """Do something before a statement goes to the database; not for what that sends itself."""
    is_busy = False

    def wrapper(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal is_busy
        if not is_busy:
            is_busy = True
            try:
                act(sql)
            finally:
                is_busy = False
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield


@contextmanager
def undone() -> Iterator[None]:
    """What the block changes in the database is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize("operation", [pytest.param(each, id=each.id) for each in operations()])
def test_what_can_happen_is_what_is_documented(
    operation: Operation, alice: User, settings: Settings, tmp_path: Path
) -> None:
    settings.LIMITS_FILE = tmp_path / "limits.sqlite3"
    document, documented = document_of(alice, TEXT), operation.spec["responses"]
    seen: dict[str, str] = {}
    for way in WAYS:
        with undone():
            response = way(World(alice, document, operation), settings)
            status = str(response.status_code)
            assert status in documented, way.__name__
            seen.setdefault(status, way.__name__)
            if response.status_code >= 400:
                assert complaint(response.json(), {"$ref": "#/components/schemas/Error"}) == ""
            elif response.headers.get("content-type") == JSON:
                assert complaint(response.json(), documented[status]["content"][JSON]["schema"]) == "", way.__name__
    # Whoever does not wait needs another thread or process, which would not see this test's rows.
    assert set(documented) - {"202"} == set(seen)
