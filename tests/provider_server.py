"""A provider on loopback that speaks Groq's wire format, faults included, over real sockets.

    groq.will(status(429, retry_after=1), reply("Hello"))   # the next two calls, whoever makes them
    groq.always(hang(), model="small")                      # every call for this model that nothing else is planned for
    groq.requests[0].body["messages"]

What is not planned is answered with `reply()`. Any process can call it at `groq.url`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    Behaviour = Callable[["Connection"], None]

PROVIDER_KEY = "gsk_0123456789abcdefghijklmnop"
STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int
    at: float

    @property
    def model(self) -> str:
        return str(self.body["model"])


def chat_completion(text: str | None = "Hello.", **changes: Any) -> dict[str, Any]:
    """A body as Groq sends it for a success; `changes` replace top-level fields."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "served-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        **changes,
    }


def reply(text: str | None = "Hello.", *, after: float = 0.0, **changes: Any) -> Behaviour:
    """A success; `after` seconds."""
    return body(chat_completion(text, **changes), after=after)


def body(content: Any, *, media_type: str = "application/json", after: float = 0.0) -> Behaviour:
    """200 with any body: bytes as they are, everything else as JSON."""

    def behave(connection: Connection) -> None:
        connection.pause(after)
        connection.answer(200, content, media_type=media_type)

    return behave


def status(code: int, *, retry_after: float | str | None = None, message: str = "no", error: str = "") -> Behaviour:
    """An error as Groq words it; `error` is its code."""

    def behave(connection: Connection) -> None:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        connection.answer(code, {"error": {"message": message, "type": "test", "code": error}}, headers=headers)

    return behave


def broken_json() -> Behaviour:
    """200 and half an object."""
    return body(b'{"id": "chatcmpl-1", "choices": [')


def html() -> Behaviour:
    """200 and a page, as a captive proxy sends it."""
    return body(b"<html><body>Please log in</body></html>", media_type="text/html")


def hang() -> Behaviour:
    """Nothing, until the test is over."""

    def behave(connection: Connection) -> None:
        connection.pause(60)

    return behave


def cut() -> Behaviour:
    """The connection ends in the middle of the body."""

    def behave(connection: Connection) -> None:
        content = json.dumps(chat_completion()).encode()
        connection.head(200, {"content-type": "application/json", "content-length": str(len(content))})
        connection.wfile.write(content[: len(content) // 2])
        connection.close_connection = True

    return behave


def drip(*, head_too: bool = False) -> Behaviour:
    """A success, a byte at a time, so that no single read is slow."""

    def behave(connection: Connection) -> None:
        content = json.dumps(chat_completion()).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n".encode()
        if not head_too:
            connection.wfile.write(head)
        for byte in head + content if head_too else content:
            connection.wfile.write(bytes([byte]))
            if connection.pause(STEP_SECONDS):
                return

    return behave


class Connection(BaseHTTPRequestHandler):
    """One connection of a client, kept alive as HTTP/1.1 does."""

    protocol_version = "HTTP/1.1"
    server: ProviderServer

    def setup(self) -> None:
        super().setup()
        self.number = self.server.connected()

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.received = Received(self.path, dict(self.headers.items()), content, self.number, time.monotonic())
        self.server.plan(self.received)(self)

    def head(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(
        self, code: int, content: Any, *, media_type: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.head(code, {"content-type": media_type, "content-length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def pause(self, seconds: float) -> bool:
        """Wait, but not beyond the server's life; whether that is over."""
        ended = self.server.ended.wait(seconds)
        self.close_connection = self.close_connection or ended
        return ended

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the client gave up first, as it should when we are slow
            self.close_connection = True

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class ProviderServer(ThreadingHTTPServer):
    """The scripted provider; a context manager that serves while it is open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self._scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.requests: list[Received] = []
        self.connections = 0
        self.ended = threading.Event()
        self._planned: dict[str | None, deque[Behaviour]] = defaultdict(deque)
        self._always: dict[str | None, Behaviour] = {None: reply()}
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    def will(self, *behaviours: Behaviour, model: str | None = None) -> None:
        """Answer the next calls (for a model) so, one behaviour a call."""
        self._planned[model].extend(behaviours)

    def always(self, behaviour: Behaviour, *, model: str | None = None) -> None:
        """Answer every call (for a model) so when nothing is planned."""
        self._always[model] = behaviour

    def connected(self) -> int:
        """Count a new connection; its number, from 1."""
        with self._lock:
            self.connections += 1
            return self.connections

    def plan(self, request: Received) -> Behaviour:
        """Keep the request and say what it gets."""
        with self._lock:
            self.requests.append(request)
            for model in (request.model, None):
                if self._planned[model]:
                    return self._planned[model].popleft()
            return self._always.get(request.model, self._always[None])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()
