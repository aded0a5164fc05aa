"""What an embedding engine offers."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


class EmbeddingsUnavailable(Exception):
    """An engine did not give the vectors, or cannot be loaded. The message names no secret."""


class Embedder(Protocol):
    """Text to vectors.

    Attributes:
        name: of the model, with what else tells its vectors from others'; stored with them.
        relevant_cosine: from which cosine on a chunk of this model answers a question rather than not.
    """

    name: str
    relevant_cosine: float

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Questions, soon: one row a text, of length 1, or 0 for a text without anything the model knows; float32.

        All rows are 0 when the engine is away: the question is then searched by keywords alone.
        """
        ...

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What is stored: rows as above, however long it takes.

        Raises:
            EmbeddingsUnavailable: the engine is away.
        """
        ...


class Fallible(ABC):
    """An engine that may be away: what it raises for questions becomes a warning in the log and rows of zeros."""

    name: str

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            return self.embed_questions(texts)
        except EmbeddingsUnavailable as exc:
            logger.warning("Searching by keywords alone, as %s gives no vectors: %s", self.name, exc)
            return np.zeros((len(texts), 1), dtype=np.float32)

    @abstractmethod
    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `Embedder.embed`, but raises EmbeddingsUnavailable."""


STEPS = 2048  # of a component, from 0 to 1


def normalised(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1, those that are zero or not finite as zeros, each component a multiple of 1 / `STEPS`.

    Half precision, which PostgreSQL stores, holds such numbers exactly; and a float32 holds every sum of their
    products: multiples of 1 / 2048² up to about 1. So the cosine of two vectors is the same number on every engine,
    in whatever order it adds. That costs about .0002 of a cosine.
    """
    unit: NDArray[np.float32] = matrix.astype(np.float32)  # the one copy; those of a long document are large
    np.nan_to_num(unit, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(unit, axis=1, keepdims=True)
    np.divide(unit, lengths, out=unit, where=lengths > 0)
    np.rint(np.multiply(unit, STEPS, out=unit), out=unit)
    return np.divide(unit, np.float32(STEPS), out=unit)
