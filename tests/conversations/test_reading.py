"""A history that is read from rows is the one that the serializer would have written of instances."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from botgpt.api.renderers import OrjsonRenderer
from conversations.export import to_markdown
from conversations.models import Conversation, Message
from conversations.reading import history, stretch
from conversations.serializers import MessageSerializer
from tests.builders import conversation_of

if TYPE_CHECKING:
    from botgpt.accounts.models import User

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 5, 4, 12, 0, 0, tzinfo=dt.UTC)
CITATION = {
    "start": 0, "end": 9, "document_id": 2**40, "filename": "größe 🦊.txt", "chunk_id": 1, "page": None,
    "quote": 'He said "\\n" – 100 %s\u2028', "quote_start": 3, "quote_end": 12, "score": 0.1 + 0.2,
}  # fmt: skip
# By its name, what a message is besides a question or a reply that begins a second after the one before it.
KINDS: dict[str, dict[str, Any]] = {
    "a bare question": {"role": "user", "created_at": NOON},
    "cited": {"citations": [CITATION, {**CITATION, "page": 3, "score": 1.0}], "grounded": True, "model_used": "small"},
    "with microseconds": {"role": "user", "created_at": NOON + dt.timedelta(seconds=2, microseconds=1)},
    "failed": {"status": "failed", "error": "No “model” answered.", "model_used": None},
    "in tenths of a second": {"role": "user", "created_at": NOON + dt.timedelta(seconds=4, microseconds=100_000)},
    "not found in documents": {"grounded": False, "context": {"limit": 1}, "feedback": "down"},
    "in any script": {"role": "user", "content": "Ünïcode 🦊 \"'\\ \u2028 %s \t\n"},
    "kept from before": {"cached": True, "feedback": "up", "tokens_used": 0, "restarts": 2},
    "empty": {"role": "user", "content": ""},
    "cancelled": {"status": "cancelled", "tokens_used": 2**31 - 1, "job": {"attempts": 1}},
    "long": {"role": "user", "content": "x" * 32_000},
    "incomplete": {"status": "incomplete", "error": ""},
    "the last question": {"role": "user"},
    "running": {"status": "in_progress", "content": "So f"},
}


@pytest.fixture
def conversation(alice: User) -> Conversation:
    """Messages of every kind in one line, each with a sibling that is on another branch."""
    conversation = conversation_of(alice)
    parent: Message | None = None
    for number, fields in enumerate(KINDS.values()):
        moment = NOON + dt.timedelta(seconds=number)
        both = {"conversation": conversation, "parent": parent, "created_at": moment, "role": "assistant"} | fields
        Message.objects.create(**both | {"status": "complete", "content": "Beside it"})
        parent = Message.objects.create(**both)
    conversation.active_leaf = parent
    conversation.save()
    return conversation


def written(value: object) -> Any:
    return orjson.loads(OrjsonRenderer().render(value))


def by_the_serializer(conversation: Conversation) -> list[dict[str, Any]]:
    line = list(conversation.messages.exclude(content="Beside it"))
    Message.know_siblings(line)
    return [written(MessageSerializer(message).data) for message in line]


def test_every_kind_of_message_is_read_as_the_serializer_writes_it(conversation: Conversation) -> None:
    expected = by_the_serializer(conversation)
    messages = written(history(conversation))
    for kind, message, instead in zip(KINDS, messages, expected, strict=True):
        assert list(message.items()) == list(instead.items()), kind
        assert len(message["sibling_ids"]) == 2
    assert [message["created_at"] for message in messages[:3:2]] == [
        "2026-05-04T12:00:00Z",
        "2026-05-04T12:00:02.000001Z",
    ]


@pytest.mark.parametrize("limit", [1, 3, len(KINDS) - 1, len(KINDS), 200])
def test_a_stretch_is_the_end_of_the_history(conversation: Conversation, limit: int) -> None:
    messages, has_more = stretch(conversation, through=conversation.active_leaf_id, limit=limit)
    assert written(messages) == by_the_serializer(conversation)[-limit:]
    assert has_more == (limit < len(KINDS))


@pytest.mark.parametrize("batch", [1, 2, 3, 50])
def test_rows_of_the_same_moment_are_met_in_any_batch(alice: User, batch: int) -> None:
    conversation = conversation_of(alice)
    line: list[int] = []
    for number in range(9):
        moment = NOON + dt.timedelta(microseconds=number // 4)  # some without microseconds, and several at a time
        both = {"conversation": conversation, "parent_id": line[-1] if line else None, "created_at": moment}
        line.append(Message.objects.create(**both, role="user").pk)
        Message.objects.create(**both, role="user")
    rows = conversation.rows(("id", "parent_id", "created_at"), through=line[-1], batch=batch)
    assert [row[0] for row in rows] == line[::-1]


def test_a_branch_that_came_after_the_conversation_was_read_is_shown_when_one_goes_to_another(alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    read_before = Conversation.objects.get(pk=conversation.pk)
    question = conversation.messages.get(role="user")
    other = conversation.messages.create(role="user", content="Another")
    conversation.record_turn(leaf=other, added=1)
    read_before.go_to(question)
    assert history(read_before)[0]["sibling_ids"] == [question.pk, other.pk]


def test_a_conversation_without_messages_has_an_empty_history(alice: User) -> None:
    empty = Conversation.objects.create(user=alice, title="Empty")
    assert history(empty) == []
    assert stretch(empty, through=None, limit=5) == ([], False)
    assert to_markdown(empty).startswith("# Empty\n")


def test_a_transcript_names_the_sources_of_a_reply(conversation: Conversation) -> None:
    text = to_markdown(conversation)
    assert "- größe 🦊.txt, page 3: “He said" in text
    assert "Beside it" not in text
