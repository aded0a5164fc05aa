"""Embeddings from any endpoint that speaks OpenAI's wire format, batched and retried."""

from __future__ import annotations

import random
import time
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from django.conf import settings

from documents.connections import release_connection
from documents.deadline import Deadline
from documents.elsewhere import elsewhere

from . import wire
from .base import EmbeddingsUnavailable, Fallible, normalised
from .calls import EmbeddingCall, embedding_called

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

TRIES = 3
FIRST_WAIT = 1 / 60  # of the deadline; it doubles: 1 and 2 s of a minute
JITTER = 0.25  # of the wait, on top: callers that failed together shall not come back together
ONE_TRY = 1 / 2  # of the deadline, at most, so that a hanging call leaves time for another
BATCH_BYTES = 100_000  # no more tokens than that, as a token is at least a byte; OpenAI takes 300,000 a request


class EndpointEmbedder(Fallible):
    """A model behind `EMBEDDINGS_BASE_URL`. Holds no state: any number of threads may use it."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._dimensions: int = settings.EMBEDDINGS_DIMENSIONS
        self.name = f"openai/{model}" + (f"@{self._dimensions}" if self._dimensions else "")
        self.relevant_cosine: float = settings.EMBEDDINGS_RELEVANT_COSINE

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, seconds=settings.EMBEDDINGS_QUESTION_SECONDS)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, seconds=settings.EMBEDDINGS_SECONDS)

    def _embed(self, texts: Sequence[str], *, seconds: float) -> NDArray[np.float32]:
        """Each batch has the seconds for all its tries, so a long document has more, and a dead endpoint takes one."""
        sendable = [_shortened(text) for text in texts]
        places = [place for place, text in enumerate(sendable) if text.strip()]  # a blank input is refused
        found = [self._batch(batch, seconds=seconds) for batch in _batches([sendable[place] for place in places])]
        if len({matrix.shape[1] for matrix in found}) > 1:
            raise EmbeddingsUnavailable("The endpoint's vectors changed their length from one call to the next.")
        matrix = np.zeros((len(texts), found[0].shape[1] if found else 1), dtype=np.float32)
        if found:
            matrix[places] = normalised(np.concatenate(found))
        return matrix

    def _batch(self, texts: Sequence[str], *, seconds: float) -> NDArray[np.float32]:
        deadline = Deadline.after(seconds)
        for attempt in count(1):
            try:
                return self._call(texts, attempt=attempt, seconds=min(seconds * ONE_TRY, deadline.remaining))
            except wire.CallFailed as exc:
                wait = exc.retry_after
                if wait is None:
                    wait = seconds * FIRST_WAIT * 2 ** (attempt - 1)
                wait *= random.uniform(1, 1 + JITTER)  # noqa: S311  spreads load, guards nothing
                if not exc.retryable or attempt == TRIES or wait >= deadline.remaining:
                    raise
            release_connection()
            with elsewhere():
                time.sleep(wait)
        raise AssertionError("unreachable")

    def _call(self, texts: Sequence[str], *, attempt: int, seconds: float) -> NDArray[np.float32]:
        release_connection()
        began = time.perf_counter()
        try:
            answer = wire.post(texts, model=self._model, dimensions=self._dimensions, seconds=seconds)
        except wire.CallFailed as exc:
            self._tell(attempt=attempt, outcome=exc.outcome, error=str(exc), tokens=exc.tokens, began=began)
            raise
        self._tell(attempt=attempt, outcome=wire.OK, tokens=answer.tokens, began=began)
        return answer.matrix

    def _tell(self, *, attempt: int, outcome: str, tokens: int | None, began: float, error: str = "") -> None:
        call = EmbeddingCall(
            provider=_provider(),
            model=self._model,
            attempt=attempt,
            outcome=outcome,
            error=error,
            tokens=tokens,
            seconds=time.perf_counter() - began,
        )
        embedding_called.send_robust(sender=type(self), call=call)


def _shortened(text: str) -> str:
    """Without what cannot be sent, and cut to `EMBEDDINGS_TEXT_BYTES`: models refuse more tokens than they know."""
    data = text.replace("\0", "").encode("utf-8", "ignore")
    return data[: settings.EMBEDDINGS_TEXT_BYTES].decode("utf-8", "ignore")


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """At most `EMBEDDINGS_BATCH_SIZE` texts and `BATCH_BYTES` each; a longer text is a batch of its own."""
    batch: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if batch and (len(batch) >= settings.EMBEDDINGS_BATCH_SIZE or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += length
    if batch:
        yield batch


def _provider() -> str:
    host = urlsplit(settings.EMBEDDINGS_BASE_URL).hostname or ""
    return "openai" if host == "api.openai.com" else host
