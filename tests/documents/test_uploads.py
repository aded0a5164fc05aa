"""Uploading, as a client meets it."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from documents.models import Document
from tests.documents import files
from tests.documents.calls import BASE, FIELDS, TEXT, refused, send, upload

if TYPE_CHECKING:
    from pytest_django import Settings


FORM_WITHOUT_FILE = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nonly text\r\n--x--'


def test_an_uploaded_file_is_a_document(api: APIClient) -> None:
    response = upload(api, metadata='{"team": "support", "size": 1.5}')
    assert response.status_code == 201
    body = response.json()
    assert set(body) == FIELDS
    created_at = body.pop("created_at")
    assert created_at.endswith("Z")
    assert abs(dt.datetime.fromisoformat(created_at) - timezone.now()) < dt.timedelta(minutes=1)
    assert body.pop("file_path").startswith("documents/")
    assert body == {
        "id": Document.objects.get().pk,
        "filename": "hours.txt",
        "status": "ready",
        "progress": 100,
        "error": None,
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "char_count": len(TEXT),
        "page_count": None,
        "chunk_count": 1,
        "metadata": {"team": "support", "size": 1.5},
        "shared": False,
    }


def test_a_text_in_json_is_a_document(api: APIClient) -> None:
    response = send(api, filename="hours.md", content="# Hours\n\n" + TEXT, metadata={"team": "support"})
    assert response.status_code == 201
    body = response.json()
    assert (body["filename"], body["status"], body["metadata"]) == ("hours.md", "ready", {"team": "support"})
    assert api.get(f"{BASE}/{body['id']}").json()["content"] == "# Hours\n\n" + TEXT


def test_a_text_keeps_its_spaces_and_characters(api: APIClient) -> None:
    content = '  indented 😀 "quoted" \\ \t价格\n\n'
    body = send(api, filename="a.txt", content=content).json()
    assert api.get(f"{BASE}/{body['id']}").json()["content"] == content


def test_the_same_bytes_again_give_the_document_that_is_there(api: APIClient, stranger: APIClient) -> None:
    first = upload(api).json()
    again = send(api, filename="other.txt", content=TEXT)
    assert (again.status_code, again.json()) == (200, first)
    assert upload(stranger).status_code == 201


def test_a_pdf_and_a_docx_of_several_pages_are_read(api: APIClient) -> None:
    pdf = upload(api, files.pdf("The shop opens at nine.", "It closes at six."), "hours.pdf").json()
    assert (pdf["status"], pdf["page_count"]) == ("ready", 2)
    docx = upload(api, files.word(("Hours", 1), *[f"Paragraph {n} of many. " * 20 for n in range(50)]), "a.docx").json()
    assert (docx["status"], docx["page_count"]) == ("ready", None)
    assert docx["chunk_count"] > 10
    assert {chunk["page"] for chunk in api.get(f"{BASE}/{pdf['id']}/chunks").json()["chunks"]} == {1}


def test_a_file_that_cannot_be_read_is_a_failed_document_that_says_why(api: APIClient) -> None:
    response = upload(api, files.pdf("x", password="secret"), "locked.pdf")
    assert response.status_code == 201
    body = response.json()
    assert body["status"] == "failed"
    assert body["error"] == "The file is protected with a password. Remove the protection and upload it again."
    assert [document["error"] for document in api.get(BASE).json()["documents"]] == [body["error"]]


@pytest.mark.parametrize(
    ("name", "data", "status", "code", "says"),
    [
        ("a.txt", b"", 400, "invalid_request", "file: The file is empty."),
        ("a.pdf", b"<html>", 400, "invalid_request", "file: The name ends in .pdf, like a PDF document, but "),
        ("a.txt", b"\x7fELF\x02\x01\x01\0", 415, "unsupported_media_type", "This is a program (ELF); what can be "),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0", 415, "unsupported_media_type", "This is a PNG image; what can be read is "),
        ("a.txt", b"x" * 1_001, 413, "payload_too_large", "The file has more than 1,000 bytes."),
    ],
)  # fmt: skip
def test_a_file_that_is_not_taken_is_refused_with_the_reason_and_not_kept(
    api: APIClient, settings: Settings, name: str, data: bytes, status: int, code: str, says: str
) -> None:
    settings.MAX_UPLOAD_BYTES = 1_000
    body = refused(upload(api, data, name), status, code)
    assert body["detail"].startswith(says)
    assert ("file" in body.get("fields", {})) == (status == 400)
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filename"),
        ({"filename": "a.txt"}, "content"),
        ({"content": "x"}, "filename"),
        ({"filename": "a.txt", "content": ""}, "content"),
        ({"filename": "a.txt", "content": None}, "content"),
        ({"filename": "a.txt", "content": ["x"]}, "content"),
        ({"filename": "a.txt", "content": "nul \0"}, "content"),
        ({"filename": "", "content": "x"}, "filename"),
        ({"filename": "../..", "content": "x"}, "filename"),
        ({"filename": "x" * 256, "content": "x"}, "filename"),
        ({"filename": "a.pdf", "content": "not a pdf"}, "content"),
        ({"filename": "a.txt", "content": "x", "metadata": []}, "metadata"),
        ({"filename": "a.txt", "content": "x", "metadata": "{}"}, "metadata"),
        ({"filename": "a.txt", "content": "x", "metadata": None}, "metadata"),
    ],
)
def test_a_bad_text_upload_is_refused_by_its_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    assert field in refused(send(api, **body))["fields"]
    assert not Document.objects.exists()


BAD_METADATA = [
    ("[]", "must be a JSON object"),
    ("null", "null"),
    ('{"a": "\\u0000"}', "NUL"),
    ('{"\\u0000": 1}', "NUL"),
    ('{"a": ' * 21 + "1" + "}" * 21, "20 levels"),
    ('{"a": "' + "x" * 17_000 + '"}', "16,384 bytes"),
]


@pytest.mark.parametrize(("metadata", "says"), BAD_METADATA)
def test_metadata_is_a_small_object_that_every_database_can_keep(api: APIClient, metadata: str, says: str) -> None:
    in_form = refused(upload(api, metadata=metadata))
    body = f'{{"filename": "a.txt", "content": "x", "metadata": {metadata}}}'
    in_json = refused(api.generic("POST", BASE, body, content_type="application/json"))
    assert says in in_json["fields"]["metadata"][0]
    assert in_form["fields"] == in_json["fields"] or metadata == "null"


@pytest.mark.parametrize(
    "metadata", ["", "{", "no", '{"a": 1e999}', '{"a": NaN}', '{"a": "\\ud800"}', '{"a": ' + "[" * 100_000]
)
def test_metadata_in_a_form_is_read_as_strictly_as_a_json_body(api: APIClient, metadata: str) -> None:
    assert refused(upload(api, metadata=metadata))["fields"] == {"metadata": ["Value must be valid JSON."]}


def test_metadata_up_to_the_limits_is_kept_as_it_is(api: APIClient) -> None:
    metadata: dict[str, Any] = {
        "text": "Größe 😀",
        "n": -(2**63) + 1,
        "f": 1e300,
        "b": False,
        "none": None,
        "list": [1, {}],
    }
    assert send(api, filename="a.txt", content="x", metadata=metadata).json()["metadata"] == metadata


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("text/plain", b"hello", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", b"file=x", 415, "unsupported_media_type"),
        ("application/json", b'{"filename": ', 400, "malformed_json"),
        ("application/json", b"[]", 400, "invalid_request"),
        ("multipart/form-data", b"no boundary", 400, "invalid_request"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense", 400, "invalid_request"),
        ("multipart/form-data; boundary=x", FORM_WITHOUT_FILE, 400, "invalid_request"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_upload_is_refused(
    api: APIClient, content_type: str, body: Any, status: int, code: str
) -> None:
    refused(api.generic("POST", BASE, body, content_type=content_type), status, code)
