"""A provider on loopback that speaks Groq's wire format, faults included, over real sockets.

    groq.will(status(429, retry_after=1), reply("Hello"))   # the next two calls, whoever makes them
    groq.will(writes("Hel", "lo", gap=0.1, end="cut"))      # a stream that breaks off
    groq.always(hang(), model="small")                      # every call for this model that nothing else is planned for
    groq.requests[0].body["messages"]

What is not planned is answered with `reply()`, which is written word by word to whoever asks for a stream. Any process
can call it at `groq.url`; under `groq.url/v1` it is any other provider of OpenAI's format.
"""

from __future__ import annotations

import json
import re
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
    whole = body(chat_completion(text, **changes), after=after)
    streamed = writes(*re.findall(r"\S+\s*|\s+", text or ""), after=after, usage=changes.get("usage"))

    def behave(connection: Connection) -> None:
        (streamed if connection.received.body.get("stream") else whole)(connection)

    return behave


class Gate:
    """Where a stream waits until the test lets it go on."""

    def __init__(self) -> None:
        self._is_open = threading.Event()

    def open(self) -> None:
        self._is_open.set()

    def wait(self) -> None:
        self._is_open.wait(timeout=25)  # a test that forgets it fails by what does not come


def writes(
    *texts: str | Gate, gap: float = 0.0, after: float = 0.0, end: str = "stop", usage: dict[str, int] | None = None
) -> Behaviour:
    """A stream of these texts, `gap` seconds apart, or held up by gates.

    Args:
        end: `stop`, as it should be; `cut`, `hang`, `error`, `nothing` (a clean end without a finish_reason) or
            `broken` (half a JSON object).
    """

    def behave(connection: Connection) -> None:
        connection.pause(after)
        connection.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        connection.event(_chunk({"role": "assistant", "content": ""}))
        for text in texts:
            if isinstance(text, Gate):
                text.wait()
                continue
            connection.event(_chunk({"content": text}))
            if gap and connection.pause(gap):
                return
        _ends(connection, end, usage or chat_completion()["usage"])

    return behave


def _chunk(delta: dict[str, Any], *, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "served-model", "choices": [choice], **more}


def _ends(connection: Connection, end: str, usage: dict[str, int]) -> None:
    match end:
        case "cut":
            connection.close_connection = True
            return
        case "hang":
            connection.pause(60)
            return
        case "error":
            connection.event({"error": {"message": "The model crashed.", "type": "server_error"}})
        case "broken":
            connection.write_chunk(b'data: {"choices": [\n\n')
        case "stop":
            if "/openai/" in connection.received.path:  # Groq has a place of its own for the usage of a stream
                connection.event(_chunk({}, finish_reason="stop", x_groq={"id": "req_1", "usage": usage}))
            else:
                connection.event(_chunk({}, finish_reason="stop"))
                if connection.received.body.get("stream_options", {}).get("include_usage"):
                    connection.event(_chunk({}) | {"choices": [], "usage": usage})
            connection.write_chunk(b"data: [DONE]\n\n")
    connection.write_chunk(b"")


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
    disable_nagle_algorithm = True  # a body is sent after its head, and would wait 40 ms for the client to confirm that
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

    def event(self, data: dict[str, Any]) -> None:
        """A piece of a stream."""
        self.write_chunk(f"data: {json.dumps(data)}\n\n".encode())

    def write_chunk(self, data: bytes) -> None:
        """A chunk of a body whose length is not known; an empty one ends it."""
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

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

    def forget(self) -> None:
        """Begin anew, for the next test: nothing is planned and nothing was asked."""
        with self._lock:
            self.requests.clear()
            self._planned.clear()
            self._always = {None: reply()}

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
