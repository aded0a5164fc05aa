"""The dry run as the API gives it: what would be sent with a question, and what would not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from documents.fields import StringField
from llm.providers import registry

from .serializers import message_field, not_blank

if TYPE_CHECKING:
    from llm.replies import Prepared


MAX_CHARS = 1_300  # in an address: its 8,190 bytes must hold them encoded, six bytes for a letter with an accent


class QuestionSerializer(serializers.Serializer[Any]):
    """The question that would be asked."""

    message = message_field()

    def validate_message(self, value: str) -> str:
        return not_blank(value)


class ContextParams(QuestionSerializer):
    """The query parameters of a dry run."""

    message = StringField(
        max_length=MAX_CHARS, trim_whitespace=False, help_text="The question that would be asked; `POST` a longer one."
    )


class SentMessageSerializer(serializers.Serializer[Any]):
    """A message as a model would get it."""

    role = serializers.ChoiceField(choices=["system", "user", "assistant"])
    content = serializers.CharField()


class TokensSerializer(serializers.Serializer[Any]):
    """Prompt tokens by part, as estimated and corrected by what providers have reported."""

    system = serializers.IntegerField()
    summary = serializers.IntegerField(help_text="0 when no summary is sent.")
    history = serializers.IntegerField()
    passages = serializers.IntegerField(help_text="0 when the mode is `open`.")
    question = serializers.IntegerField()
    total = serializers.IntegerField()


class SentPassageSerializer(serializers.Serializer[Any]):
    """A passage of a document that would be sent to answer from. Offsets count characters of the document's text."""

    number = serializers.IntegerField(help_text="What the model would cite it by.")
    document_id = serializers.IntegerField()
    filename = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    text = serializers.CharField()
    score = serializers.FloatField(help_text="How well it matches the question, 0 to 1.")
    chunk_ids = serializers.ListField(child=serializers.IntegerField())
    flags = serializers.ListField(
        child=serializers.CharField(), help_text="In which ways it reads like instructions to a model; mostly none."
    )


class ContextSerializer(serializers.Serializer[Any]):
    """What would be sent with a question, without asking a model."""

    model = serializers.CharField(help_text="The model that would be asked first.")
    messages = SentMessageSerializer(many=True)
    limit = serializers.IntegerField(help_text="The most prompt tokens a call may cost.")
    tokens = TokensSerializer()
    history_sent = serializers.IntegerField(help_text="How many earlier messages are among them, word for word.")
    summarized_through = serializers.IntegerField(
        allow_null=True, help_text="The last message that the summary stands for; null when none is sent."
    )
    dropped_through = serializers.IntegerField(
        allow_null=True, help_text="The last message that neither fits nor is summarised; null when nothing is lost."
    )
    passages = SentPassageSerializer(many=True, allow_null=True, help_text="Null when the mode is `open`.")

    def to_representation(self, instance: Prepared) -> dict[str, Any]:
        window = instance.window
        passages = instance.passages
        parts = {name: window.tokens.get(name, 0) for name in ("system", "summary", "history", "passages", "question")}
        return {
            "model": instance.model or registry.configured_models()[0],
            "messages": [{"role": message.role, "content": message.content} for message in window.messages],
            "limit": window.limit,
            "tokens": parts | {"total": sum(parts.values())},
            "history_sent": window.sent,
            "summarized_through": window.summarized_through,
            "dropped_through": window.dropped_through,
            "passages": None
            if passages is None
            else [
                {
                    **{name: getattr(passage, name) for name in ("number", "document_id", "filename", "start", "end")},
                    "text": passage.text,
                    "score": passage.score,
                    "chunk_ids": [chunk.chunk_id for chunk in passage.chunks],
                    "flags": list(passage.flags),
                }
                for passage in passages
            ],
        }
