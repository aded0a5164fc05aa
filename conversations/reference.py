"""The conversation endpoints as the OpenAPI document describes them, one decorator each; the views stay short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from . import examples
from .asking import ASKING_HEADERS, EVENTS, EVENTS_OF_A_NEW_CONVERSATION
from .context_serializers import ContextParams, ContextSerializer, QuestionSerializer
from .serializers import (
    AskingSerializer,
    BranchSerializer,
    ConversationDetailSerializer,
    ConversationPatchSerializer,
    ConversationSerializer,
    DetailParams,
    EventsParams,
    FeedbackSerializer,
    HistoryParams,
    MessagePageSerializer,
    MessageSerializer,
    NewConversationSerializer,
    NewMessageSerializer,
    TurnSerializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

View = TypeVar("View", bound="Callable[..., Any]")

STREAMED = (
    "\n\nWith `stream: true`, or `Accept: text/event-stream`, the answer is a stream of events. "
    "The reply goes on when the connection closes; follow it again at `…/messages/{id}/events`."
)
FAILURES = (
    "\n\nA model that stays unreachable is no error of HTTP: the question is kept, and the reply has the status "
    "`failed`, a fallback text in `content` and the reason in `error`."
)


def described(summary: str, description: str, **more: Any) -> Callable[[View], View]:
    """A view's method as an operation of the document."""
    return extend_schema(summary=summary, description=description, **more)


LIST: Final = described(
    "List conversations, most recent activity first",
    "Without their messages. `search` looks in titles. A page behind the last is empty, not an error.",
    examples=examples.LIST,
)
CREATE: Final = described(
    "Start a conversation with its first message",
    "The reply is generated before the answer is sent. In `open` mode the model answers by itself; in `rag` mode from "
    "the documents of `document_ids`, with citations. The title is taken from the first message." + STREAMED + FAILURES,
    parameters=ASKING_HEADERS,
    request=NewConversationSerializer,
    responses={201: ConversationDetailSerializer, 202: ConversationDetailSerializer} | EVENTS_OF_A_NEW_CONVERSATION,
    examples=examples.CREATE,
)
RETRIEVE: Final = described(
    "Read a conversation with its whole active history, or the end of it",
    "Oldest message first, along the branch that is followed. What was left out is read with `GET …/messages`; nothing "
    "was when the first message has no `parent_id`.",
    parameters=[DetailParams],
    responses={200: ConversationDetailSerializer},
    examples=examples.RETRIEVE,
)
UPDATE: Final = described(
    "Add a message; the answer holds only the stored question",
    "The reply is generated before the answer is sent; read it with the conversation. `POST …/messages` is the same "
    "with both messages in the answer." + STREAMED + FAILURES,
    parameters=ASKING_HEADERS,
    request=NewMessageSerializer,
    responses={200: MessageSerializer, 202: MessageSerializer} | EVENTS,
    examples=examples.UPDATE,
)
PARTIAL_UPDATE: Final = described(
    "Rename a conversation, or ground it in other documents",
    "What is not given stays. Only `rag` conversations take documents.",
    request=ConversationPatchSerializer,
    responses={200: ConversationSerializer},
    examples=examples.PARTIAL_UPDATE,
)
DESTROY: Final = described(
    "Delete a conversation and its messages",
    "A running reply is given up. The usage ledger stays, without content.",
    responses={204: OpenApiResponse(description="It is gone")},
)
MESSAGES: Final = described(
    "Read a stretch of the active history",
    "The newest `limit` messages, or those before one, oldest first. `has_more` says whether older ones exist.",
    operation_id="conversations_messages_list",
    parameters=[HistoryParams],
    responses={200: MessagePageSerializer},
    examples=examples.MESSAGES,
)
SEND: Final = described(
    "Add a message and get it with its reply",
    "One turn at a time: while a reply is being generated, a second message is 409 with `Retry-After`."
    + STREAMED
    + FAILURES,
    operation_id="conversations_messages_send",
    parameters=ASKING_HEADERS,
    request=NewMessageSerializer,
    responses={200: TurnSerializer, 202: TurnSerializer} | EVENTS,
    examples=examples.SEND,
)
ACTIVE: Final = described(
    "Choose the branch that history and context follow",
    "Name any message of the branch; it is followed to its newest end. The other branches stay.",
    operation_id="conversations_activate",
    request=BranchSerializer,
    responses={200: ConversationDetailSerializer},
    examples=examples.ACTIVE,
)
CONTEXT: Final = described(
    "See what would be sent with a question, and what would be left out or summarised",
    "Asks no model and stores nothing. In `rag` mode the documents are searched with the question as it stands.",
    operation_id="conversations_context",
    parameters=[ContextParams],
    responses={200: ContextSerializer},
    examples=examples.CONTEXT,
)
LONG_CONTEXT: Final = described(
    "The same for a question that is too long for an address",
    "As `GET …/context`, with up to as many characters as a message may have.",
    operation_id="conversations_context_long",
    request=QuestionSerializer,
    responses={200: ContextSerializer},
    examples=[examples.QUESTION_ASKED, *examples.CONTEXT],
)
EXPORT: Final = described(
    "Download the transcript",
    "The active branch as a file: Markdown for people, or the conversation as `GET` gives it.",
    operation_id="conversations_export",
    parameters=[OpenApiParameter("as", enum=["markdown", "json"], default="markdown", description="The kind of file.")],
    responses={
        (200, "text/markdown"): OpenApiTypes.STR,
        (200, "application/json"): OpenApiResponse(ConversationDetailSerializer),
    },
    examples=[*examples.RETRIEVE, examples.TRANSCRIPT],
)

