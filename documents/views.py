"""The document endpoints: each validates, makes one call into the domain, and writes the answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, mixins, status
from rest_framework.decorators import action
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from . import examples, ingestion
from .connections import release_connection
from .embeddings.calls import booked_to
from .errors import DocumentChanged, ExtractionError, FileTooLarge, RejectedFile, UnsupportedFile
from .filters import DocumentFilter
from .models import Document
from .queue import read_soon, replace_soon
from .search import search_chunks
from .serializers import (
    ChunkSerializer,
    DocumentDetailSerializer,
    DocumentPatchSerializer,
    DocumentSerializer,
    FileUploadSerializer,
    HitsSerializer,
    SearchSerializer,
    StretchParams,
    StretchSerializer,
    TextUploadSerializer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from rest_framework.parsers import BaseParser
    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from botgpt.accounts.models import User

# It also keeps openapi-python-client from taking the body for one that may be left out.
REQUEST_ID = OpenApiParameter(
    "X-Request-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="An id by which the server's logs name this upload. Without it the server makes one.",
)
UPLOAD = {"multipart/form-data": FileUploadSerializer, "application/json": TextUploadSerializer}


class PayloadTooLarge(exceptions.APIException):
    """413: the file is larger than the server keeps."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    error = "Payload too large"


