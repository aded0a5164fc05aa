"""From a file to a document that is ready, and back to nothing when it is deleted."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from botgpt.accounts.models import User
from documents.errors import DocumentChanged, DuplicateFile, EmptyFile, ExtractionError, FileTooLarge
from documents.files import local_path, safe_filename
from documents.ingestion import UNEXPECTED, add_document, process
from documents.models import Chunk, Document
from documents.versions import replace_file
from tests.documents import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings


def add(owner: User | None, data: bytes, name: str = "notes.txt", **metadata: Any) -> tuple[Document, bool]:
    return add_document(owner=owner, file=ContentFile(data), filename=name, metadata=metadata)


def stored_bytes(document: Document) -> bytes:
    with document.file.open() as file:
        data: bytes = file.read()
    return data


def stored_files(settings: Settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


# --- Adding -----------------------------------------------------------------------------------


def test_a_file_becomes_a_document_that_is_ready_with_its_text_and_chunks(alice: User) -> None:
    data = files.pdf("Lamps may be returned.", "Bulbs may not.")
    document, created = add(alice, data, "policy.pdf", team="support")
    document.refresh_from_db()
    assert created
    assert (document.owner, document.filename, document.metadata) == (alice, "policy.pdf", {"team": "support"})
    assert (document.status, document.progress, document.error) == ("ready", 100, "")
    assert (document.media_type, document.size, document.page_count) == ("application/pdf", len(data), 2)
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert document.char_count == len(document.content)
    assert document.chunk_count == document.chunks.count() > 0
    assert all(document.content[c.start : c.end] == c.text for c in document.chunks.all())
    assert stored_bytes(document) == data


def test_the_stored_file_has_a_name_of_ours(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"text", "../../etc/passwd")
    (path,) = stored_files(settings)
    assert document.filename == "passwd"
    assert "passwd" not in str(path)
    assert path.is_relative_to(settings.MEDIA_ROOT)


def test_the_same_bytes_of_the_same_owner_are_stored_once(alice: User, bob: User, settings: Settings) -> None:
    first, _ = add(alice, b"the same", "a.txt")
    again, created = add(alice, b"the same", "b.txt")
    assert (again.pk, again.filename, created) == (first.pk, "a.txt", False)
    assert len(stored_files(settings)) == 1
    others = {add(owner, b"the same")[0].pk for owner in (bob, None)}
    assert first.pk not in others
    assert add(None, b"the same")[1] is False


def test_a_file_that_cannot_be_read_is_kept_with_the_reason(alice: User, settings: Settings) -> None:
    document, created = add(alice, files.pdf("x", password="secret"), "a.pdf")
    document.refresh_from_db()
    assert created
    assert document.status == "failed"
    assert "password" in document.error
    assert document.progress < 100
    assert document.chunk_count == document.chunks.count() == 0
    assert len(stored_files(settings)) == 1


def test_a_failed_document_is_tried_again_under_a_better_name(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    failed, _ = add(alice, b"{not json", "a.json")
    assert failed.status == "failed"
    with django_capture_on_commit_callbacks(execute=True):
        still, created = add(alice, b"{not json", "b.json")
    assert (still.pk, still.status, created) == (failed.pk, "failed", False)
    with django_capture_on_commit_callbacks(execute=True):
        ready, created = add(alice, b"{not json", "a.txt", team="support")
    ready.refresh_from_db()
    assert (ready.pk, ready.status, ready.filename, created) == (failed.pk, "ready", "a.txt", False)
    assert (ready.error, ready.metadata, ready.content) == ("", {"team": "support"}, "{not json")
    assert len(stored_files(settings)) == 1


def test_work_that_was_cut_off_is_taken_up_again_but_not_work_that_goes_on(alice: User) -> None:
    document, _ = add(alice, b"text")
    Document.objects.update(status="processing", content="", updated_at=timezone.now())
    assert add(alice, b"text")[0].status == "processing"
    Document.objects.update(updated_at=timezone.now() - dt.timedelta(minutes=11))
    assert add(alice, b"text")[0].status == "ready"
    assert Document.objects.get(pk=document.pk).content == "text"


def test_a_file_that_got_lost_is_stored_again_with_the_next_upload(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"text")
    Path(document.file.path).unlink()
    Document.objects.update(status="failed")
    again, _ = add(alice, b"text")
    assert again.status == "ready"
    assert stored_bytes(again) == b"text"


def test_empty_and_oversized_files_are_refused_and_nothing_is_stored(alice: User, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1_000
    with pytest.raises(EmptyFile):
        add(alice, b"")
    with pytest.raises(FileTooLarge):
        add(alice, b"x" * 1_001)
    add(alice, b"x" * 1_000)
    assert Document.objects.count() == len(stored_files(settings)) == 1


@pytest.mark.django_db(transaction=True)  # a foreign key is checked when the transaction ends
def test_no_file_is_left_behind_when_the_row_cannot_be_written(settings: Settings) -> None:
    with pytest.raises(IntegrityError):
        add(User(pk=999, username="ghost"), b"text")
    assert stored_files(settings) == []


def test_an_unexpected_error_is_noted_in_the_row_and_not_hidden(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"text")
    Document.objects.update(status="failed", media_type="text/unheard-of")
    document.refresh_from_db()
    settings.EXTRACTION_SECONDS = "soon"
    with pytest.raises(TypeError):
        process(document)
    document.refresh_from_db()
    assert (document.status, document.error) == ("failed", UNEXPECTED)


# --- Reading again ----------------------------------------------------------------------------


def test_processing_can_be_repeated(alice: User) -> None:
    document, _ = add(alice, b"One sentence. " * 200)
    before = list(document.chunks.values_list("position", "start", "end", "text"))
    process(Document.objects.get(pk=document.pk))
    document.refresh_from_db()
    assert list(document.chunks.values_list("position", "start", "end", "text")) == before
    assert (document.status, document.chunk_count) == ("ready", len(before))


def test_a_ready_document_keeps_its_text_when_it_cannot_be_read_any_more(alice: User) -> None:
    document, _ = add(alice, b"The old text.")
    Path(document.file.path).unlink()
    process(document)
    document.refresh_from_db()
    assert (document.status, document.content) == ("ready", "The old text.")
    assert document.error == "The stored file is missing. Upload it again."


def test_a_document_that_is_deleted_while_it_is_read_stays_deleted(alice: User) -> None:
    document, _ = add(alice, b"text")
    stale = Document.objects.get(pk=document.pk)
    document.delete()
    with pytest.raises(Document.DoesNotExist):
        process(stale)
    assert not Chunk.objects.exists()


# --- New versions -----------------------------------------------------------------------------


def replace(document: Document, data: bytes, name: str = "new.txt") -> Document:
    return replace_file(document, file=ContentFile(data), filename=name, metadata=None)


def test_a_new_version_replaces_text_chunks_and_file(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    document, _ = add(alice, b"The old text.", team="support")
    with django_capture_on_commit_callbacks(execute=True):
        replace(document, b"The new text.")
    document.refresh_from_db()
    assert (document.version, document.content, document.filename) == (2, "The new text.", "new.txt")
    assert document.sha256 == hashlib.sha256(b"The new text.").hexdigest()
    assert document.metadata == {"team": "support"}
    assert [chunk.text for chunk in document.chunks.all()] == ["The new text."]
    assert [path.read_bytes() for path in stored_files(settings)] == [b"The new text."]


def test_a_new_version_that_cannot_be_read_changes_nothing(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"The old text.")
    before = Document.objects.values().get()
    with pytest.raises(ExtractionError):
        replace(document, files.pdf("x", password="secret"), "new.pdf")
    assert Document.objects.values().get() == before
    assert [path.read_bytes() for path in stored_files(settings)] == [b"The old text."]


def test_a_new_version_with_the_bytes_of_another_document_is_refused(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"one")
    other, _ = add(alice, b"two")
    with pytest.raises(DuplicateFile, match=f"Document {other.pk} "):
        replace(document, b"two")
    assert len(stored_files(settings)) == 2


def test_of_two_new_versions_at_once_the_later_is_refused(alice: User, settings: Settings) -> None:
    document, _ = add(alice, b"one")
    stale = Document.objects.get(pk=document.pk)
    replace(document, b"two")
    with pytest.raises(DocumentChanged):
        replace(stale, b"three")
    document.refresh_from_db()
    assert (document.content, document.version) == ("two", 2)
    assert sorted(path.read_bytes() for path in stored_files(settings)) == [b"one", b"two"]  # one goes on commit


def test_work_on_an_old_version_does_not_come_back_over_a_new_one(alice: User) -> None:
    document, _ = add(alice, b"one")
    stale = Document.objects.get(pk=document.pk)
    replace(document, b"two")
    assert process(stale).content == "two"
    document.refresh_from_db()
    assert [chunk.text for chunk in document.chunks.all()] == ["two"]


# --- Deleting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "delete",
    [
        pytest.param(lambda: Document.objects.get().delete(), id="one by one"),
        pytest.param(lambda: Document.objects.all().delete(), id="in bulk"),
        pytest.param(lambda: User.objects.get().delete(), id="with its owner"),
    ],
)
def test_a_stored_file_goes_with_its_document_when_the_deletion_is_committed(
    alice: User,
    settings: Settings,
    django_capture_on_commit_callbacks: Callable[..., Any],
    delete: Callable[[], Any],
) -> None:
    add(alice, b"text")
    with django_capture_on_commit_callbacks(execute=True):
        delete()
        assert len(stored_files(settings)) == 1
    assert stored_files(settings) == []


def test_a_deletion_that_is_rolled_back_keeps_the_file(
    alice: User, settings: Settings, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    document, _ = add(alice, b"text")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        document.delete()
        transaction.set_rollback(True)
    assert len(stored_files(settings)) == 1


# --- Names and places -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("/etc/passwd", "passwd"),
        (r"C:\Users\me\notes.txt", "notes.txt"),
        ("..", ""),
        ("a/..", ""),
        ("", ""),
        (" \t\n", ""),
        ("\0\x1b", ""),
        ("bad\r\nname\0.txt", "bad name .txt"),
        ("gnp\u202etxt.exe", "gnp txt.exe"),
        ("Größe 价格 (1).txt", "Größe 价格 (1).txt"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_a_name_to_show_has_no_folders_and_nothing_invisible(name: str, safe: str) -> None:
    assert safe_filename(name) == safe
    assert len(safe) <= 255


class Elsewhere(Storage):
    """A storage that is no folder of this machine, like S3."""

    def _open(self, name: str, mode: str) -> ContentFile[bytes]:
        return ContentFile(f"{name} opened as {mode}".encode())


def test_a_file_that_is_stored_elsewhere_is_read_from_a_copy() -> None:
    with local_path(Elsewhere(), "a") as path:
        assert path.read_bytes() == b"a opened as rb"
    assert not path.exists()
