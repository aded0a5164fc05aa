"""Conversations and messages as the API takes and gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import serializers

from documents.fields import StringField
from documents.models import Document
from llm.providers import registry

from .models import Conversation, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_DOCUMENTS = 1_000


class CitationSerializer(serializers.Serializer[dict[str, Any]]):
    """Where a statement of a reply comes from. Offsets count characters."""

    start = serializers.IntegerField(help_text="The cited statement in the reply: its first character.")
    end = serializers.IntegerField(help_text="One past its last character.")
    document_id = serializers.IntegerField()
    filename = serializers.CharField()
    chunk_id = serializers.IntegerField()
    page = serializers.IntegerField(allow_null=True)
    quote = serializers.CharField(help_text="The sentence of the document that supports the statement.")
    quote_start = serializers.IntegerField(help_text="The quote in the document's text: its first character.")
    quote_end = serializers.IntegerField(help_text="One past its last character.")
    score = serializers.FloatField(help_text="How well the passage matched the question, 0 to 1.")


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A question or a reply."""

    citations = CitationSerializer(many=True, read_only=True)
    sibling_ids = serializers.ListField(
        child=serializers.IntegerField(),
        read_only=True,
        help_text="The messages with the same parent, itself included, oldest first: its branches.",
    )

    class Meta:
        model = Message
        fields = (
            "id",
            "conversation_id",
            "parent_id",
            "role",
            "content",
            "status",
            "tokens_used",
            "model_used",
            "citations",
            "grounded",
            "cached",
            "error",
            "feedback",
            "created_at",
            "sibling_ids",
        )
        read_only_fields = fields
        extra_kwargs = {  # noqa: RUF012  DRF's own convention
            "parent_id": {"allow_null": True},
            "grounded": {
                "help_text": "Whether passages of the documents were found to answer from. Null for questions, for "
                "replies in `open` mode and for failed ones."
            },
            "cached": {"help_text": "Whether the answer was kept from before; no model was asked and no token used."},
            "error": {"help_text": "Why the reply failed."},
            "tokens_used": {"help_text": "Prompt and completion tokens, as the provider counted them."},
            "model_used": {"help_text": "`offline` when no model is configured; null when no model answered."},
        }

    def to_representation(self, instance: Message) -> dict[str, Any]:
        """Written out, because a reply's fields are plain values and this is on the path of every turn."""
        return {name: getattr(instance, name) for name in self.Meta.fields}


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation, as a list shows it."""

    document_ids = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, read_only=True, help_text="Null when the mode is `open`."
    )
    summary = serializers.CharField(allow_null=True, read_only=True)

    class Meta:
        model = Conversation
        fields = (
            "id",
            "user_id",
            "title",
            "mode",
            "created_at",
            "updated_at",
            "message_count",
            "document_ids",
            "summary",
        )
        read_only_fields = fields

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        """Written out, see `MessageSerializer.to_representation`."""
        body = {name: getattr(instance, name) for name in ConversationSerializer.Meta.fields}
        body["summary"] = body["summary"] or None
        return body


class ConversationDetailSerializer(ConversationSerializer):
    """A conversation with its active history, oldest message first: the `messages` of the context, written already."""

    messages = MessageSerializer(many=True, read_only=True)

    class Meta(ConversationSerializer.Meta):
        fields = (*ConversationSerializer.Meta.fields, "messages")  # type: ignore[assignment]

    def to_representation(self, instance: Conversation) -> dict[str, Any]:
        messages: Sequence[dict[str, Any]] = self.context["messages"]
        body = super().to_representation(instance) | {"messages": messages}
        if instance.summarized_through not in {message["id"] for message in messages}:
            body["summary"] = None  # it was made of another branch
        return body


class TurnSerializer(serializers.Serializer[Any]):
    """A question and its reply."""

    user_message = MessageSerializer()
    assistant_message = MessageSerializer()


class MessagePageSerializer(serializers.Serializer[Any]):
    """A stretch of the active history, oldest message first."""

    messages = MessageSerializer(many=True)
    has_more = serializers.BooleanField(help_text="Whether older messages exist.")


def message_field(**kwargs: Any) -> StringField:
    """A user's text: kept as it was written, but not blank and not longer than `MAX_MESSAGE_CHARS`."""
    return StringField(max_length=settings.MAX_MESSAGE_CHARS, trim_whitespace=False, **kwargs)


