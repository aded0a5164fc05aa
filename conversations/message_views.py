"""The endpoints of single messages: following a reply, stopping it, asking again, editing, and feedback."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from . import reference, turns
from .abandoned import give_up_if_abandoned
from .asking import TURN_ERRORS, EventsOrJson, answered, asking_of, branched_turn, refusals
from .models import Message
from .opening import open_edit, open_regeneration
from .places import place
from .serializers import (
    AskingSerializer,
    EventsParams,
    FeedbackSerializer,
    MessageSerializer,
    NewMessageSerializer,
)
from .streaming import Position, event_stream

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http.response import HttpResponseBase
    from rest_framework.request import Request

Role = Message.Role
LARGEST_ID = 2**63 - 1
NO_REPLY = {"400": "The message is a question, not a reply: `invalid_request`"}


@extend_schema(tags=["messages"])
class MessageViewSet(mixins.RetrieveModelMixin, GenericViewSet[Message]):
    """Messages of the caller's conversations."""

    queryset = Message.objects.select_related("conversation", "parent")
    serializer_class = MessageSerializer
    lookup_value_converter = "int"
    content_negotiation_class = EventsOrJson
    streams: ClassVar = {"events", "regenerate", "edit"}
    limits: ClassVar = {"regenerate": "turns", "edit": "turns"}
    extra_errors: ClassVar = {
        "events": NO_REPLY,
        "cancel": NO_REPLY,
        "regenerate": TURN_ERRORS,
        "edit": TURN_ERRORS,
    }

    def get_queryset(self) -> QuerySet[Message]:
        conversation_id = self.kwargs.get("conversation_id", 0)
        if conversation_id > LARGEST_ID:
            return Message.objects.none()  # SQLite could not even be asked
        return super().get_queryset().filter(conversation=conversation_id)

    @reference.MESSAGE
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        message = self.get_object()
        if give_up_if_abandoned(message):
            message.refresh_from_db()
        return self._written(message)

    @reference.FEEDBACK
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        message = self.get_object()
        body = FeedbackSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if message.role != Role.ASSISTANT:
            raise exceptions.ValidationError({"feedback": "Only replies take feedback."})
        message.feedback = body.validated_data["feedback"]
        message.save(update_fields=["feedback"])
        return self._written(message)

    @reference.FOLLOW
    @action(detail=True, pagination_class=None)
    def events(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        reply = self._reply()
        last = request.query_params.get("starting_after", request.headers.get("Last-Event-ID"))
        params = EventsParams(data={} if last is None else {"starting_after": last})
        params.is_valid(raise_exception=True)
        after = params.validated_data.get("starting_after")
        with refusals(field="starting_after"), ExitStack() as held:
            held.enter_context(place())
            position = Position.parse(after) if after is not None else None
            return event_stream(reply, after=position, close=held.pop_all().close)

    @reference.CANCEL
    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        reply = self._reply()
        turns.cancel(reply)
        return self._written(reply)

    @reference.REGENERATE
    @action(detail=True, methods=["post"], pagination_class=None)
    def regenerate(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        message = self.get_object()
        question = message if message.role == Role.USER else message.parent
        assert question is not None  # noqa: S101  a reply has its question
        body = AskingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        fields = body.validated_data
        question.conversation = message.conversation
        return answered(
            request,
            lambda: open_regeneration(question, asking=asking_of(request, fields)),
            body=fields,
            field="model",
            written=branched_turn,
        )

    @reference.EDIT
    @action(detail=True, methods=["post"], pagination_class=None)
    def edit(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        message = self.get_object()
        body = NewMessageSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if message.role != Role.USER:
            raise exceptions.ValidationError({"message": "Only questions can be edited; a reply can be regenerated."})
        fields = body.validated_data
        return answered(
            request,
            lambda: open_edit(message, question=fields["message"], asking=asking_of(request, fields)),
            body=fields,
            field="message",
            written=branched_turn,
        )

    def _reply(self) -> Message:
        message = self.get_object()
        if message.role != Role.ASSISTANT:
            raise exceptions.ValidationError(f"Message {message.pk} is a question; its reply has events.")
        return message

    @staticmethod
    def _written(message: Message) -> Response:
        Message.know_siblings([message])
        return Response(MessageSerializer(message).data)