MESSAGE: Final = described(
    "Read a message",
    "Of any branch. `sibling_ids` names the messages with the same parent.",
    operation_id="messages_retrieve",
    examples=examples.MESSAGE,
)
FEEDBACK: Final = described(
    "Say what you think of a reply",
    "`up`, `down`, or null to take it back. Questions take no feedback.",
    operation_id="messages_feedback",
    request=FeedbackSerializer,
    responses={200: MessageSerializer},
    examples=examples.FEEDBACK,
)
FOLLOW: Final = described(
    "Follow a reply as it is written",
    "Server-sent events from the beginning, or from a position on, whether the reply is running or has ended, and in "
    "whichever process it runs. Closing the connection stops nothing.\n\n"
    "| event | data |\n|---|---|\n"
    "| `message.created` | `conversation_id`, `user_message_id`, `assistant_message_id` |\n"
    "| `message.delta` | `offset` and `text`: the next piece of the reply |\n"
    "| `message.restarted` | nothing: discard the text so far, another model begins anew |\n"
    "| `message.citation` | a citation of the finished text |\n"
    "| `message.completed`, `message.failed`, `message.cancelled` | `message`: the whole message, as it is stored |\n\n"
    "Each event's `id` is the position behind it. While nothing happens, a comment comes every 15 seconds.",
    operation_id="messages_events",
    parameters=[
        EventsParams,
        OpenApiParameter(
            "Last-Event-ID",
            OpenApiTypes.STR,
            OpenApiParameter.HEADER,
            description="The same as `starting_after`; browsers send it by themselves.",
        ),
    ],
    responses=EVENTS,
    examples=[examples.STREAM],
)
CANCEL: Final = described(
    "Stop a running reply and keep its text",
    "Its status becomes `cancelled`. A reply that has ended stays as it is.",
    operation_id="messages_cancel",
    request=None,
    responses={200: MessageSerializer},
    examples=examples.CANCEL,
)
REGENERATE: Final = described(
    "Ask again for a reply; the ones before stay as branches",
    "Name the reply, or its question. Another `model` may be asked first." + STREAMED + FAILURES,
    operation_id="messages_regenerate",
    parameters=ASKING_HEADERS,
    request=AskingSerializer,
    responses={200: TurnSerializer, 202: TurnSerializer} | EVENTS,
    examples=examples.REGENERATE,
)
EDIT: Final = described(
    "Ask another question in the place of this one; the old one stays as a branch",
    "Name the question. What followed it stays with the old branch." + STREAMED + FAILURES,
    operation_id="messages_edit",
    parameters=ASKING_HEADERS,
    request=NewMessageSerializer,
    responses={200: TurnSerializer, 202: TurnSerializer} | EVENTS,
    examples=examples.EDIT,
)
