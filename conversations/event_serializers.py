"""The events of a stream, for the OpenAPI document: what each is called and what its data holds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from .serializers import CitationSerializer, MessageSerializer


def named(*names: str) -> serializers.CharField:
    """The event's name, one of these."""

    @extend_schema_field({"type": "string", "enum": list(names)})
    class Name(serializers.CharField):
        pass

    return Name()


class PositionedSerializer(serializers.Serializer[Any]):
    """What every event has."""

    id = serializers.CharField(help_text="The position behind it, to read on from.")


class CreatedDataSerializer(serializers.Serializer[Any]):
    """The ids of the turn that was opened."""

    conversation_id = serializers.IntegerField()
    user_message_id = serializers.IntegerField()
    assistant_message_id = serializers.IntegerField()


class DeltaDataSerializer(serializers.Serializer[Any]):
    """The next piece of the reply. Offsets count characters."""

    offset = serializers.IntegerField(help_text="Where in the reply it begins.")
    text = serializers.CharField()


class EndDataSerializer(serializers.Serializer[Any]):
    """The whole message, as it is stored."""

    message = MessageSerializer(allow_null=True, help_text="Null when the conversation was deleted meanwhile.")
    detail = serializers.CharField(required=False, help_text="Why there is no message.")


class MessageCreatedEventSerializer(PositionedSerializer):
    """The first event: which turn it is."""

    event = named("message.created")
    data = CreatedDataSerializer()  # type: ignore[assignment]  # the standard's name, as below


class MessageDeltaEventSerializer(PositionedSerializer):
    """A piece of the reply."""

    event = named("message.delta")
    data = DeltaDataSerializer()  # type: ignore[assignment]


class MessageRestartedEventSerializer(PositionedSerializer):
    """Discard the text so far: another model begins anew."""

    event = named("message.restarted")
    data = serializers.DictField(help_text="Empty.")  # type: ignore[assignment]


class MessageCitationEventSerializer(PositionedSerializer):
    """A citation of the finished text."""

    event = named("message.citation")
    data = CitationSerializer()  # type: ignore[assignment]


class MessageEndedEventSerializer(PositionedSerializer):
    """The last event: how the reply ended."""

    event = named("message.completed", "message.failed", "message.cancelled")
    data = EndDataSerializer()  # type: ignore[assignment]


EVENT = PolymorphicProxySerializer(
    component_name="Event",
    serializers={
        "message.created": MessageCreatedEventSerializer,
        "message.delta": MessageDeltaEventSerializer,
        "message.restarted": MessageRestartedEventSerializer,
        "message.citation": MessageCitationEventSerializer,
        "message.completed": MessageEndedEventSerializer,
        "message.failed": MessageEndedEventSerializer,
        "message.cancelled": MessageEndedEventSerializer,
    },
    resource_type_field_name="event",
)
