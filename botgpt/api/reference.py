"""What the OpenAPI document says beside its operations: the introduction, the groups, and an example of each error."""

from __future__ import annotations

from typing import Any, Final

INTRODUCTION: Final = """\
Conversations with a language model, grounded in your documents.

**Addresses and bodies.** No address has a trailing slash. Bodies are JSON in UTF-8, uploads may be forms. Times are ISO
8601 in UTC and end in `Z`. Lists come in pages: `page` counts from 1, `page_size` is 100 at most, `total` counts all.

**Who is calling.** Send `Authorization: Bearer <API key>`, or the access token of a login or of an OAuth 2 application.
A key has the scopes `read` and `write`. What belongs to someone else does not exist: its address is 404, never 403.

**Errors.** Every status from 400 up has the same body, `Error`; its `code` is stable and meant for programs. Beside the
errors of each operation: a method that an address does not have is 405 `method_not_allowed`, with `Allow`.

**Limits.** `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) say how the budget of calls stands that is nearest
to its end. A call too many is 429 with `Retry-After`, in whole seconds.

**Repeating.** A request that asks a model takes an `Idempotency-Key`: the same key and body within 24 hours are the
same turn, however often it is sent. `X-Request-ID` of an answer is in the server's logs too; yours is taken over.

**Streams.** With `"stream": true`, or `Accept: text/event-stream`, a reply comes as server-sent events while it is
written, see `Event`. Each event's `id` is a position: whoever lost the connection reads on from it.
"""

TAGS: Final = [
    {"name": "conversations", "description": "Start them, send to them, list, rename, ground, export and delete them."},
    {"name": "messages", "description": "Single messages: follow, stop, ask again, edit, rate."},
    {"name": "documents", "description": "Upload, read, replace, search and delete what answers are grounded in."},
    {"name": "models", "description": "Which language models can be asked."},
    {"name": "usage", "description": "Tokens, cost, calls, and what is left of the budget."},
    {"name": "auth", "description": "Logging in for tokens, one's own API keys, and who is calling."},
]

# The error codes that a status has unless an operation names others, in backticks, in its `extra_errors`.
CODES: Final = {
    "400": ("invalid_request",),
    "401": ("not_authenticated",),
    "403": ("permission_denied",),
    "404": ("not_found",),
    "406": ("not_acceptable",),
    "409": ("conflict",),
    "413": ("payload_too_large",),
    "415": ("unsupported_media_type",),
    "422": ("idempotency_mismatch",),
    "429": ("rate_limited",),
    "500": ("internal_error",),
    "503": ("unavailable",),
}

# code: (error, detail, what else the body has)
_ERRORS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "invalid_request": (
        "Invalid request",
        'mode: "chat" is not a valid choice.',
        {"fields": {"mode": ['"chat" is not a valid choice.']}},
    ),
    "malformed_json": ("Bad request", "JSON parse error - unexpected end of data: line 1 column 18 (char 17)", {}),
    "not_authenticated": ("Unauthorized", "The API key is unknown, expired or revoked.", {}),
    "permission_denied": ("Forbidden", "These credentials do not have the scope that the call needs.", {}),
    "not_found": ("Conversation not found", "No conversation with ID 999 exists", {}),
    "not_acceptable": ("Not acceptable", "Could not satisfy the request Accept header.", {}),
    "turn_in_progress": ("Turn in progress", "A reply is being generated in this conversation.", {}),
    "conflict": ("Conflict", "The document was changed or deleted at the same time. Try again.", {}),
    "payload_too_large": ("Payload too large", "The body has 41,943,041 bytes; at most 41,943,040 are accepted.", {}),
    "unsupported_media_type": ("Unsupported media type", 'Unsupported media type "text/plain" in request.', {}),
    "idempotency_mismatch": (
        "Idempotency key reused",
        "This Idempotency-Key came before with another request. Use a new key for a new request.",
        {},
    ),
    "rate_limited": ("Too many requests", "Request was throttled. Expected available in 17 seconds.", {}),
    "budget_exceeded": (
        "Budget exceeded",
        "What is left of the budget of tokens for this day does not cover a reply.",
        {"scope": "day_tokens", "limit": 100_000, "used": 98_730, "resets_at": "2026-01-02T00:00:00Z"},
    ),
    "internal_error": ("Internal server error", "An unexpected error happened. It has been logged.", {}),
    "unavailable": ("Service unavailable", "The service is temporarily unavailable. Try again.", {}),
}


def component(code: str) -> str:
    """The name under which an error's example stands in the document: `NotFound` for `not_found`."""
    return code.title().replace("_", "")


ERROR_EXAMPLES: Final = {
    component(code): {
        "summary": code,
        "value": {
            "error": error,
            "detail": detail,
            "code": code,
            "request_id": "5f0c1d7e9b3a4c62",
            **more,
        },
    }
    for code, (error, detail, more) in _ERRORS.items()
}
