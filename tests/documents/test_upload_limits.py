"""Uploads to a real server: bodies that are too large, and the same bytes from many callers at once."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import sqlite3
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.documents import files
from tests.service.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.running import Service

PATH = "/api/v1/documents"
MIB = 2**20
BOUNDARY = "boundary"
JSON = "application/json"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


def form(data: bytes, name: str = "a.txt") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def post(service: Service, body: Any, content_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> Any:
    """The status and the body of the answer."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    try:
        connection.request("POST", PATH, body, {"Content-Type": content_type})
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()


def assert_still_serving(service: Service) -> None:
    status, body = post(service, form(b"The next request."))
    assert (status in {200, 201}, body["status"]) == (True, "ready")
    assert service.process.poll() is None


def assert_too_large(answer: Any) -> None:
    status, body = answer
    assert status == 413
    assert (body["code"], body["error"]) == ("payload_too_large", "Payload too large")
    assert "at most" in body["detail"] or "more than" in body["detail"]
    assert body["request_id"]


@pytest.mark.parametrize("content_type", [f"multipart/form-data; boundary={BOUNDARY}", JSON])
def test_a_100_mb_upload_gets_the_error_body_and_the_next_request_an_answer(
    service: Service, content_type: str
) -> None:
    assert_too_large(post(service, form(b"x" * 100 * MIB), content_type))
    assert_still_serving(service)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("headers", [[], ["-H", "Expect: 100-continue"], ["-H", "Expect:"]])
def test_curl_shows_the_error_body_of_a_100_mb_upload(service: Service, tmp_path: Path, headers: list[str]) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(100 * MIB)
    command = ["curl", "-sS", "-w", "\n%{http_code}", *headers, "-F", f"file=@{large}", service.url + PATH]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    body, _, status = done.stdout.rpartition("\n")
    assert_too_large((int(status), json.loads(body)))
    assert_still_serving(service)


def test_a_file_just_above_the_limit_is_refused_and_one_at_the_limit_is_taken(tmp_path: Path) -> None:
    with running(tmp_path, MAX_UPLOAD_BYTES=str(MIB)) as service:
        assert_too_large(post(service, form(b"x" * (MIB + 1))))
        assert_too_large(post(service, json.dumps({"filename": "a.txt", "content": "x" * (MIB + 1)}), JSON))
        status, body = post(service, form(b"word " * (MIB // 5)))
        assert (status, body["status"]) == (201, "ready")


def test_many_large_uploads_at_once_leave_the_server_alive(service: Service) -> None:
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda _: post(service, form(b"x" * 30 * MIB)), range(8)):
            assert_too_large(answer)
    assert_still_serving(service)


def test_a_body_that_claims_to_be_larger_than_it_is_does_not_hold_the_server(service: Service) -> None:
    host, port = urlsplit(service.url).netloc.split(":")
    with socket.create_connection((host, int(port))) as liar:
        liar.sendall(f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {JSON}\r\n".encode())
        liar.sendall(b"Content-Length: 99999999999\r\n\r\nonly this")
    assert_still_serving(service)


def test_bombs_and_broken_files_are_failed_documents_and_the_server_lives(service: Service) -> None:
    for data, name in (
        (files.word_bomb(unpacked_bytes=300 * MIB), "bomb.docx"),
        (files.word_bomb(unpacked_bytes=300 * MIB, claimed_bytes=1_000), "liar.docx"),
        (files.pdf_bomb(unpacked_bytes=1_200 * MIB), "bomb.pdf"),
        (files.pdf("x", password="secret"), "locked.pdf"),
        (files.pdf("Hello")[:300], "half.pdf"),
    ):
        status, body = post(service, form(data, name))
        assert (status, body["status"]) == (201, "failed"), name
        assert body["error"].endswith(".")
    assert_still_serving(service)


def test_of_many_callers_with_the_same_bytes_exactly_one_creates_the_document(service: Service) -> None:
    text = "".join(f"Sentence {number} of many. " for number in range(5_000)).encode()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(service, form(text)), range(12)))
    assert Counter(status for status, _ in answers) == {201: 1, 200: 11}
    assert len({body["id"] for _, body in answers}) == 1
    assert post(service, form(text))[1]["status"] == "ready"


def test_every_stored_file_belongs_to_a_document(service: Service) -> None:
    with closing(sqlite3.connect(service.environment["DATABASE_URL"].removeprefix("sqlite:///"))) as database:
        named = {name for (name,) in database.execute("SELECT file_path FROM documents")}
    media = Path(service.environment["MEDIA_ROOT"])
    stored = {str(path.relative_to(media)) for path in media.rglob("*") if path.is_file()}
    assert stored == named
