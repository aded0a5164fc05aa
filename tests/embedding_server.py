"""An embedding endpoint on loopback: OpenAI's wire format over real sockets, with the faults of the provider server.

    server.will(status(429, retry_after=0.1))     # the next call
    server.batches                                # the texts of each call

What is not planned is embedded: a text is the sum of its words' vectors, so equal words lie near each other.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.provider_server import ProviderServer

if TYPE_CHECKING:
    from tests.provider_server import Behaviour, Connection

EMBEDDING_KEY = "sk-0123456789abcdefghijklmnop"
DIMENSIONS = 64


def vector_of(text: str, *, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector with length, which depends on the words of the text only."""
    total = np.zeros(dimensions)
    for word in re.findall(r"\w+", text.casefold()):
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
        total += np.random.default_rng(seed).normal(size=dimensions)
    return [float(value) for value in total]


def embeddings(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A body as OpenAI sends it for a success, the last text first; `changes` replace top-level fields."""
    dimensions = request.get("dimensions", DIMENSIONS)
    data = [
        {"object": "embedding", "index": index, "embedding": vector_of(text, dimensions=dimensions)}
        for index, text in enumerate(request["input"])
    ]
    tokens = sum(len(text.split()) for text in request["input"])
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data[::-1], "model": request["model"], "usage": usage, **changes}


def embedded(*, after: float = 0.0, **changes: Any) -> Behaviour:
    """A success; `after` seconds."""

    def behave(connection: Connection) -> None:
        connection.pause(after)
        connection.answer(200, embeddings(connection.received.body, **changes))

    return behave


class EmbeddingServer(ProviderServer):
    """The scripted endpoint; a context manager that serves while it is open."""

    def __init__(self) -> None:
        super().__init__()
        self.always(embedded())

    @property
    def batches(self) -> list[list[str]]:
        """The texts of each request, in order."""
        return [request.body["input"] for request in self.requests]