class Conflict(exceptions.APIException):
    """409: two callers changed the document at once."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class SharedIsReadOnly(BasePermission):
    """A document that is shared with everyone is changed in the admin, not here."""

    message = "A shared document cannot be changed through the API."

    def has_object_permission(self, request: Request, view: APIView, obj: Document) -> bool:
        return request.method in SAFE_METHODS or not obj.shared


class AnythingAccepted(DefaultContentNegotiation):
    """A stored file is what it is, whatever the caller would rather have; errors are JSON."""

    accepts_anything = True

    def select_renderer(
        self,
        request: Request,
        renderers: Any,
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class DocumentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, GenericViewSet[Any]):
    """Documents of the caller, and those shared with everyone."""

    queryset = Document.objects.light().newest_first()
    serializer_class = DocumentSerializer
    permission_classes = (*GenericViewSet.permission_classes, SharedIsReadOnly)
    results_name = "documents"
    cursor_field = "created_at"
    read_actions = ("search",)
    lookup_value_converter = "int"
    limits: ClassVar = {"create": "uploads", "replace": "uploads"}
    extra_errors: ClassVar = {
        "create": {"404": "The document was deleted while it was read: `not_found`"},
        "replace": {"409": "The document was changed or deleted at the same time: `conflict`"},
    }

    @property
    def filterset_class(self) -> type[DocumentFilter] | None:
        """Only the list is filtered; elsewhere the id says which document is meant."""
        return DocumentFilter if self.action == "list" else None

    def get_parsers(self) -> list[BaseParser]:
        """JSON, and forms for uploads alone."""
        action = getattr(self, "action", None) or self.action_map.get((self.request.method or "").lower())
        return [*super().get_parsers(), *([MultiPartParser()] if action in {"create", "replace"} else [])]

    @property
    def caller(self) -> User:
        return self.request.user  # type: ignore[return-value]  # nobody else gets this far

    def get_queryset(self) -> QuerySet[Document]:
        queryset = super().get_queryset()
        return queryset.defer(None).defer("keyword_index") if self.action == "retrieve" else queryset

    @extend_schema(
        summary="List documents, newest first",
        description="Your own, and those shared with everyone. Without their text.",
        examples=examples.LIST,
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Upload a document",
        description=(
            "The file is read and indexed before the answer is sent. Where a worker does it, the answer says `pending` "
            "and the document shows its `progress`. What it is, is told from its bytes; the name only chooses between "
            "kinds of text. A file that cannot be read is kept with the status `failed` and the reason in `error`. The "
            "same bytes again are 200 with the document that is there."
        ),
        parameters=[REQUEST_ID],
        request=UPLOAD,
        responses={200: DocumentSerializer, 201: DocumentSerializer},
        examples=examples.ADD,
    )
    def create(self, request: Request) -> Response:
        body = self._upload(request)
        with _in_terms_of_http(part=body.part):
            document, created = ingestion.add_document(
                owner=self.caller,
                file=body.validated_data["file"],
                filename=body.validated_data["filename"],
                metadata=body.validated_data.get("metadata") or {},
                read=read_soon,
            )
        code = status.HTTP_201_CREATED if created else status.HTTP_200_OK
        return Response(DocumentSerializer(document).data, status=code)

    @extend_schema(
        summary="Read a document with its text",
        description="`content` is the text that was found in the file; citations and passages count its characters.",
        responses={200: DocumentDetailSerializer},
        examples=examples.READ,
    )
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        return Response(DocumentDetailSerializer(self.get_object()).data)

    @extend_schema(
        summary="Rename a document, or change its metadata",
        description="What is not given stays. Passages are found by the name too, so a new one is indexed.",
        request=DocumentPatchSerializer,
        responses={200: DocumentSerializer},
        examples=examples.CHANGE,
    )
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        document = self.get_object()
        body = DocumentPatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with _in_terms_of_http():
            document = ingestion.change_document(document, **body.validated_data)
        return Response(DocumentSerializer(document).data)

    @extend_schema(
        summary="Delete a document, its file and its passages",
        description="Conversations lose it; citations that were given keep their quote.",
        responses={204: OpenApiResponse(description="It is gone")},
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().destroy(request, *args, **kwargs)

    @extend_schema(
        summary="List the passages that a document was cut into",
        description="In their order in the text. `content[start:end]` of the document is `text`.",
        responses={200: ChunkSerializer(many=True)},
        examples=examples.CHUNKS,
    )
    @action(detail=True, results_name="chunks", cursor_field="")
    def chunks(self, request: Request, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_object().chunks.order_by("position"))
        return self.get_paginated_response(ChunkSerializer(page, many=True).data)

    @extend_schema(
        summary="Read a stretch of a document's text",
        description="`content[start:end]`, counted in characters, as citations and passages name it.",
        operation_id="documents_text",
        parameters=[StretchParams],
        responses={200: StretchSerializer},
        examples=examples.STRETCH,
    )
    @action(detail=True, pagination_class=None)
    def text(self, request: Request, **kwargs: Any) -> Response:
        document = self.get_object()
        params = StretchParams(data=request.query_params.dict())
        params.is_valid(raise_exception=True)
        start, end = (min(params.validated_data[name], document.char_count) for name in ("start", "end"))
        text = document.stretch(start, end)
        return Response({"start": start, "end": end, "char_count": document.char_count, "text": text})

    @extend_schema(
        summary="Download a document's file as it was uploaded",
        description="Always as `application/octet-stream` and an attachment, so that no browser acts on it.",
        operation_id="documents_download",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        examples=examples.DOWNLOAD,
    )
    @action(detail=True, url_path="file", content_negotiation_class=AnythingAccepted)
    def download(self, request: Request, **kwargs: Any) -> FileResponse:
        document = self.get_object()
        release_connection()  # a bucket may take its time
        # Never under its own type: the file comes from someone else, and a browser would act on it.
        return FileResponse(
            document.file.open("rb"),
            as_attachment=True,
            filename=document.filename,
            content_type="application/octet-stream",
        )

    @extend_schema(
        summary="Upload a new version of a document",
        operation_id="documents_replace",
        description=(
            "Text, passages and file change at once when the new version has been read. If it cannot be read, the "
            "answer is 400 and the old version stays. Citations that point to the old version keep their quote.\n\n"
            "Where a worker reads it, this is 202 with the old version. When the new one is there, `sha256` is its; "
            "if it cannot be read, `error` says why, and the document stays as it was."
        ),
        parameters=[REQUEST_ID],
        request=UPLOAD,
        responses={200: DocumentSerializer, 202: DocumentSerializer},
        examples=examples.REPLACE,
    )
    @download.mapping.put
    def replace(self, request: Request, **kwargs: Any) -> Response:
        document = self.get_object()
        body = self._upload(request)
        with _in_terms_of_http(part=body.part):
            document, is_there = replace_soon(
                document,
                file=body.validated_data["file"],
                filename=body.validated_data["filename"],
                metadata=body.validated_data.get("metadata"),
            )
        code = status.HTTP_200_OK if is_there else status.HTTP_202_ACCEPTED
        return Response(DocumentSerializer(document).data, status=code)

    @extend_schema(
        summary="Search in documents",
        description="The best passages by keywords and by meaning, best first. Asks no model.",
        operation_id="documents_search",
        request=SearchSerializer,
        responses={200: HitsSerializer},
        examples=examples.SEARCH,
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def search(self, request: Request) -> Response:
        body = SearchSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        ids = body.validated_data.get("document_ids")
        if ids is None:
            ids = list(Document.objects.visible_to(self.caller).ready().order_by("pk").values_list("pk", flat=True))
        with booked_to(self.caller.pk):
            result = search_chunks(body.validated_data["query"], document_ids=ids, limit=body.validated_data["limit"])
        return Response(HitsSerializer(result).data)

    @staticmethod
    def _upload(request: Request) -> FileUploadSerializer | TextUploadSerializer:
        is_form = (request.content_type or "").startswith(MultiPartParser.media_type)
        body = (FileUploadSerializer if is_form else TextUploadSerializer)(data=request.data)
        body.is_valid(raise_exception=True)
        return body


@contextmanager
def _in_terms_of_http(*, part: str = "file") -> Iterator[None]:
    """Translate what the domain raises; `part` is the field that the file came in."""
    try:
        yield
    except FileTooLarge as exc:
        raise PayloadTooLarge(str(exc)) from exc
    except UnsupportedFile as exc:
        raise exceptions.UnsupportedMediaType("", detail=str(exc)) from exc
    except DocumentChanged as exc:
        raise Conflict(f"{exc} Try again.") from exc
    except Document.DoesNotExist as exc:
        raise exceptions.NotFound("The document was deleted meanwhile.") from exc
    except (RejectedFile, ExtractionError) as exc:
        raise exceptions.ValidationError({part: str(exc)}) from exc
