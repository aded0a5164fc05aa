"""Every operation of the OpenAPI document as a request that can be sent, in an order in which each finds what it needs.

Bodies are the document's own examples. Ids in them and in addresses are variables, which earlier answers fill.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.openapi import operations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.openapi import Operation

JSON = "application/json"
# What a person fills in, and what it is for the demo.
GIVEN = {
    "baseUrl": "http://127.0.0.1:8000",
    "apiKey": "",
    "username": "admin",
    "password": "botgpt-development",
}
FIELDS = {
    "document_ids": ["{{documentId}}"],
    "message_id": "{{replyId}}",
    "refresh": "{{refreshToken}}",
    "username": "{{username}}",
    "password": "{{password}}",
}
IDS = {"conversations": "conversationId", "documents": "documentId", "keys": "keyId", "messages": "replyId"}


@dataclass(frozen=True, slots=True)
class Step:
    """An operation, the example that is sent, and which variables its answer fills, by the path to the value."""

    operation: str
    example: str = ""
    fills: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    token: str = "apiKey"


STORY = (
    Step("auth_me_retrieve"),
    Step("auth_login", fills={"accessToken": "access", "refreshToken": "refresh"}),
    Step("auth_refresh"),
    Step("auth_keys_create", fills={"keyId": "id"}, token="accessToken"),
    Step("auth_keys_list", token="accessToken"),
    Step("auth_keys_revoke", token="accessToken"),
    Step("models_list"),
    Step("documents_create", fills={"documentId": "id"}),
    Step("documents_list", query={"page": "1", "page_size": "20"}),
    Step("documents_retrieve"),
    Step("documents_chunks_list"),
    Step("documents_text", query={"start": "0", "end": "41"}),
    Step("documents_download"),
    Step("documents_partial_update"),
    Step("documents_replace"),
    Step("documents_search"),
    Step(
        "conversations_create",
        example="Grounded",
        fills={"conversationId": "id", "questionId": "messages.0.id", "replyId": "messages.1.id"},
    ),
    Step("conversations_list", query={"page": "1", "page_size": "20"}),
    Step("conversations_retrieve"),
    Step("conversations_update"),
    Step("conversations_messages_send"),
    Step("conversations_messages_send", example="AsAStream"),
    Step("conversations_messages_list", query={"limit": "50"}),
    Step("conversations_context", query={"message": "And tomorrow?"}),
    Step("conversations_context_long"),
    Step("conversations_partial_update"),
    Step("conversations_export", query={"as": "markdown"}),
    Step("messages_retrieve"),
    Step("messages_feedback"),
    Step("messages_events"),
    Step("messages_cancel"),
    Step("messages_regenerate"),
    Step("messages_edit"),
    Step("conversations_activate"),
    Step("usage_retrieve", query={"group_by": "day"}),
    Step("conversations_destroy"),
    Step("documents_destroy"),
    Step("auth_revoke"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent for a step; variables stand in double braces."""

    step: Step
    operation: Operation

    @property
    def title(self) -> str:
        streamed = ", as a stream" if self.step.example == "AsAStream" else ""
        return f"{self.operation.spec['summary']}{streamed}"

    @property
    def path(self) -> str:
        parts = self.operation.path.split("/")
        for place, part in enumerate(parts):
            if part == "{id}" and self.operation.id == "messages_edit":
                parts[place] = "{{questionId}}"
            elif part.startswith("{"):
                parts[place] = f"{{{{{IDS[parts[place - 1]]}}}}}"
        return "/".join(parts)

    @property
    def body(self) -> str:
        """JSON, indented; empty when nothing is sent."""
        if not self.operation.bodies:
            return ""
        examples = self.operation.bodies[JSON]["examples"]
        value: dict[str, Any] = examples[self.step.example or next(iter(examples))]["value"]
        text = json.dumps(value | {name: FIELDS[name] for name in FIELDS if name in value}, indent=2)
        for name in {*IDS.values(), "questionId"}:  # numbers
            text = text.replace(f'"{{{{{name}}}}}"', f"{{{{{name}}}}}")
        return text

    @property
    def token(self) -> str:
        """The variable that holds the credentials; empty where none are taken."""
        return self.step.token if self.operation.spec.get("security") else ""

    @property
    def statuses(self) -> list[int]:
        return sorted(int(status) for status in self.operation.successes)


def requests() -> Iterator[Request]:
    known = {operation.id: operation for operation in operations()}
    for step in STORY:
        yield Request(step, known[step.operation])


def variables() -> dict[str, str]:
    """All of them, with what they hold at first."""
    return GIVEN | {name: "" for step in STORY for name in step.fills}
