"""Calls of the document endpoints, and what their answers must have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile

if TYPE_CHECKING:
    from rest_framework.test import APIClient

BASE = "/api/v1/documents"
FIELDS = {
    "id", "filename", "file_path", "status", "progress", "error", "sha256", "char_count", "page_count", "chunk_count",
    "metadata", "shared", "created_at",
}  # fmt: skip
TEXT = "The shop opens at nine and closes at six. On Sundays it stays closed."


def upload(api: APIClient, data: bytes = TEXT.encode(), name: str = "hours.txt", **fields: str) -> Any:
    return api.post(BASE, {"file": SimpleUploadedFile(name, data), **fields}, format="multipart")


def send(api: APIClient, **body: Any) -> Any:
    return api.post(BASE, body, format="json")


def get(api: APIClient, address: str, **query: Any) -> Any:
    return api.get(address, query)


def downloaded(response: Any) -> bytes:
    """The whole file; reading it to its end closes it."""
    return b"".join(response.streaming_content)


def refused(response: Any, status: int = 400, code: str = "invalid_request") -> dict[str, Any]:
    """The error body."""
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["error"]
    assert body["detail"]
    return body


def search(api: APIClient, query: str, **body: Any) -> list[dict[str, Any]]:
    response = api.post(f"{BASE}/search", {"query": query, **body}, format="json")
    assert response.status_code == 200, response.content
    hits: list[dict[str, Any]] = response.json()["hits"]
    return hits
