"""The default engine: word vectors that come inside an ordinary package, averaged over the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .base import normalised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BATCH = 4_096  # a multiple of the model's own, in which it pads texts to one length


class WordLlamaEmbedder:
    """WordLlama's 256 dimensions, from the weights in its wheel; no network."""

    name = "wordllama-256"
    dimension = 256
    relevant_cosine = 0.31  # separated answerable questions from others, see docs/retrieval.md

    def __init__(self) -> None:
        import wordllama

        # Where the wheel has its files; left to itself it looks in the wrong folder and then on the network.
        folder = Path(wordllama.__file__).parent
        self._model = wordllama.WordLlama.load(dim=self.dimension, cache_dir=folder, disable_download=True)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        matrix = np.empty((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), BATCH):  # so that no second matrix for a long document is needed
            batch = slice(first, first + BATCH)
            matrix[batch] = normalised(self._model.embed(list(texts[batch])))
        return matrix

    embed_passages = embed  # it knows no difference
