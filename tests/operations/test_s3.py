"""Documents whose files are in a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from documents import ingestion
from documents.models import Document
from tests.builders import document_of
from tests.s3_server import S3Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User

pytest.importorskip("storages")

DOCUMENTS = "/api/v1/documents"
TEXT = "The harbour is behind the old lighthouse."


@pytest.fixture
def bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with S3Server() as server:
        options = {
            "bucket_name": "files",
            "endpoint_url": server.url,
            "region_name": "eu-central-1",
            "location": "docs",
        }
        s3 = {"BACKEND": "botgpt.operations.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"default": s3}
        yield server


def upload(api: APIClient, text: str = TEXT) -> Any:
    return api.post(DOCUMENTS, {"file": SimpleUploadedFile("notes.txt", text.encode())}, format="multipart")


def test_a_document_is_stored_read_served_and_deleted(
    bucket: S3Server, api: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    response = upload(api)
    assert (response.status_code, response.json()["status"]) == (201, "ready")
    ((path, content),) = bucket.objects.items()
    assert path.startswith("/files/docs/documents/")
    assert content == TEXT.encode()
    address = f"{DOCUMENTS}/{response.json()['id']}"
    download = api.get(f"{address}/file")
    assert download.getvalue() == TEXT.encode()
    assert download.headers["content-length"] == str(len(TEXT))
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(address).status_code == 204
    assert bucket.objects == {}


def test_a_file_of_many_parts_arrives_whole(bucket: S3Server, db: None) -> None:
    content = bytes(range(256)) * 2**16  # 16 MiB; parts have 8
    name = default_storage.save("large", ContentFile(content))
    assert bucket.objects["/files/docs/large"] == content
    with default_storage.open(name) as file:
        assert file.read() == content


def test_a_download_is_for_those_who_may_see_the_document(
    bucket: S3Server, alice: User, api: APIClient, stranger: APIClient
) -> None:
    document = document_of(alice, TEXT)
    bucket.seen.clear()
    assert stranger.get(f"{DOCUMENTS}/{document.pk}/file").status_code == 404
    assert bucket.seen == []
    download = api.get(f"{DOCUMENTS}/{document.pk}/file")
    assert (download.status_code, download.getvalue()) == (200, TEXT.encode())


def test_no_address_in_the_bucket_is_given_out(bucket: S3Server, alice: User, api: APIClient) -> None:
    document = document_of(alice, TEXT)
    with pytest.raises(NotImplementedError):
        _ = document.file.url
    for path in (DOCUMENTS, f"{DOCUMENTS}/{document.pk}"):
        assert bucket.url not in api.get(path).content.decode()


def test_a_new_version_takes_the_place_of_the_old_file(
    bucket: S3Server, alice: User, api: APIClient, django_capture_on_commit_callbacks: Any
) -> None:
    document = document_of(alice, TEXT)
    with django_capture_on_commit_callbacks(execute=True):
        file = SimpleUploadedFile("notes.txt", b"Another text altogether.")
        assert api.put(f"{DOCUMENTS}/{document.pk}/file", {"file": file}, format="multipart").status_code == 200
    assert list(bucket.objects.values()) == [b"Another text altogether."]


@pytest.mark.parametrize("trouble", ["refusing", "away"])
def test_without_the_bucket_uploads_and_downloads_are_503_and_leave_nothing(
    bucket: S3Server, alice: User, api: APIClient, trouble: str
) -> None:
    document = document_of(alice, TEXT)
    bucket.trouble = trouble
    for response in (upload(api, "Another text."), api.get(f"{DOCUMENTS}/{document.pk}/file")):
        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"
        assert "bucket" not in response.json()["detail"]
    assert Document.objects.count() == 1
    assert api.get(f"{DOCUMENTS}/{document.pk}").json()["content"] == TEXT


def test_a_file_that_is_gone_from_the_bucket_is_told_as_one_that_is_gone_from_a_folder(
    bucket: S3Server, alice: User
) -> None:
    document = document_of(alice, TEXT)
    bucket.objects.clear()
    assert "missing" in ingestion.process(document).error
