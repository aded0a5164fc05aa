"""Who may do what with a document, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from botgpt.accounts.models import ApiKey
from documents.models import Document
from tests.builders import document_of
from tests.documents.calls import BASE, TEXT, downloaded, refused, search, upload

if TYPE_CHECKING:
    from botgpt.accounts.models import User


def every_call(api: APIClient, pk: object) -> list[Any]:
    return [
        api.get(f"{BASE}/{pk}"),
        api.get(f"{BASE}/{pk}/chunks"),
        api.get(f"{BASE}/{pk}/text"),
        api.get(f"{BASE}/{pk}/file"),
        *writes(api, pk),
    ]


def writes(api: APIClient, pk: object) -> list[Any]:
    return [
        api.patch(f"{BASE}/{pk}", {"filename": "x"}, format="json"),
        api.put(f"{BASE}/{pk}/file", {"filename": "x.txt", "content": "x"}, format="json"),
        api.delete(f"{BASE}/{pk}"),
    ]


def test_a_strangers_document_does_not_exist(stranger: APIClient, alice: User) -> None:
    document = document_of(alice, TEXT)
    for response in every_call(stranger, document.pk):
        body = refused(response, 404, "not_found")
        assert body["error"] == "Document not found"
        assert body["detail"] == f"No document with ID {document.pk} exists"
    assert Document.objects.values_list("filename", "content").get() == ("notes.txt", TEXT)


@pytest.mark.parametrize("pk", [999, 10**30, "9" * 5_000, "x", "-1", "1.5", "1/", "%00"])
def test_an_address_without_a_document_is_404(api: APIClient, pk: object) -> None:
    for response in every_call(api, pk):
        refused(response, 404, "not_found")


def test_a_shared_document_is_read_by_everyone_and_changed_by_nobody(api: APIClient) -> None:
    document = document_of(None, TEXT)
    assert api.get(f"{BASE}/{document.pk}").json()["content"] == TEXT
    assert api.get(f"{BASE}/{document.pk}/chunks").json()["total"] == 1
    assert downloaded(api.get(f"{BASE}/{document.pk}/file")) == TEXT.encode()
    for response in writes(api, document.pk):
        body = refused(response, 403, "permission_denied")
        assert body["detail"] == "A shared document cannot be changed through the API."
    assert Document.objects.values_list("filename", "content").get() == ("notes.txt", TEXT)


def test_a_caller_without_credentials_gets_nothing(alice: User) -> None:
    nobody = APIClient()
    for response in (nobody.get(BASE), upload(nobody), *every_call(nobody, document_of(alice, TEXT).pk)):
        refused(response, 401, "not_authenticated")


def test_an_api_key_for_reading_reads_and_searches_and_writes_nothing(alice: User) -> None:
    document = document_of(alice, TEXT)
    _, token = ApiKey.objects.issue(user=alice, name="reader", scopes=["read"])
    reader = APIClient(headers={"Authorization": f"Bearer {token}"})
    assert reader.get(f"{BASE}/{document.pk}").status_code == 200
    assert len(search(reader, "shop")) == 1
    for response in (upload(reader), *writes(reader, document.pk)):
        refused(response, 403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("put", BASE), ("patch", BASE), ("delete", BASE),
        ("post", f"{BASE}/{{}}"), ("put", f"{BASE}/{{}}"),
        ("post", f"{BASE}/{{}}/chunks"), ("delete", f"{BASE}/{{}}/chunks"),
        ("post", f"{BASE}/{{}}/file"), ("delete", f"{BASE}/{{}}/file"), ("patch", f"{BASE}/{{}}/file"),
        ("get", f"{BASE}/search"), ("put", f"{BASE}/search"),
    ],
)  # fmt: skip
def test_a_method_that_is_not_there_is_405(api: APIClient, alice: User, method: str, address: str) -> None:
    response = getattr(api, method)(address.format(document_of(alice, TEXT).pk))
    refused(response, 405, "method_not_allowed")
    assert "Allow" in response
