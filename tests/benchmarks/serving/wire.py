"""The two ends of HTTP/1.1 that a benchmark needs, as cheap as can be: they share the cores with what is measured."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

import httptools

PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class Answer:
    """What came back. Times are seconds from sending the request; `mark_seconds` is when the mark had come."""

    status: int = 0
    body: bytes = b""
    seconds: float = 0.0
    mark_seconds: float | None = None


@dataclass(slots=True)
class _Pending:
    answer: Answer
    done: asyncio.Future[Answer]
    mark: bytes | None
    began: float
    parts: list[bytes] = field(default_factory=list)


class Client(asyncio.Protocol):
    """One connection, kept alive, with one request at a time; opened again when the server has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._pending: _Pending | None = None
        self._parser: httptools.HttpResponseParser | None = None

    async def ask(
        self, method: str, path: str, *, headers: str = "", body: bytes | None = None, mark: bytes | None = None
    ) -> Answer:
        """Send a request and wait for the whole answer.

        Args:
            headers: further ones, each ended by CR LF.
            mark: bytes of the body whose arrival is timed.

        Raises:
            OSError, TimeoutError: there is no whole answer.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None:
            await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        assert self._transport is not None
        if body is not None:
            headers += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\n{headers}\r\n"
        self._parser = httptools.HttpResponseParser(self)
        pending = self._pending = _Pending(Answer(), loop.create_future(), mark, time.perf_counter())
        self._transport.write(head.encode() + (body or b""))
        timer = loop.call_later(PATIENCE_SECONDS, self._give_up)
        try:
            return await pending.done
        finally:
            timer.cancel()

    def close(self) -> None:
        if self._transport:
            self._transport.close()
        self._transport = None

    def _give_up(self) -> None:
        self.close()
        self._fail(TimeoutError("no whole answer"))

    def _fail(self, exc: Exception) -> None:
        if self._pending and not self._pending.done.done():
            self._pending.done.set_exception(exc)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(exc or ConnectionError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        assert self._parser is not None
        self._parser.feed_data(data)

    def on_body(self, part: bytes) -> None:
        pending = self._pending
        assert pending is not None
        pending.parts.append(part)
        if pending.mark and pending.answer.mark_seconds is None and pending.mark in b"".join(pending.parts[-2:]):
            pending.answer.mark_seconds = time.perf_counter() - pending.began

    def on_message_complete(self) -> None:
        pending, parser = self._pending, self._parser
        assert pending is not None
        assert parser is not None
        answer = pending.answer
        answer.status, answer.body = parser.get_status_code(), b"".join(pending.parts)
        answer.seconds = time.perf_counter() - pending.began
        if not parser.should_keep_alive():
            self.close()
        if not pending.done.done():
            pending.done.set_result(answer)


class ServerConnection(asyncio.Protocol):
    """A client's connection at a server; what serves overrides `answer`, and may answer later."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self._path, self._parts = b"", list[bytes]()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        body = b"".join(self._parts)
        self._parts = []
        self.answer(self._path.decode(), body)

    def answer(self, path: str, body: bytes) -> None:
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)
