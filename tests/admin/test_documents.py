"""Documents in the admin: uploaded many at once, shared, read anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from documents.models import Document
from documents.search import search_chunks
from tests.builders import conversation_of, document_of

from .conftest import staff_client

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoCaptureOnCommitCallbacks

    from botgpt.accounts.models import User

    from .conftest import World

LIST = "/admin/documents/document/"


def upload(browser: Client, *files: SimpleUploadedFile, owner: User | None) -> str:
    """The page that follows the upload."""
    fields = {"files": list(files), "owner": owner.pk if owner else ""}
    return browser.post(f"{LIST}add/", fields, follow=True).content.decode()


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def change(browser: Client, document: Document, **fields: object) -> str:
    given = {"filename": document.filename, "owner": document.owner_id or "", "metadata": "{}"}
    return browser.post(f"{LIST}{document.pk}/change/", given | fields, follow=True).content.decode()


def test_two_files_are_uploaded_at_once_and_ready(admin_client: Client, alice: User) -> None:
    page = upload(admin_client, file("a.txt", b"One text"), file("b.md", b"# Two\n\nTexts"), owner=alice)
    assert list(Document.objects.order_by("id").values_list("filename", "owner", "status", "chunk_count")) == [
        ("a.txt", alice.pk, "ready", 1),
        ("b.md", alice.pk, "ready", 1),
    ]
    assert page.count("is ready, chunks: 1.") == 2


def test_each_file_has_its_own_outcome_and_a_bad_one_stops_no_other(admin_client: Client, alice: User) -> None:
    document_of(alice, "Known text", filename="known.txt")
    page = upload(
        admin_client,
        file("empty.txt", b""),
        file("program.exe", b"MZ\x90\x00\x03\x00\x00\x00"),
        file("broken.pdf", b"%PDF-1.7 and nothing more"),
        file("again.txt", b"Known text"),
        file("good.txt", b"Some text"),
        owner=alice,
    )
    assert "empty.txt was not taken. The file is empty." in page
    assert "program.exe was not taken." in page
    assert "broken.pdf</a> cannot be read." in page
    assert "known.txt</a> is there already: ready." in page
    assert "good.txt</a> is ready" in page
    assert Document.objects.count() == 3


def test_a_document_without_an_owner_is_shared(admin_client: Client, bob: User) -> None:
    upload(admin_client, file("a.txt", b"One text"), owner=None)
    assert [d.shared for d in Document.objects.visible_to(bob)] == [True]
    assert "everyone" in admin_client.get(LIST).content.decode()


def test_an_upload_without_files_asks_for_some(admin_client: Client) -> None:
    assert "This field is required." in upload(admin_client, owner=None)


def test_uploading_needs_the_permission_and_the_csrf_token(alice: User) -> None:
    viewer = staff_client("documents.view_document")
    assert viewer.post(f"{LIST}add/", {"files": [file("a.txt", b"Text")]}).status_code == 403
    uploader = staff_client("documents.add_document", "documents.view_document", "accounts.view_user")
    uploader.handler.enforce_csrf_checks = True
    assert uploader.post(f"{LIST}add/", {"files": [file("a.txt", b"Text")]}).status_code == 403
    assert not Document.objects.exists()


def test_the_page_of_a_document_shows_its_state_and_chunks(admin_client: Client, world: World) -> None:
    page = admin_client.get(f"{LIST}{world.document.pk}/change/").content.decode()
    assert "The warranty of the Alta is three years." in page
    assert "characters 0 to 40" in page


def test_a_document_is_read_anew_by_a_post_alone(admin_client: Client, world: World) -> None:
    address = reverse("admin:documents_document_reindex", args=[world.document.pk])
    world.document.chunks.all().delete()
    assert admin_client.get(address).status_code == 403
    assert not world.document.chunks.exists()
    page = admin_client.post(address, follow=True).content.decode()
    assert "manual.txt: ready, chunks: 1." in page
    assert world.document.chunks.count() == 1


def test_documents_are_read_anew_from_the_list_and_failures_are_told(admin_client: Client, alice: User) -> None:
    good, lost = document_of(alice, "One"), document_of(alice, "Two", filename="lost.txt")
    lost.file.delete(save=False)
    fields = {"action": "reindex_selected", "_selected_action": [good.pk, lost.pk]}
    page = admin_client.post(LIST, fields, follow=True).content.decode()
    assert "notes.txt: ready, chunks: 1." in page
    assert "lost.txt: The stored file is missing." in page


def test_the_file_is_downloaded_as_it_was_uploaded_never_shown(admin_client: Client) -> None:
    page = b"<html><body><script>alert(1)</script><p>Text</p></body></html>"
    upload(admin_client, file("page.html", page), owner=None)
    address = reverse("admin:documents_document_file", args=[Document.objects.get().pk])
    response = admin_client.get(address)
    assert b"".join(response) == page
    assert response["Content-Disposition"] == 'attachment; filename="page.html"'


def test_a_document_that_gets_an_owner_leaves_the_conversations_of_others(
    admin_client: Client, alice: User, bob: User
) -> None:
    shared = document_of(None, "For everyone")
    hers, his = (conversation_of(user, documents=[shared]) for user in (alice, bob))
    change(admin_client, shared, owner=alice.pk)
    assert list(hers.documents.all()) == [shared]
    assert list(his.documents.all()) == []


def test_sharing_what_is_shared_already_is_refused_in_words(admin_client: Client, alice: User) -> None:
    document_of(None, "The same")
    own = document_of(alice, "The same")
    page = change(admin_client, own, owner="")
    assert "A document with the very same bytes is there already." in page
    own.refresh_from_db()
    assert own.owner == alice


def test_deleting_documents_deletes_their_files(
    admin_client: Client, alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    one, other = document_of(alice, "One"), document_of(alice, "Two")
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(f"{LIST}{one.pk}/delete/", {"post": "yes"})
        admin_client.post(LIST, {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"})
    assert not Document.objects.exists()
    assert not [document for document in (one, other) if Path(document.file.path).exists()]


def test_a_renamed_document_is_found_by_its_new_name(admin_client: Client, alice: User) -> None:
    document = document_of(alice, "Opens at nine.", filename="notes.txt")
    change(admin_client, document, filename="giraffe.txt")
    assert search_chunks("giraffe", document_ids=[document.pk]).hits[0].keyword_rank == 1
