"""Examples for the OpenAPI document: the requests and answers that the guide shows."""

from __future__ import annotations

from typing import Any

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
}
REPLY = QUESTION | {
    "id": 2,
    "parent_id": 1,
    "role": "assistant",
    "content": "You can return it within 30 days [1].",
    "grounded": True,
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

START = [
    OpenApiExample("Open", {"first_message": "Hello, how are you?", "mode": "open"}, request_only=True),
    OpenApiExample(
        "Grounded", {"first_message": QUESTION["content"], "mode": "rag", "document_ids": [2]}, request_only=True
    ),
    OpenApiExample("Started", CONVERSATION | {"messages": [QUESTION, REPLY]}, response_only=True, status_codes=["201"]),
]
CONTEXT = [
    OpenApiExample(
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
        response_only=True,
        status_codes=["200"],
    )
]
ADD = [
    OpenApiExample("Message", {"message": "And with a used bulb?"}, request_only=True),
    OpenApiExample("Stored", QUESTION, response_only=True, status_codes=["200"]),
]
SEND = [
    OpenApiExample("Message", {"message": "And with a used bulb?"}, request_only=True),
    OpenApiExample(
        "Turn", {"user_message": QUESTION, "assistant_message": REPLY}, response_only=True, status_codes=["200"]
    ),
]
