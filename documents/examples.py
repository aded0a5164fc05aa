"""Examples for the OpenAPI document: the requests and answers that the guide shows."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

DOCUMENT = {
    "id": 6,
    "filename": "hours.txt",
    "file_path": "documents/3f/3f0c9a52b7e14a0f8e1d2c3b4a596877",
    "status": "ready",
    "progress": 100,
    "error": None,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "char_count": 69,
    "page_count": None,
    "chunk_count": 1,
    "metadata": {"team": "support"},
    "shared": False,
    "created_at": "2026-01-01T12:00:00Z",
}
CONTENT = "The shop opens at nine and closes at six. On Sundays it stays closed."
FAILED = DOCUMENT | {
    "filename": "scan.pdf",
    "status": "failed",
    "progress": 10,
    "error": "The file is protected with a password. Remove the protection and upload it again.",
    "char_count": 0,
    "chunk_count": 0,
}
CHUNK = {
    "id": 61,
    "document_id": 6,
    "position": 0,
    "start": 0,
    "end": 69,
    "page": None,
    "heading": "",
    "text": CONTENT,
}
HIT = {"chunk": CHUNK | {"filename": "hours.txt"}, "score": 1.0, "keyword_rank": 1, "vector_rank": 1}

TEXT_UPLOAD = OpenApiExample(
    "A text",
    {"filename": "hours.txt", "content": CONTENT, "metadata": {"team": "support"}},
    request_only=True,
    media_type="application/json",
)
FORM_UPLOAD = OpenApiExample(
    "A file",
    {"file": "hours.txt", "metadata": '{"team": "support"}'},
    description="`file` is the file itself.",
    request_only=True,
    media_type="multipart/form-data",
)
LIST = [OpenApiExample("A document", DOCUMENT, response_only=True)]
ADD = [
    TEXT_UPLOAD,
    FORM_UPLOAD,
    OpenApiExample("Read", DOCUMENT, response_only=True, status_codes=["201"]),
    OpenApiExample("Not readable", FAILED, response_only=True, status_codes=["201"]),
    OpenApiExample("The same bytes again", DOCUMENT, response_only=True, status_codes=["200"]),
]
READ = [OpenApiExample("A document", DOCUMENT | {"content": CONTENT}, response_only=True)]
CHUNKS = [OpenApiExample("A chunk", CHUNK | {"token_count": 18}, response_only=True)]
STRETCH = [
    OpenApiExample("A sentence", {"start": 0, "end": 41, "char_count": 69, "text": CONTENT[:41]}, response_only=True)
]
CHANGE = [
    OpenApiExample("Rename", {"filename": "opening-hours.txt"}, request_only=True),
    OpenApiExample("Renamed", DOCUMENT | {"filename": "opening-hours.txt"}, response_only=True),
]
REPLACE = [TEXT_UPLOAD, FORM_UPLOAD, OpenApiExample("The new version", DOCUMENT, response_only=True)]
DOWNLOAD = [OpenApiExample("The file", CONTENT, response_only=True, media_type="application/octet-stream")]
SEARCH = [
    OpenApiExample("A question", {"query": "When does the shop open?", "limit": 3}, request_only=True),
    OpenApiExample("Found", {"hits": [HIT]}, response_only=True),
]
