"""New versions of a document: read at once, or kept beside the old one until a worker has read them."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.core.files.base import File
from django.db import IntegrityError
from django.utils import timezone

from .errors import DocumentChanged, DuplicateFile, ExtractionError
from .extraction.stored import extract_stored
from .files import check_upload, delete_after_commit
from .indexing import index_document
from .models import Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from .files import Upload


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
    upload = _checked(document, file, filename=filename)
    old_name, storage = document.file.name or "", document.file.storage
    with ExitStack() as undo:
        document.take(upload, metadata=metadata)
        undo.callback(storage.delete, document.file.name or "")
        _read(document)
        undo.pop_all()
    delete_after_commit(storage, old_name)
    return document


def replace_later(
    document: Document,
    *,
    file: File[bytes],
    filename: str,
    metadata: dict[str, Any] | None,
    hand_over: Callable[[int, str], bool],
) -> bool:
    """Keep a new version with the document until a worker has read it; the next one takes its place.

    Args:
        metadata: None keeps it.
        hand_over: tells a worker of the document and the stored file; False if that cannot be.

    Returns:
        Whether a worker will read it; else nothing was changed.

    Raises:
        RejectedFile: it is not taken, or is another document of the same owner.
        DocumentChanged: it was deleted.
    """
    upload = _checked(document, file, filename=filename)
    storage, earlier = document.file.storage, document.staged
    new = Document(owner_id=document.owner_id, metadata=document.metadata)
    new.take(upload, metadata=metadata)
    name = new.file.name or ""
    staged = {field: getattr(new, field) for field in Document.FILE_FIELDS} | {"file": name}
    row = Document.objects.filter(pk=document.pk)
    if not row.update(staged=staged, error="", updated_at=timezone.now()):
        storage.delete(name)
        raise DocumentChanged
    if not hand_over(document.pk, name):
        row.filter(staged__file=name).update(staged=None)
        storage.delete(name)
        return False
    if earlier:
        storage.delete(earlier["file"])
    document.staged, document.error = staged, ""
    return True


def read_staged(pk: int, name: str) -> None:
    """Read the version that is kept as this file, and put it in the old one's place, or say why not in `error`.

    Safe to repeat: what was done, or overtaken by a newer version, is left alone.
    """
    document = Document.objects.light().filter(pk=pk, staged__file=name).first()
    if document is None or document.staged is None:
        return
    old_name, storage = document.file.name or "", document.file.storage
    for field, value in document.staged.items():
        setattr(document, field, value)
    document.staged = None
    try:
        _read(document)
    except (ExtractionError, DuplicateFile) as exc:
        _give_up(pk, name, reason=str(exc))
        storage.delete(name)
    except DocumentChanged:
        _give_up(pk, name, reason="The document was changed while the new version was read. Upload it again.")
        storage.delete(name)
    else:
        delete_after_commit(storage, old_name)


def same_bytes(owner_id: int | None, upload: Upload) -> Document | None:
    """The owner's document that has these bytes, if there is one."""
    return Document.objects.light().filter(owner=owner_id, sha256=upload.sha256).first()


def _checked(document: Document, file: File[bytes], *, filename: str) -> Upload:
    upload = check_upload(file, filename=filename)
    twin = same_bytes(document.owner_id, upload)
    if twin is not None and twin.pk != document.pk:
        raise DuplicateFile(f"Document {twin.pk} has the same content.")
    return upload


def _read(document: Document) -> None:
    """Index the file that a document has just taken, and write the row."""
    extracted = extract_stored(document)
    try:
        index_document(document, extracted, new_version=(*Document.FILE_FIELDS, "staged"))
    except IntegrityError as exc:
        raise DuplicateFile("Another document has the same content.") from exc


def _give_up(pk: int, name: str, *, reason: str) -> None:
    Document.objects.filter(pk=pk, staged__file=name).update(staged=None, error=reason, updated_at=timezone.now())
