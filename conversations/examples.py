"""Examples for the OpenAPI document: the requests and answers that the guide shows."""

from __future__ import annotations

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiExample

QUESTION: dict[str, Any] = {
    "id": 1,
    "conversation_id": 1,
    "parent_id": None,
    "role": "user",
    "content": "How long can I return a lamp?",
    "status": "complete",
    "tokens_used": 0,
    "model_used": None,
    "citations": [],
    "grounded": None,
    "cached": False,
    "error": None,
    "feedback": None,
    "created_at": "2026-01-01T12:00:00Z",
    "sibling_ids": [1],
}
REPLY = QUESTION | {
    "id": 2,
    "parent_id": 1,
    "role": "assistant",
    "content": "You can return it within 30 days [1].",
    "grounded": True,
    "sibling_ids": [2],
    "tokens_used": 412,
    "model_used": "openai/gpt-oss-20b",
    "citations": [
        {
            "start": 0,
            "end": 32,
            "document_id": 2,
            "filename": "returns-policy.html",
            "chunk_id": 17,
            "page": None,
            "quote": "Lamps may be returned within 30 days of delivery.",
            "quote_start": 240,
            "quote_end": 289,
            "score": 0.97,
        }
    ],
}
CONVERSATION = {
    "id": 1,
    "user_id": 1,
    "title": "How long can I return a lamp?",
    "mode": "rag",
    "created_at": "2026-01-01T12:00:00Z",
    "updated_at": None,
    "message_count": 2,
    "document_ids": [2],
    "summary": None,
}

DETAIL = CONVERSATION | {"messages": [QUESTION, REPLY]}
TURN = {"user_message": QUESTION, "assistant_message": REPLY}
NOTHING_YET: dict[str, object] = {
    "content": "",
    "status": "in_progress",
    "grounded": None,
    "tokens_used": 0,
    "citations": [],
}
STARTED = REPLY | NOTHING_YET | {"model_used": None}
NEXT = {"message": "And with a used bulb?"}


def asked(name: str, value: object) -> OpenApiExample:
    """An example of a request."""
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: object, *, status: int = 200, media_type: str = "application/json") -> OpenApiExample:
    """An example of an answer."""
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)], media_type=media_type)


def _event(name: str, position: int, data: object) -> str:
    return f"event: {name}\nid: {position}\ndata: {orjson.dumps(data).decode()}\n\n"


EVENTS = (
    _event("message.created", 0, {"conversation_id": 1, "user_message_id": 1, "assistant_message_id": 2})
    + _event("message.delta", 11, {"offset": 0, "text": "You can ret"})
    + _event("message.delta", 37, {"offset": 11, "text": "urn it within 30 days [1]."})
    + _event("message.citation", 37, REPLY["citations"][0])
    + _event("message.completed", 37, {"message": REPLY})
)
STREAM = answered("A stream", EVENTS, media_type="text/event-stream")
TRANSCRIPT = answered(
    "A transcript",
    "# How long can I return a lamp?\n\nrag · started 2026-01-01 12:00 UTC\n\n## User\n\n"
    "How long can I return a lamp?\n\n## Assistant (openai/gpt-oss-20b)\n\nYou can return it within 30 days [1].\n\n"
    "- returns-policy.html: “Lamps may be returned within 30 days of delivery.”\n",
    media_type="text/markdown",
)
QUESTION_ASKED = asked("A question", {"message": "What did I ask you?"})

LIST = [answered("A conversation", CONVERSATION)]
CREATE = [
    asked("Open", {"first_message": "Hello, how are you?", "mode": "open"}),
    asked("Grounded", {"first_message": QUESTION["content"], "mode": "rag", "document_ids": [2]}),
    asked("As a stream", {"first_message": "Hello, how are you?", "stream": True}),
    answered("Started", DETAIL, status=201),
    answered("Not waited for", DETAIL | {"messages": [QUESTION, STARTED]}, status=202),
    answered("A stream", EVENTS, status=201, media_type="text/event-stream"),
]
RETRIEVE = [answered("A conversation", DETAIL)]
UPDATE = [
    asked("Message", NEXT),
    answered("Stored", QUESTION),
    answered("Not waited for", QUESTION, status=202),
    STREAM,
]
PARTIAL_UPDATE = [
    asked("Rename", {"title": "Returns"}),
    asked("Ground", {"document_ids": [2]}),
    answered("Renamed", CONVERSATION | {"title": "Returns", "updated_at": "2026-01-01T12:05:00Z"}),
]
MESSAGES = [answered("The newest two", {"messages": [QUESTION, REPLY], "has_more": False})]
SEND = [
    asked("Message", NEXT),
    asked("As a stream", NEXT | {"stream": True}),
    answered("A turn", TURN),
    answered("Not waited for", TURN | {"assistant_message": STARTED}, status=202),
    STREAM,
]
ACTIVE = [asked("A branch", {"message_id": 2}), answered("Its history", DETAIL)]
CONTEXT = [
    answered(
        "Dry run",
        {
            "model": "groq/openai/gpt-oss-20b",
            "messages": [
                {"role": "system", "content": "You are BOT GPT, a helpful assistant. …"},
                {"role": "user", "content": "Hello, how are you?"},
                {"role": "assistant", "content": "Fine, thank you."},
                {"role": "user", "content": "What did I ask you?"},
            ],
            "limit": 6000,
            "tokens": {"system": 29, "summary": 0, "history": 24, "passages": 0, "question": 12, "total": 65},
            "history_sent": 2,
            "summarized_through": None,
            "dropped_through": None,
            "passages": None,
        },
    )
]
MESSAGE = [answered("A reply", REPLY)]
FEEDBACK = [asked("Like it", {"feedback": "up"}), answered("Kept", REPLY | {"feedback": "up"})]
CANCEL = [
    answered(
        "Stopped", REPLY | {"status": "cancelled", "content": "You can return", "citations": [], "tokens_used": 88}
    )
]
REGENERATE = [
    asked("The same model", {}),
    answered("Another reply", TURN | {"assistant_message": REPLY | {"id": 3, "sibling_ids": [2, 3]}}),
    answered("Not waited for", TURN | {"assistant_message": STARTED | {"id": 3, "sibling_ids": [2, 3]}}, status=202),
    STREAM,
]
ANOTHER = QUESTION | {"id": 3, "content": "How long can I return a bulb?", "sibling_ids": [1, 3]}
BELOW = {"id": 4, "parent_id": 3, "sibling_ids": [4]}
EDIT = [
    asked("Another question", {"message": ANOTHER["content"]}),
    answered("Another branch", {"user_message": ANOTHER, "assistant_message": REPLY | BELOW}),
    answered("Not waited for", {"user_message": ANOTHER, "assistant_message": STARTED | BELOW}, status=202),
    STREAM,
]
