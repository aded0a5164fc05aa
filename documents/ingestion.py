"""Takes files in: checks and stores the bytes, has the text extracted and indexed, and says what went wrong."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from .errors import DocumentChanged, DuplicateFile, ExtractionError
from .extraction.sandbox import extract
from .files import check_upload, delete_after_commit, local_path
from .indexing import index_document, title_of
from .models import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.core.files import File

    from botgpt.accounts.models import User

    from .files import Upload

READING: Final = 10
INDEXING: Final = 50
# Work on a document notes its progress more often than this; one that is silent for longer was killed.
STUCK_AFTER = dt.timedelta(minutes=10)
UNEXPECTED: Final = "An unexpected error happened while the file was read. It has been logged."


def add_document(
    *,
    owner: User | None,
    file: File[bytes],
    filename: str,
    metadata: dict[str, Any],
    read: Callable[[Document], Document] | None = None,
) -> tuple[Document, bool]:
    """Store a file, read it and index it. Call it outside of transactions: reading can take half a minute.

    The same bytes of the same owner are stored once: then the document that is there is given back as it is, unless
    reading it had failed or was cut off; that is tried again, with the name and metadata given now.

    Args:
        owner: None shares the document with everyone.
        filename: what to show; its ending chooses between kinds of text.
        read: reads a new document; `process` without it, `queue.read_soon` for callers that need not wait.

    Returns:
        The document and whether it is new. It is `ready`, or `failed` with the reason in `error`; `pending` or
        `processing` when `read` left it to a worker or another caller is at work on the same bytes.

    Raises:
        RejectedFile: nothing was stored.
    """
    upload = check_upload(file, filename=filename)
    document, created = _same_bytes(owner.pk if owner else None, upload), False
    if document is None:
        document, created = _store(upload, owner=owner, metadata=metadata)
    elif _is_unfinished(document):
        return _try_again(document, upload, metadata=metadata), False
    return ((read or process)(document) if created else document), created


def process(document: Document) -> Document:
    """Read the stored file and index its text. The outcome is in the row, also when it is a failure.

    Safe to repeat, also at the same time. A document that is ready stays ready and searchable meanwhile, and keeps its
    text if it cannot be read this time.

    Raises:
        Document.DoesNotExist: it was deleted meanwhile.
    """
    document.report(progress=READING)
    with _failures_noted(document):
        with local_path(document.file.storage, document.file.name or "") as path:
            extracted = extract(path, media_type=document.media_type)
        document.report(progress=INDEXING)
        index_document(document, extracted)
    return document


def change_document(
    document: Document, *, filename: str | None = None, metadata: dict[str, Any] | None = None
) -> Document:
    """Change what is known of a document; None keeps it. Passages are found by the title too, so a new one is indexed.

    Raises:
        Document.DoesNotExist: it was deleted meanwhile.
    """
    old_title = title_of(document)
    document.change(filename=filename, metadata=metadata)
    if document.status == Document.Status.READY and title_of(document) != old_title:
        return process(document)
    return document


def replace_file(document: Document, *, file: File[bytes], filename: str, metadata: dict[str, Any] | None) -> Document:
    """Give a document a new version: text, index and file change at once, when the new one has been read.

    Until then, and if that fails, the row stays as it is.

    Args:
        metadata: None keeps it.

    Raises:
        RejectedFile: it is not taken, or is another document of the same owner.
        ExtractionError: it cannot be read.
        DocumentChanged: somebody else was faster.
    """
    upload = check_upload(file, filename=filename)
    twin = _same_bytes(document.owner_id, upload)
    if twin is not None and twin.pk != document.pk:
        raise DuplicateFile(f"Document {twin.pk} has the same content.")
    old_name, storage = document.file.name or "", document.file.storage
    with ExitStack() as undo:
        document.take(upload, metadata=metadata)
        undo.callback(storage.delete, document.file.name or "")
        with local_path(storage, document.file.name or "") as path:
            extracted = extract(path, media_type=upload.media_type)
        try:
            index_document(document, extracted, new_version=Document.FILE_FIELDS)
        except IntegrityError as exc:
            raise DuplicateFile("Another document has the same content.") from exc
        undo.pop_all()
    delete_after_commit(storage, old_name)
    return document


def _same_bytes(owner_id: int | None, upload: Upload) -> Document | None:
    return Document.objects.light().filter(owner=owner_id, sha256=upload.sha256).first()


def _is_unfinished(document: Document) -> bool:
    """Whether reading it failed, or was cut off."""
    if document.status in {Document.Status.PENDING, Document.Status.PROCESSING}:
        return timezone.now() - document.updated_at > STUCK_AFTER
    return document.status == Document.Status.FAILED


def _try_again(document: Document, upload: Upload, *, metadata: dict[str, Any]) -> Document:
    """Read a file anew that could not be read before: its name, which chooses between kinds of text, may be better."""
    document.report(progress=READING)
    with _failures_noted(document):
        replace_file(document, file=upload.file, filename=upload.filename, metadata=metadata or None)
    document.refresh_from_db()
    return document


@contextmanager
def _failures_noted(document: Document) -> Iterator[None]:
    """Put what goes wrong into the document's row, and take over what somebody else has put there meanwhile."""
    try:
        yield
    except ExtractionError as exc:
        document.fail(exc.reason)
    except DocumentChanged:
        document.refresh_from_db()
    except Exception:
        document.fail(UNEXPECTED)
        raise


def _store(upload: Upload, *, owner: User | None, metadata: dict[str, Any]) -> tuple[Document, bool]:
    """A row and its file, or the row that another caller stored first: the database decides who that is."""
    document = Document(owner=owner)
    with ExitStack() as undo:
        document.take(upload, metadata=metadata)
        undo.callback(document.file.storage.delete, document.file.name or "")
        try:
            with transaction.atomic():
                document.save(force_insert=True)
        except IntegrityError:
            if (first := _same_bytes(document.owner_id, upload)) is None:
                raise
            return first, False
        undo.pop_all()
    return document, True
