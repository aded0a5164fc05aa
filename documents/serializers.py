"""Documents, chunks and hits as the API takes and gives them."""

from __future__ import annotations

from itertools import chain
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.core.files.base import ContentFile
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .fields import StringField
from .files import MAX_FILENAME, safe_filename
from .models import Chunk, Document

MAX_DOCUMENTS = 1_000
MAX_HITS = 50
MAX_METADATA_BYTES = 16 * 2**10
MAX_METADATA_DEPTH = 20
MAX_INTEGER = 2**63
MAX_STRETCH = 100_000


@extend_schema_field({"type": "object", "additionalProperties": True, "example": {"team": "support"}})
class MetadataField(serializers.JSONField):
    """A small JSON object, or such an object as a string in a form. PostgreSQL keeps no NUL, so none is taken."""

    default_error_messages: ClassVar = {
        "not_an_object": "This must be a JSON object.",
        "too_large": f"This may have at most {MAX_METADATA_BYTES:,} bytes as JSON.",
        "too_deep": f"This may be nested at most {MAX_METADATA_DEPTH} levels deep.",
        "nul": "Texts may not contain NUL characters.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if getattr(data, "is_json_string", False):
            try:
                data = orjson.loads(str(data))  # as strict as the parser of JSON bodies
            except orjson.JSONDecodeError:
                self.fail("invalid")
        if not isinstance(data, dict):
            self.fail("not_an_object")
        self._check(data, depth=1)
        if len(orjson.dumps(data)) > MAX_METADATA_BYTES:
            self.fail("too_large")
        return data

    def _check(self, value: Any, *, depth: int) -> None:
        if isinstance(value, str) and "\0" in value:
            self.fail("nul")
        if isinstance(value, dict | list):
            if depth > MAX_METADATA_DEPTH:
                self.fail("too_deep")
            for item in chain(value, value.values()) if isinstance(value, dict) else value:
                self._check(item, depth=depth + 1)


class FilenameField(StringField):
    """A name to show: folders and control characters are taken out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_FILENAME, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        sent = super().to_internal_value(data)
        if len(sent) > MAX_FILENAME:
            self.fail("max_length", max_length=MAX_FILENAME)
        if not (name := safe_filename(sent)):
            self.fail("blank")
        return name


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """A document, as a list shows it."""

    file_path = serializers.CharField(help_text="Where the server stores the file.")
    error = serializers.CharField(allow_null=True, help_text="Why the file could not be read.")
    shared = serializers.BooleanField(help_text="Everyone may read and cite it; nobody changes it through the API.")
    metadata = MetadataField()

    class Meta:
        model = Document
        fields: tuple[str, ...] = (
            "id",
            "filename",
            "file_path",
            "status",
            "progress",
            "error",
            "sha256",
            "char_count",
            "page_count",
            "chunk_count",
            "metadata",
            "shared",
            "created_at",
        )
        read_only_fields = fields
        extra_kwargs: ClassVar = {
            "page_count": {"allow_null": True, "help_text": "Null for kinds of files without pages."}
        }

    def to_representation(self, instance: Document) -> dict[str, Any]:
        """Written out, because these are plain values."""
        special = {"file_path": instance.file.name, "error": instance.error or None}
        return {name: special[name] if name in special else getattr(instance, name) for name in self.Meta.fields}


class DocumentDetailSerializer(DocumentSerializer):
    """A document with its text."""

    class Meta(DocumentSerializer.Meta):
        fields = (*DocumentSerializer.Meta.fields, "content")
        read_only_fields = fields


class ChunkSerializer(serializers.ModelSerializer[Chunk]):
    """A passage of a document's text: `content[start:end]`, counted in characters."""

    class Meta:
        model = Chunk
        fields = ("id", "document_id", "position", "start", "end", "page", "heading", "text", "token_count")
        read_only_fields = fields
        extra_kwargs: ClassVar = {"page": {"allow_null": True}}


class StretchParams(serializers.Serializer[Any]):
    """The query parameters of a stretch of text."""

    start = serializers.IntegerField(min_value=0, max_value=MAX_INTEGER - 1, default=0, help_text="Its first one.")
    end = serializers.IntegerField(
        min_value=0,
        max_value=MAX_INTEGER - 1,
        required=False,
        help_text=f"One past its last character; at most {MAX_STRETCH:,} behind `start`, and that unless told.",
    )

    def validate(self, attrs: dict[str, int]) -> dict[str, int]:
        start, end = attrs["start"], attrs.get("end", attrs["start"] + MAX_STRETCH)
        if not 0 <= end - start <= MAX_STRETCH:
            raise serializers.ValidationError({"end": f"This may be from `start` to {MAX_STRETCH:,} characters on."})
        return {"start": start, "end": end}


class StretchSerializer(serializers.Serializer[Any]):
    """A stretch of a document's text: `content[start:end]`."""

    start = serializers.IntegerField()
    end = serializers.IntegerField(help_text="Where the text ends, which may be before what was asked for.")
    char_count = serializers.IntegerField(help_text="How long the whole text is.")
    text = serializers.CharField()


class FoundChunkSerializer(serializers.Serializer[Any]):
    """A passage that a search found."""

    id = serializers.IntegerField(source="chunk_id")
    document_id = serializers.IntegerField()
    filename = serializers.CharField()
    position = serializers.IntegerField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    page = serializers.IntegerField(allow_null=True)
    heading = serializers.CharField(help_text="The path of headings above the passage.")
    text = serializers.CharField()


class HitSerializer(serializers.Serializer[Any]):
    """A passage and how well it matches."""

    chunk = FoundChunkSerializer(source="*")
    score = serializers.FloatField(help_text="0 to 1, relative to the best hit of this search.")
    keyword_rank = serializers.IntegerField(allow_null=True, help_text="Its place by keywords alone.")
    vector_rank = serializers.IntegerField(allow_null=True, help_text="Its place by meaning alone.")


class HitsSerializer(serializers.Serializer[Any]):
    """What a search found, best first."""

    hits = HitSerializer(many=True)


class FileUploadSerializer(serializers.Serializer[Any]):
    """A file in a form."""

    part = "file"
    file = serializers.FileField(allow_empty_file=True)
    metadata = MetadataField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | {"filename": attrs["file"].name}


class TextUploadSerializer(serializers.Serializer[Any]):
    """A text in JSON. It is stored as a file, like any other."""

    part = "content"
    filename = FilenameField()
    content = StringField(allow_blank=True, trim_whitespace=False)
    metadata = MetadataField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs | {"file": ContentFile(attrs["content"].encode())}


class DocumentPatchSerializer(serializers.Serializer[Any]):
    """What can be changed of a document."""

    filename = FilenameField(required=False)
    metadata = MetadataField(required=False)


class SearchSerializer(serializers.Serializer[Any]):
    """A question to the documents."""

    query = StringField(max_length=settings.MAX_MESSAGE_CHARS)
    document_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_INTEGER - 1),
        required=False,
        allow_empty=False,
        max_length=MAX_DOCUMENTS,
        help_text="Where to search; without it, in all ready documents that the caller may read.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=MAX_HITS, default=10)

    def validate_document_ids(self, value: list[int]) -> list[int]:
        user = self.context["request"].user
        found = dict(Document.objects.visible_to(user).filter(pk__in=value).values_list("pk", "status"))
        for pk in value:
            if pk not in found:
                raise serializers.ValidationError(f"No document with ID {pk} exists.")
            if found[pk] != Document.Status.READY:
                raise serializers.ValidationError(f"Document {pk} is {found[pk]}, not ready.")
        return list(found)
