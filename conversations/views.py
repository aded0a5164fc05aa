"""The conversation endpoints: each validates, makes one call into the domain, and writes the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.http import content_disposition_header
from rest_framework import exceptions, mixins, status
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from . import export, reading, reference
from .asking import (
    STARTING_ERRORS,
    TURN_ERRORS,
    EventsOrJson,
    answered,
    asking_of,
    refusals,
    whole_turn,
)
from .context_serializers import ContextParams, ContextSerializer, QuestionSerializer
from .filters import ConversationFilter
from .models import Conversation
from .opening import open_conversation, open_turn
from .preparing import dry_run
from .privacy import delete_now
from .serializers import (
    BranchSerializer,
    ConversationDetailSerializer,
    ConversationPatchSerializer,
    ConversationSerializer,
    DetailParams,
    ExportParams,
    HistoryParams,
    MessageSerializer,
    NewConversationSerializer,
    NewMessageSerializer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.db.models import QuerySet
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

    from .opening import Turn


class ConversationViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, GenericViewSet[Conversation]):
    """Conversations of the caller."""

    queryset = Conversation.objects.newest_first()
    serializer_class = ConversationSerializer
    filterset_class = ConversationFilter
    results_name = "conversations"
    cursor_field = "activity_at"
    lookup_value_converter = "int"
    content_negotiation_class = EventsOrJson
    streams: ClassVar = {"create", "update", "send"}
    limits: ClassVar = {"create": "turns", "update": "turns", "send": "turns"}
    extra_errors: ClassVar = {"create": STARTING_ERRORS, "update": TURN_ERRORS, "send": TURN_ERRORS}

    def get_object(self) -> Conversation:
        """As REST framework's, without Django's compiler: it is on the path of every turn."""
        conversation = Conversation.objects.one_of(self.request.user, self.kwargs["pk"])  # type: ignore[arg-type]
        if conversation is None:
            raise Http404
        self.check_object_permissions(self.request, conversation)
        return conversation

    def get_first(self, queryset: QuerySet[Conversation], number: int) -> list[Conversation]:
        """The list from its beginning; without a filter likewise without the compiler."""
        if not ConversationFilter.base_filters.keys().isdisjoint(self.request.query_params):
            return list(queryset[:number])
        return Conversation.objects.newest_of(self.request.user, number)  # type: ignore[arg-type]

    def get_total(self, queryset: QuerySet[Conversation]) -> int:
        """The number of conversations in the list; without a filter it is kept with the user."""
        if any(self.request.query_params.get(name) for name in ConversationFilter.base_filters):
            return queryset.count()
        return self.request.user.conversation_count  # type: ignore[union-attr]

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        Conversation.know_documents(page or ())
        return page

    @reference.LIST
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """As REST framework's, but the query is built only where `get_first` does not do without it."""
        conversations = SimpleLazyObject(lambda: self.filter_queryset(self.get_queryset()))
        page = self.paginate_queryset(conversations)
        serializer = self.get_serializer()
        return self.get_paginated_response([serializer.to_representation(conversation) for conversation in page])

    @reference.CREATE
    def create(self, request: Request) -> HttpResponseBase:
        body = NewConversationSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        return answered(
            request,
            lambda: open_conversation(
                user=request.user,  # type: ignore[arg-type]
                first_message=fields["first_message"],
                mode=fields["mode"],
                documents=fields.get("document_ids") or (),
                asking=asking_of(request, fields),
            ),
            body=fields,
            field="first_message",
            written=lambda turn: self._detail(turn.conversation, [*whole_turn(turn).values()]),
            status_code=status.HTTP_201_CREATED,
        )

    @reference.RETRIEVE
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        conversation = self.get_object()
        if "messages" not in request.query_params:
            return Response(self._whole(conversation))
        params = DetailParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        limit = params.validated_data["messages"]
        newest, _ = reading.stretch(conversation, through=conversation.active_leaf_id, limit=limit)
        return Response(self._detail(conversation, newest))

    @reference.UPDATE
    def update(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        return self._send(request, written=lambda turn: MessageSerializer(turn.question).data)

    @reference.PARTIAL_UPDATE
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

    @reference.DESTROY
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    def perform_destroy(self, instance: Conversation) -> None:
        delete_now(Conversation.objects.filter(pk=instance.pk))

    @reference.MESSAGES
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
        page, has_more = reading.stretch(conversation, through=through, limit=params.validated_data["limit"])
        return Response({"messages": page, "has_more": has_more})

    @reference.SEND
    @messages.mapping.post
    def send(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        return self._send(request, written=whole_turn)

    @reference.ACTIVE
    @action(detail=True, methods=["put"], filterset_class=None, pagination_class=None)
    def active(self, request: Request, **kwargs: Any) -> Response:
        conversation = self.get_object()
        body = BranchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        pk = body.validated_data["message_id"]
        if (message := conversation.messages.filter(pk=pk).first()) is None:
            raise exceptions.ValidationError({"message_id": f"No message with ID {pk} is in this conversation."})
        conversation.go_to(message)
        return Response(self._whole(conversation))

    @reference.CONTEXT
    @action(detail=True, filterset_class=None, pagination_class=None)
    def context(self, request: Request, **kwargs: Any) -> Response:
        return self._dry_run(ContextParams(data=request.query_params.dict()))

    @reference.LONG_CONTEXT
    @context.mapping.post
    def long_context(self, request: Request, **kwargs: Any) -> Response:
        return self._dry_run(QuestionSerializer(data=request.data))

    @reference.EXPORT
    @action(detail=True, filterset_class=None, pagination_class=None)
    def export(self, request: Request, **kwargs: Any) -> HttpResponse:
        conversation = self.get_object()
        params = ExportParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        if params.validated_data["as"] == "json":
            renderer: JSONRenderer = request.accepted_renderer  # type: ignore[assignment]
            content: bytes | str = renderer.render(self._whole(conversation))
            media_type, extension = "application/json", "json"
        else:
            content = export.to_markdown(conversation)
            media_type, extension = "text/markdown; charset=utf-8", "md"
        name = export.file_name(conversation, extension=extension)
        return HttpResponse(
            content,
            content_type=media_type,
            headers={"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
        )

    def _dry_run(self, asked: QuestionSerializer) -> Response:
        conversation = self.get_object()
        asked.is_valid(raise_exception=True)
        with refusals(field="message"):
            prepared = dry_run(conversation, question=asked.validated_data["message"])
        return Response(ContextSerializer(prepared).data)

    def _send(self, request: Request, *, written: Callable[[Turn], object]) -> HttpResponseBase:
        body = NewMessageSerializer(data=request.data)
        conversation = self.get_object()
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        return answered(
            request,
            lambda: open_turn(conversation, question=fields["message"], asking=asking_of(request, fields)),
            body=fields,
            field="message",
            written=written,
        )

    def _whole(self, conversation: Conversation) -> dict[str, Any]:
        return self._detail(conversation, reading.history(conversation))

    @staticmethod
    def _detail(conversation: Conversation, messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return ConversationDetailSerializer(conversation, context={"messages": messages}).data