class UsableDocuments(serializers.ListField):
    """Document ids to the documents: each must be visible to the caller and ready. The order is kept."""

    child = serializers.IntegerField(min_value=1, max_value=2**63 - 1)

    def to_internal_value(self, data: Any) -> list[Document]:
        ids: list[int] = list(dict.fromkeys(super().to_internal_value(data)))
        user = self.context["request"].user
        found = Document.objects.visible_to(user).only("id", "status").in_bulk(ids)
        if missing := [pk for pk in ids if pk not in found]:
            raise serializers.ValidationError(f"No document with ID {missing[0]} exists.")
        if waiting := [pk for pk in ids if found[pk].status != Document.Status.READY]:
            raise serializers.ValidationError(f"Document {waiting[0]} is {found[waiting[0]].status}, not ready.")
        return [found[pk] for pk in ids]


class AskingSerializer(serializers.Serializer[Any]):
    """How a reply is asked for."""

    model = StringField(
        required=False,
        max_length=200,
        help_text="The model that is asked first, as `GET /models` names it; the others stand by.",
    )
    stream = serializers.BooleanField(
        default=False, help_text="Answer with events, as `Accept: text/event-stream` does too."
    )

    def validate_model(self, value: str) -> str:
        try:
            return registry.configured_model(value)
        except LookupError as exc:
            raise serializers.ValidationError(str(exc)) from exc


class NewConversationSerializer(AskingSerializer):
    """What starts a conversation."""

    first_message = message_field()
    mode = serializers.ChoiceField(choices=Conversation.Mode.choices, default=Conversation.Mode.OPEN)
    document_ids = UsableDocuments(
        required=False,
        allow_null=True,
        max_length=MAX_DOCUMENTS,
        help_text="What to ground replies in; needed when the mode is `rag`, checked and then left aside when `open`.",
    )

    def validate_first_message(self, value: str) -> str:
        return not_blank(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["mode"] == Conversation.Mode.RAG and not attrs.get("document_ids"):
            raise serializers.ValidationError({"document_ids": "A rag conversation needs at least one document."})
        return attrs


class NewMessageSerializer(AskingSerializer):
    """A user's next message."""

    message = message_field()

    def validate_message(self, value: str) -> str:
        return not_blank(value)


class ConversationPatchSerializer(serializers.Serializer[Any]):
    """What can be changed of a conversation."""

    title = StringField(max_length=Conversation.TITLE_LENGTH, required=False)
    document_ids = UsableDocuments(required=False, allow_empty=False, max_length=MAX_DOCUMENTS)

    def validate_document_ids(self, value: list[Document]) -> list[Document]:
        conversation: Conversation = self.context["conversation"]
        if not conversation.is_grounded:
            raise serializers.ValidationError("An open conversation has no documents.")
        return value


class FeedbackSerializer(serializers.Serializer[Any]):
    """What the user thinks of a reply."""

    feedback = serializers.ChoiceField(choices=Message.Feedback.choices, allow_null=True)


class BranchSerializer(serializers.Serializer[Any]):
    """The branch that history and context follow."""

    message_id = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, help_text="A message of the branch; it is followed to its newest end."
    )


class EventsParams(serializers.Serializer[Any]):
    """The query parameters of a reply's events."""

    starting_after = serializers.RegexField(
        r"^(\d{1,4}\.)?\d{1,9}$", required=False, help_text="The `id` of the last event that came."
    )


class DetailParams(serializers.Serializer[Any]):
    """The query parameters of a conversation."""

    messages = serializers.IntegerField(
        min_value=1, max_value=200, required=False, help_text="How many of the newest messages come with it; else all."
    )


class HistoryParams(serializers.Serializer[Any]):
    """The query parameters of a stretch of history."""

    limit = serializers.IntegerField(
        min_value=1, max_value=200, default=50, help_text="How many messages to give at most."
    )
    before = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, required=False, help_text="The id of the message before which to stop."
    )


class ExportParams(serializers.Serializer[Any]):
    """The query parameters of an export."""

    as_ = serializers.ChoiceField(choices=["markdown", "json"], default="markdown")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"as": super().get_fields()["as_"]}  # `as` is a keyword in Python


def not_blank(value: str) -> str:
    """Refuse a text of white space only, which `trim_whitespace=False` lets through."""
    if not value.strip():
        raise serializers.ValidationError("This field may not be blank.", code="blank")
    return value
