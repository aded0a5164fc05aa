"""What is stored of a document: the file, its text, its chunks and its two indexes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Substr
from django.utils import timezone

from .connections import release_connection
from .vector_field import MatrixField

if TYPE_CHECKING:
    from botgpt.accounts.models import User

    from .files import Upload


def upload_path(document: Document, filename: str) -> str:
    """Where a file is stored. The name is ours: what the uploader called it never reaches the file system."""
    name = uuid.uuid4().hex
    return f"documents/{name[:2]}/{name}"


class DocumentQuerySet(models.QuerySet["Document"]):
    """Finds documents by who may see them."""

    def visible_to(self, user: User) -> Self:
        """The user's own documents and those shared with everyone."""
        return self.filter(Q(owner=user) | Q(owner=None))

    def ready(self) -> Self:
        return self.filter(status=Document.Status.READY)

    def light(self) -> Self:
        """Without the columns that can hold megabytes."""
        return self.defer("content", "keyword_index")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-id")


class Document(models.Model):
    """A file and what was read from it. `owner` null means shared with everyone."""

    class Status(models.TextChoices):
        PENDING = "pending"
        PROCESSING = "processing"
        READY = "ready"
        FAILED = "failed"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="documents"
    )
    filename = models.CharField(max_length=255)
    file = models.FileField(db_column="file_path", max_length=500, upload_to=upload_path)
    media_type = models.CharField(max_length=100, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False, help_text="Bytes of the file.")
    sha256 = models.CharField(max_length=64, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING, editable=False)
    progress = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Percent.")
    error = models.TextField(blank=True, editable=False)
    char_count = models.PositiveIntegerField(default=0, editable=False)
    page_count = models.PositiveIntegerField(null=True, editable=False)
    chunk_count = models.PositiveIntegerField(default=0, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    embedding_model = models.CharField(max_length=200, blank=True, editable=False)
    staged = models.JSONField(
        null=True, editable=False, help_text="A new version that a worker is to read: `FILE_FIELDS` of it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Last, so that SQLite, which reads a row from its beginning, passes over neither of them to any other column.
    keyword_index = models.BinaryField(default=b"", editable=False)
    content = models.TextField(blank=True, editable=False)

    objects = DocumentQuerySet.as_manager()

    FILE_FIELDS = ("file", "filename", "media_type", "size", "sha256", "metadata")  # what a new file changes

    class Meta:
        db_table = "documents"
        indexes: ClassVar = [
            models.Index("owner", models.F("created_at").desc(), models.F("id").desc(), name="documents_owner_newest"),
            models.Index(  # what is waiting is counted for the metrics
                fields=["status", "updated_at"],
                condition=Q(status__in=["pending", "processing", "failed"]),
                name="documents_unready",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="documents_owner_bytes_unique"),
            models.UniqueConstraint(fields=["sha256"], condition=Q(owner=None), name="documents_shared_bytes_unique"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "ready", "failed"]), name="documents_status_known"
            ),
            models.CheckConstraint(condition=Q(progress__lte=100), name="documents_progress_percent"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def shared(self) -> bool:
        """Whether everyone may read and cite it."""
        return self.owner_id is None

    def stretch(self, start: int, end: int) -> str:
        """`content[start:end]`, of which the database sends no more than that."""
        stretch = Substr("content", start + 1, max(end - start, 0))
        return Document.objects.filter(pk=self.pk).values_list(stretch, flat=True).first() or ""

    def take(self, upload: Upload, *, metadata: dict[str, Any] | None) -> None:
        """Store the file and take over what is known of it; the row is not written, see `FILE_FIELDS`."""
        self.filename, self.media_type = upload.filename, upload.media_type
        self.size, self.sha256 = upload.size, upload.sha256
        if metadata is not None:
            self.metadata = metadata
        release_connection()  # a bucket may take its time
        self.file.save(upload.filename, upload.file, save=False)

    def report(self, *, progress: int) -> None:
        """Note how far reading the file has come, in percent. A ready document stays ready meanwhile."""
        self._note(status=self.Status.PROCESSING, progress=progress, error="")

    def fail(self, reason: str) -> None:
        """Note why the file could not be read, for the uploader. A ready document keeps its text and stays ready."""
        if not self._note(status=self.Status.FAILED, error=reason):
            self._rows().update(error=reason)
            self.error = reason

    def change(self, *, filename: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        """Change what is known of the document; None keeps it."""
        self.filename = self.filename if filename is None else filename
        self.metadata = self.metadata if metadata is None else metadata
        self.save(update_fields=["filename", "metadata", "updated_at"])

    def _note(self, **fields: Any) -> bool:
        """Change the row unless it is ready; whether it was changed."""
        fields["updated_at"] = timezone.now()
        if not self._rows().exclude(status=self.Status.READY).update(**fields):
            return False
        for name, value in fields.items():
            setattr(self, name, value)
        return True

    def _rows(self) -> DocumentQuerySet:
        """The row, as long as it is about these bytes: they may have been replaced since."""
        return Document.objects.filter(pk=self.pk, sha256=self.sha256)


class Chunk(models.Model):
    """A passage of a document: `document.content[start:end] == text`, offsets in characters."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True, help_text="Where the chunk starts.")
    page_breaks = models.JSONField(default=list, help_text="The offsets inside the chunk at which a page begins.")
    heading = models.CharField(max_length=500, blank=True, help_text="The path of headings above the chunk.")
    text = models.TextField()
    token_count = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "chunks"
        ordering: ClassVar = ["document_id", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "position"], name="chunks_document_position_unique"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="chunks_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}#{self.position}"


class DocumentVectors(models.Model):
    """The embeddings of a document's chunks, one row of the matrix a chunk, beside the document's own row."""

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="vectors")
    model = models.CharField(max_length=200)
    dimension = models.PositiveIntegerField()
    matrix = MatrixField(help_text="chunk_count x dimension, rows of length 1 or 0.")

    class Meta:
        db_table = "document_vectors"

    def __str__(self) -> str:
        return f"{self.document_id}: {self.model}"
