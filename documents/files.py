"""The stored bytes of a document: checked on the way in, found as a local file, gone with their row."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from .errors import EmptyFile, ExtractionError, FileTooLarge
from .extraction.detection import detect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files import File
    from django.core.files.storage import Storage

MAX_FILENAME = 255
MAX_SUFFIX = 20
UNNAMED = "document"
MISSING = "The stored file is missing. Upload it again."


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be stored: its size and kind are allowed.

    Attributes:
        filename: a display name, without path and control characters.
        sha256: of the bytes, in hex.
    """

    file: File[bytes]
    filename: str
    media_type: str
    size: int
    sha256: str


def check_upload(file: File[bytes], *, filename: str) -> Upload:
    """Look at a file before anything of it is kept.

    Raises:
        RejectedFile: it is empty, too large, of a kind that is not read, or not of the kind that its name promises.
    """
    name = safe_filename(filename) or UNNAMED
    digest = hashlib.sha256()
    size = 0
    file.seek(0)
    for block in file.chunks():
        digest.update(block)
        size += len(block)
        if size > settings.MAX_UPLOAD_BYTES:
            raise FileTooLarge(f"The file has more than {settings.MAX_UPLOAD_BYTES:,} bytes.")
    if not size:
        raise EmptyFile("The file is empty.")
    return Upload(file, name, detect(file, filename=name), size, digest.hexdigest())


def safe_filename(name: str) -> str:
    """The name without folders, control and invisible characters, at most 255 long with its suffix kept.

    Empty when nothing remains. Only shown to people: files are stored under names of our own.
    """
    base = PureWindowsPath(PurePath(name).name).name  # a name may come from either system
    visible = " ".join("".join(c if c.isprintable() else " " for c in base).split())
    if visible in {"", ".", ".."}:
        return ""
    if len(visible) <= MAX_FILENAME:
        return visible
    suffix = PurePath(visible).suffix
    return visible[: MAX_FILENAME - len(suffix)] + suffix if len(suffix) <= MAX_SUFFIX else visible[:MAX_FILENAME]


@contextmanager
def local_path(storage: Storage, name: str) -> Iterator[Path]:
    """A stored file as a local one; copied into a temporary file when the storage is not a folder.

    Raises:
        ExtractionError: the storage does not have it.
    """
    try:
        path = Path(storage.path(name))
    except NotImplementedError:
        with _fetched(storage, name) as path:
            yield path
        return
    if not path.exists():
        raise ExtractionError(MISSING)
    yield path


@contextmanager
def _fetched(storage: Storage, name: str) -> Iterator[Path]:
    try:
        source = storage.open(name)
    except FileNotFoundError as exc:
        raise ExtractionError(MISSING) from exc
    with source, tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


def delete_after_commit(storage: Storage, name: str) -> None:
    """Delete a stored file once the change that makes it useless is certain. A failure to do so is only logged."""
    if name:
        transaction.on_commit(lambda: storage.delete(name), robust=True)
