"""The least that a turn can cost behind gunicorn and through Groq's SDK: the provider is asked, and nothing is kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson
from groq import Groq

if TYPE_CHECKING:
    from collections.abc import Callable

client = Groq()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Answer the first message of a body; 200 and nothing when there is none, as for a health check."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer: dict[str, Any] = {}
    if body:
        question = {"role": "user", "content": orjson.loads(body)["first_message"]}
        reply: Any = client.post(
            "/openai/v1/chat/completions",
            cast_to=object,
            body={"model": os.environ["GROQ_MODEL"], "messages": [question]},
        )
        answer = {"reply": reply["choices"][0]["message"]["content"], "tokens": reply["usage"]["total_tokens"]}
    data = orjson.dumps(answer)
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]
