"""Takes files in: checks and stores the bytes, has the text extracted and indexed, and says what went wrong."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from .errors import DocumentChanged, ExtractionError
from .extraction.stored import extract_stored
from .files import check_upload, delete_after_commit
from .indexing import index_document, title_of
from .memory import give_back_memory
from .models import Document
from .versions import same_bytes

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
        read: reads the document; `process` without it, `queue.read_soon` for callers that need not wait.

    Returns:
        The document and whether it is new. It is `ready`, or `failed` with the reason in `error`; `pending` or
        `processing` when `read` left it to a worker or another caller is at work on the same bytes.

    Raises:
        RejectedFile: nothing was stored.
    """
    upload = check_upload(file, filename=filename)
    document, created = same_bytes(owner.pk if owner else None, upload), False
    if document is None:
        document, created = _store(upload, owner=owner, metadata=metadata)
    elif _is_unfinished(document):
        return _try_again(document, upload, metadata=metadata, read=read or process), False
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
        extracted = extract_stored(document)
        document.report(progress=INDEXING)
        index_document(document, extracted)
        give_back_memory(after=document.char_count)
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


def _is_unfinished(document: Document) -> bool:
    """Whether reading it failed, or was cut off."""
    if document.status in {Document.Status.PENDING, Document.Status.PROCESSING}:
        return timezone.now() - document.updated_at > STUCK_AFTER
    return document.status == Document.Status.FAILED


def _try_again(
    document: Document, upload: Upload, *, metadata: dict[str, Any], read: Callable[[Document], Document]
) -> Document:
    """Read a file anew that could not be read before: its name, which chooses between kinds of text, may be better."""
    storage, old_name = document.file.storage, document.file.name or ""
    row = Document.objects.filter(pk=document.pk, version=document.version, updated_at=document.updated_at)
    with ExitStack() as undo:
        document.take(upload, metadata=metadata or None)
        undo.callback(storage.delete, document.file.name or "")
        new = {name: getattr(document, name) for name in Document.FILE_FIELDS}
        new |= {"status": Document.Status.PENDING, "progress": 0, "error": "", "updated_at": timezone.now()}
        if not row.update(**new):
            document.refresh_from_db()  # somebody else tries again
            return document
        undo.pop_all()
    delete_after_commit(storage, old_name)
    for name, value in new.items():
        setattr(document, name, value)
    return read(document)


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
            if (first := same_bytes(document.owner_id, upload)) is None:
                raise
            return first, False
        undo.pop_all()
    return document, True
