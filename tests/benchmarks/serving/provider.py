"""A provider of Groq's format that costs next to nothing, in a process of its own.

`python -m tests.benchmarks.serving.provider PORT`. A POST to /behaviour says how it answers from then on. What the
tests use, `tests.provider_server`, takes a thread for each connection and some ten times the CPU.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
import uvloop

from .wire import ServerConnection

WORDS = [f"{word} " for word in "Nothing that is said here has a meaning since only its arrival is timed".split()]
TOKENS = 30
CHARS_PER_TOKEN = 4
FIRST_WORD = WORDS[0].strip()

# Seconds before the answer (of a stream, before its first token) and between the tokens of a stream.
behaviour = {"wait": 0.0, "gap": 0.0}
_loop: asyncio.AbstractEventLoop


def _text() -> str:
    return "".join(WORDS[number % len(WORDS)] for number in range(TOKENS)).strip()


def _usage(messages: list[dict[str, Any]]) -> dict[str, int]:
    prompt = sum(len(message["content"]) // CHARS_PER_TOKEN + CHARS_PER_TOKEN for message in messages)
    return {"prompt_tokens": prompt, "completion_tokens": TOKENS, "total_tokens": prompt + TOKENS}


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Provider(ServerConnection):
    """A connection to the provider."""

    def answer(self, path: str, body: bytes) -> None:
        sent = orjson.loads(body or b"{}")
        if path == "/health":
            self._whole({})
        elif path == "/behaviour":
            behaviour.update(sent)
            self._whole({})
        elif sent.get("stream"):
            task = _loop.create_task(self._stream(sent))
            task.add_done_callback(lambda done: done.exception())
        elif behaviour["wait"]:
            _loop.call_later(behaviour["wait"], self._complete, sent)
        else:
            self._complete(sent)

    def _whole(self, answer: dict[str, Any]) -> None:
        data = orjson.dumps(answer)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(data)
        self.write(head + data)

    def _complete(self, sent: dict[str, Any]) -> None:
        message = {"role": "assistant", "content": _text()}
        self._whole(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": sent["model"],
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
                "usage": _usage(sent["messages"]),
                "system_fingerprint": "fp_1",
                "x_groq": {"id": "req_1"},
            }
        )

    async def _stream(self, sent: dict[str, Any]) -> None:
        await asyncio.sleep(behaviour["wait"])
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        self._chunk(sent, {"role": "assistant", "content": ""})
        for number in range(TOKENS):
            self._chunk(sent, {"content": WORDS[number % len(WORDS)]})
            if behaviour["gap"]:
                await asyncio.sleep(behaviour["gap"])
        self._chunk(sent, {}, finish_reason="stop", x_groq={"id": "req_1", "usage": _usage(sent["messages"])})
        self.write(_chunked(b"data: [DONE]\n\n") + _chunked(b""))

    def _chunk(
        self, sent: dict[str, Any], delta: dict[str, str], *, finish_reason: str | None = None, **more: Any
    ) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_790_000_000,
            "model": sent["model"],
            "choices": [choice],
            **more,
        }
        self.write(_chunked(b"data: " + orjson.dumps(chunk) + b"\n\n"))


async def serve(port: int) -> None:
    """Answer until the process is ended."""
    global _loop  # noqa: PLW0603  one a process
    _loop = asyncio.get_running_loop()
    server = await _loop.create_server(Provider, "127.0.0.1", port, backlog=2_048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
