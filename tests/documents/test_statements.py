"""Rows that are written without the ORM's compiler are the rows that the ORM writes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from conversations.models import Conversation, Message
from documents import statements
from llm.models import LLMCall

if TYPE_CHECKING:
    from django.db.models import Model

    from botgpt.accounts.models import User

pytestmark = pytest.mark.django_db


def question(conversation: Conversation) -> Message:
    return Message(
        conversation=conversation,
        role="user",
        content="Wie heißt du? 🦊 %s \"'",
        citations=[{"quote": "ä"}],
        context={"limit": 1},
    )


def test_an_inserted_row_is_the_one_that_the_orm_would_have_written(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, title="Lamps")
    call = LLMCall(
        user=alice,
        provider="groq",
        model="small",
        outcome="ok",
        cost=Decimal("0.0000000123"),
        price={"input_mtok": "0.05"},
        estimated=True,
    )
    rows: list[Model] = [Conversation(user=alice, title="x"), question(conversation), call]
    for row in rows:
        statements.insert(row)
        stored = type(row)._default_manager.get(pk=row.pk)
        for field in row._meta.concrete_fields:
            assert getattr(stored, field.attname) == getattr(row, field.attname), field.name
        assert not row._state.adding


def test_selected_rows_are_those_that_the_orm_would_have_read(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice, title="Lamps 🦊", updated_at=timezone.now())
    message = question(conversation)
    message.save()
    call = LLMCall.objects.create(
        user=alice, provider="groq", outcome="ok", cost=Decimal("0.0000000123"), price={"input_mtok": "0.05"}
    )
    for row in (conversation, message, call):
        model = type(row)
        (found,) = statements.select(model, "WHERE id = %s", [row.pk], using="default")
        stored = model._default_manager.get(pk=row.pk)
        for field in model._meta.concrete_fields:
            value = getattr(found, field.attname)
            assert (value, type(value)) == ((at := getattr(stored, field.attname)), type(at)), field.name
        assert (found._state.adding, found._state.db) == (False, "default")


def test_selected_rows_can_be_changed_by_the_orm(alice: User) -> None:
    Conversation.objects.create(user=alice, title="x")
    (found,) = statements.select(Conversation, "WHERE title = %s", ["x"], using="default")
    found.title = "y"
    found.save()
    assert list(Conversation.objects.values_list("title", flat=True)) == ["y"]
    assert statements.select(Conversation, "WHERE title = %s", ["x"], using="default") == []


def test_a_row_that_was_inserted_can_be_changed_by_the_orm(alice: User) -> None:
    conversation = Conversation(user=alice, title="x")
    statements.insert(conversation)
    conversation.title = "y"
    conversation.save()
    assert list(Conversation.objects.values_list("title", flat=True)) == ["y"]


def test_an_update_writes_the_named_fields_of_that_row_alone(alice: User) -> None:
    conversation = Conversation.objects.create(user=alice)
    first, second = question(conversation), question(conversation)
    for message in (first, second):
        statements.insert(message)
    first.content, first.citations, first.tokens_used = "New", [{"quote": "ö"}], 7
    assert statements.update(first, "content", "citations")
    stored = Message.objects.get(pk=first.pk)
    assert (stored.content, stored.citations, stored.tokens_used) == ("New", [{"quote": "ö"}], 0)
    assert Message.objects.get(pk=second.pk).content == second.content


def test_an_update_whose_condition_does_not_hold_writes_nothing(alice: User) -> None:
    message = question(Conversation.objects.create(user=alice))
    statements.insert(message)
    message.content = "New"
    assert not statements.update(message, "content", where="status IN (%s, %s)", values=["failed", "cancelled"])
    assert Message.objects.get(pk=message.pk).content != "New"
    assert statements.update(message, "content", where="status = %s", values=["complete"])
