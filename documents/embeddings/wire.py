"""The wire format of OpenAI's `/embeddings`, which many servers speak: one call, and what its answer must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import orjson
from django.conf import settings

from documents.http import PerProcess, make_client, retry_after

from .base import EmbeddingsUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SENDABLE = re.compile(r"[!-~]*")
SHOWN_CHARS = 300  # of the endpoint's own message
LARGEST = 1e6  # of a number in a vector; their squares must be summed
MOST_DIMENSIONS = 16_000  # that pgvector's halfvec holds
MOST_TOKENS = 10**8  # that are believed; a column holds the sum of a turn's calls
OK = "ok"
STATUSES = {
    401: "unauthorized",
    402: "unauthorized",
    403: "unauthorized",
    404: "unknown_model",
    408: "timeout",
    413: "too_large",
    429: "rate_limited",
}
RETRYABLE = {"timeout", "rate_limited", "unavailable", "invalid_response"}


class CallFailed(EmbeddingsUnavailable):
    """One call came to nothing; see `EmbeddingCall` for the outcome and the tokens."""

    def __init__(
        self, message: str, *, outcome: str, tokens: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message.replace(key, "[key]") if (key := _key()) else message)
        self.outcome = outcome
        self.tokens = tokens
        self.retry_after = retry_after
        self.retryable = outcome in RETRYABLE


@dataclass(frozen=True, slots=True)
class Answer:
    """One row a text, in their order, as the endpoint gave them; finite."""

    matrix: NDArray[np.float32]
    tokens: int | None


def post(texts: Sequence[str], *, model: str, dimensions: int, seconds: float) -> Answer:
    """Ask once.

    Args:
        dimensions: that the vectors shall have; 0 leaves it to the model.
        seconds: until the whole answer is there.

    Raises:
        CallFailed: in every other case.
    """
    if not SENDABLE.fullmatch(_key()):
        raise CallFailed(
            "EMBEDDINGS_API_KEY has characters that no header can carry.", outcome="unauthorized", tokens=0
        )
    headers = {"authorization": f"Bearer {_key()}"} if _key() else {}
    body: dict[str, Any] = {"model": model, "input": list(texts)}
    if dimensions:
        body["dimensions"] = dimensions
    url = settings.EMBEDDINGS_BASE_URL.rstrip("/") + "/embeddings"
    try:
        response = _clients.get().post(url, json=body, headers=headers, timeout=seconds)
    except httpx.PoolTimeout:
        failure = CallFailed("No connection became free: raise LLM_MAX_CONNECTIONS.", outcome="timeout", tokens=0)
    except httpx.TimeoutException:
        failure = CallFailed(f"No whole answer within {seconds:.3g} s.", outcome="timeout")
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        never_sent = isinstance(exc, (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL))
        tokens = 0 if never_sent else None
        failure = CallFailed(f"The connection failed: {exc}", outcome="unavailable", tokens=tokens)
    else:
        return _read(response, count=len(texts), dimensions=dimensions)
    raise failure  # out here, so that httpx's error, which holds the request and its key, is not its context


def _read(response: httpx.Response, *, count: int, dimensions: int) -> Answer:
    try:
        content = orjson.loads(response.content)
    except ValueError:
        content = None
    if response.status_code != httpx.codes.OK:
        raise _refusal(response, content)
    match content:
        case {"data": list(data), **rest}:
            tokens = _tokens(rest.get("usage"))
        case {"error": error}:
            raise CallFailed(f"An error came as a success: {_message(error)}", outcome="invalid_response")
        case _:
            raise CallFailed("The answer holds no embeddings.", outcome="invalid_response")
    try:
        return Answer(_matrix(data, count=count, dimensions=dimensions), tokens)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        problem = f"The answer is not one vector for each of {count} texts: {exc!r}"
        raise CallFailed(problem[:SHOWN_CHARS], outcome="invalid_response", tokens=tokens) from None


def _matrix(data: list[Any], *, count: int, dimensions: int) -> NDArray[np.float32]:
    """The vectors in the order of their texts. Some servers leave the index out, and answer in order."""
    if len(data) != count:
        raise ValueError(f"{len(data)} came")
    rows = {item.get("index", place): item["embedding"] for place, item in enumerate(data)}
    matrix = np.array([rows[place] for place in range(count)], dtype=np.float64)
    width = matrix.shape[-1]
    if matrix.ndim != 2 or not 0 < width <= MOST_DIMENSIONS or (dimensions and width != dimensions):  # noqa: PLR2004
        raise ValueError(f"its shape is {matrix.shape}, and {dimensions or 'any number of'} dimensions were asked for")
    if not (np.abs(matrix) < LARGEST).all():
        raise ValueError("its numbers are not finite or beyond all measure")
    return matrix.astype(np.float32)


def _refusal(response: httpx.Response, content: object) -> CallFailed:
    status = response.status_code
    rest = "unavailable" if status >= httpx.codes.INTERNAL_SERVER_ERROR else "rejected"
    error = content.get("error") if isinstance(content, dict) else None
    return CallFailed(
        f"{status} {response.reason_phrase}".rstrip() + (f": {_message(error)}" if error else ""),
        outcome=STATUSES.get(status, rest),
        tokens=0,
        retry_after=retry_after(response.headers),
    )


def _message(error: object) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return " ".join(str(message).replace("\0", "").split())[:SHOWN_CHARS]


def _tokens(usage: object) -> int | None:
    counts = [usage.get(name) for name in ("prompt_tokens", "total_tokens")] if isinstance(usage, dict) else []
    return next((min(count, MOST_TOKENS) for count in counts if isinstance(count, int) and count > 0), None)


def _key() -> str:
    key: str = settings.EMBEDDINGS_API_KEY.strip()
    return key


_clients = PerProcess(lambda: make_client(max_connections=settings.LLM_MAX_CONNECTIONS))
forget_client = _clients.close  # so that the next is made with what the environment says then
