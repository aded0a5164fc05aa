"""The conversation endpoints: each validates, makes one call into the domain, and writes the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, mixins, status
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from llm.context import QuestionTooLong

from . import examples, export, turns
from .filters import ConversationFilter
from .models import Conversation
from .serializers import (
    ConversationDetailSerializer,
    ConversationPatchSerializer,
    ConversationSerializer,
    ExportParams,
    HistoryParams,
    MessagePageSerializer,
    MessageSerializer,
    NewConversationSerializer,
    NewMessageSerializer,
    TurnSerializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from rest_framework.request import Request

    from .models import Message

TURN_ERRORS = {"409": "A reply is being generated in this conversation"}


class TurnConflict(exceptions.APIException):
    """409: one turn at a time."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "turn_in_progress"
    error = "Turn in progress"

    def __init__(self, exc: turns.TurnInProgress) -> None:
        super().__init__(str(exc))
        self.wait = exc.retry_after


class ConversationViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet[Conversation]):
    """Conversations of the caller."""

    queryset = Conversation.objects.newest_first().prefetch_related("document_links")
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilter
    results_name = "conversations"
    lookup_value_converter = "int"
    limits: ClassVar = {"create": "turns", "update": "turns", "send": "turns"}
    extra_errors: ClassVar = {"update": TURN_ERRORS, "send": TURN_ERRORS}

    def get_total(self, queryset: QuerySet[Conversation]) -> int:
        """The number of conversations in the list; without a filter it is kept with the user."""
        if any(self.request.query_params.get(name) for name in ConversationFilter.base_filters):
            return queryset.count()
        return self.request.user.conversation_count  # type: ignore[union-attr]

    @extend_schema(summary="List conversations, most recent activity first")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Start a conversation with its first message",
        request=NewConversationSerializer,
        responses={201: ConversationDetailSerializer},
        examples=examples.START,
    )
    def create(self, request: Request) -> Response:
        body = NewConversationSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        turn = _take(
            turns.start_conversation,
            field="first_message",
            user=request.user,
            first_message=body.validated_data["first_message"],
            mode=body.validated_data["mode"],
            documents=body.validated_data.get("document_ids") or (),
        )
        answer = self._detail(turn.conversation, [turn.question, turn.reply])
        return Response(answer, status=status.HTTP_201_CREATED, headers=_timing_headers(turn))

    @extend_schema(
        summary="Read a conversation with its whole active history", responses={200: ConversationDetailSerializer}
    )
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        conversation = self.get_object()
        return Response(self._detail(conversation, list(conversation.path(batch=1_000))[::-1]))

    @extend_schema(
        summary="Add a message; the reply is generated before the answer is sent",
        description="The answer holds only the stored user message. Read the reply with the conversation.",
        request=NewMessageSerializer,
        responses={200: MessageSerializer},
        examples=examples.ADD,
    )
    def update(self, request: Request, **kwargs: Any) -> Response:
        turn = self._turn(request)
        return Response(MessageSerializer(turn.question).data, headers=_timing_headers(turn))

    @extend_schema(
        summary="Rename a conversation, or ground it in other documents",
        request=ConversationPatchSerializer,
        responses={200: ConversationSerializer},
    )
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        conversation = self.get_object()
        context = {**self.get_serializer_context(), "conversation": conversation}
        body = ConversationPatchSerializer(data=request.data, context=context)
        body.is_valid(raise_exception=True)
        if body.validated_data:
            conversation.change(
                title=body.validated_data.get("title"), documents=body.validated_data.get("document_ids")
            )
        return Response(ConversationSerializer(conversation).data)

    @extend_schema(summary="Delete a conversation and its messages; the usage ledger stays, without content")
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    @extend_schema(
        summary="Read a stretch of the active history",
        parameters=[HistoryParams],
        responses={200: MessagePageSerializer},
    )
    @action(detail=True, url_path="messages", filterset_class=None, pagination_class=None)
    def messages(self, request: Request, **kwargs: Any) -> Response:
        conversation = self.get_object()
        params = HistoryParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        through = conversation.active_leaf_id
        if (before := params.validated_data.get("before")) is not None:
            parents = conversation.messages.filter(pk=before).values_list("parent_id", flat=True)
            if not parents:
                raise exceptions.ValidationError({"before": f"No message with ID {before} is in this conversation."})
            through = parents[0]
        page, has_more = conversation.stretch(through=through, limit=params.validated_data["limit"])
        return Response({"messages": MessageSerializer(page, many=True).data, "has_more": has_more})

    @extend_schema(
        summary="Add a message and get it with its reply",
        request=NewMessageSerializer,
        responses={200: TurnSerializer},
        examples=examples.SEND,
    )
    @messages.mapping.post
    def send(self, request: Request, **kwargs: Any) -> Response:
        turn = self._turn(request)
        answer = {
            "user_message": MessageSerializer(turn.question).data,
            "assistant_message": MessageSerializer(turn.reply).data,
        }
        return Response(answer, headers=_timing_headers(turn))

    @extend_schema(
        summary="Download the transcript",
        parameters=[OpenApiParameter("as", enum=["markdown", "json"], default="markdown")],
        responses={
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiResponse(ConversationDetailSerializer),
        },
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def export(self, request: Request, **kwargs: Any) -> HttpResponse:
        conversation = self.get_object()
        params = ExportParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        messages = list(conversation.path(batch=1_000))[::-1]
        if params.validated_data["as"] == "json":
            renderer: JSONRenderer = request.accepted_renderer  # type: ignore[assignment]
            content: bytes | str = renderer.render(self._detail(conversation, messages))
            media_type, extension = "application/json", "json"
        else:
            content = export.to_markdown(conversation, messages)
            media_type, extension = "text/markdown; charset=utf-8", "md"
        name = export.file_name(conversation, extension=extension)
        return HttpResponse(
            content,
            content_type=media_type,
            headers={"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
        )

    def _turn(self, request: Request) -> turns.Turn:
        body = NewMessageSerializer(data=request.data)
        conversation = self.get_object()
        body.is_valid(raise_exception=True)
        return _take(turns.take_turn, conversation, field="message", question=body.validated_data["message"])

    @staticmethod
    def _detail(conversation: Conversation, messages: Iterable[Message]) -> dict[str, Any]:
        return ConversationDetailSerializer(conversation, context={"messages": messages}).data


def _take(take: Callable[..., turns.Turn], *args: Any, field: str, **kwargs: Any) -> turns.Turn:
    """Take a turn, and say in HTTP's terms why it could not be taken."""
    try:
        return take(*args, **kwargs)
    except QuestionTooLong as exc:
        raise exceptions.ValidationError({field: str(exc)}) from exc
    except turns.TurnInProgress as exc:
        raise TurnConflict(exc) from exc
    except turns.ConversationGone as exc:
        raise exceptions.NotFound("The conversation was deleted before its reply was there.") from exc


def _timing_headers(turn: turns.Turn) -> dict[str, str]:
    """`Server-Timing`, in milliseconds."""
    parts = [f"{name};dur={seconds * 1000:.1f}" for name, seconds in turn.timings.items()]
    return {"Server-Timing": ", ".join(parts)}
