"""Nobody holds a connection to the database while a client sends or takes something, or while a file is read."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections
from django.test import RequestFactory

from botgpt.accounts.models import ApiKey
from botgpt.wsgi import application
from documents.extraction import stored
from documents.extraction.sandbox import extract

if TYPE_CHECKING:
    from collections.abc import Callable

    from botgpt.accounts.models import User

BOUNDARY = "boundary"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
    f"Content-Type: text/plain\r\n\r\nA manual.\r\n--{BOUNDARY}--\r\n"
).encode()

pytestmark = pytest.mark.django_db(transaction=True)


def is_held() -> bool:
    return connection.connection is not None


class Body(io.BytesIO):
    """What a client sends; notes whether a connection is held while it is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.held: list[bool] = []

    def read(self, *size: Any) -> bytes:
        self.held.append(is_held())
        return super().read(*size)


@pytest.fixture
def key(alice: User) -> str:
    return ApiKey.objects.issue(user=alice, name="test")[1]


@pytest.fixture
def in_thread() -> Callable[[Callable[[], None]], None]:
    """Runs something in a thread of its own, as the server does, on a connection that can be given back."""

    def run(work: Callable[[], None]) -> None:
        def connected() -> None:
            wrapper: Any = connections["default"]
            if wrapper.vendor == "sqlite":
                wrapper.is_in_memory_db = lambda: False  # else close() does nothing
            try:
                work()
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            pool.submit(connected).result()

    return run


def call(key: str, method: str, path: str, body: Body | None = None, *, media_type: str = "") -> Any:
    """The service's answer to a request, as a server takes it: it has begun, and is to be sent."""
    environ = RequestFactory().get("/").environ | {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_AUTHORIZATION": f"Bearer {key}",
        "CONTENT_TYPE": media_type,
    }
    if body is not None:
        environ |= {"wsgi.input": body, "CONTENT_LENGTH": str(len(body.getvalue()))}
    begin: Any = lambda *_: None  # noqa: E731
    answer: Any = application(environ, begin)
    return answer


def test_an_upload_holds_none_while_it_is_sent_or_read(
    key: str, in_thread: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    while_read = []

    def noted(*arguments: Any, **named: Any) -> Any:
        while_read.append(is_held())
        return extract(*arguments, **named)

    monkeypatch.setattr(stored, "extract", noted)

    def upload_and_download() -> None:
        form = Body(FORM)
        answer = call(key, "POST", "/api/v1/documents", form, media_type=f"multipart/form-data; boundary={BOUNDARY}")
        assert not is_held()
        document = json.loads(b"".join(answer))
        assert document.get("status") == "ready", document
        assert not any(form.held)
        assert while_read == [False]

        file = call(key, "GET", f"/api/v1/documents/{document['id']}/file")
        assert not is_held()
        assert b"".join(file) == b"A manual."
        file.close()

        form = Body(FORM.replace(b"A manual", b"Another"))
        path = f"/api/v1/documents/{document['id']}/file"
        answer = call(key, "PUT", path, form, media_type=f"multipart/form-data; boundary={BOUNDARY}")
        assert json.loads(b"".join(answer))["id"] == document["id"]
        assert not any(form.held)
        assert while_read == [False, False]

    in_thread(upload_and_download)


def test_a_stream_holds_none_while_its_events_are_taken(
    key: str, in_thread: Callable[[Callable[[], None]], None]
) -> None:
    def read_events() -> None:
        body = Body(b'{"first_message": "Hello", "stream": true}')
        events = iter(call(key, "POST", "/api/v1/conversations", body, media_type="application/json"))
        names = []
        for event in events:
            names.append(event.split(b"\n")[0])
            assert not is_held(), event
        assert names[-1] == b"event: message.completed"
        assert body.held == [False]

    in_thread(read_events)
