"""ONNX models from a local folder, through fastembed, which is installed when it is wanted."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from .base import EmbeddingsUnavailable, Fallible, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray


class FastembedEmbedder(Fallible):
    """One of the models that fastembed knows, from files that are there: nothing is downloaded.

    Args:
        model: fastembed's name of it, which says how its output becomes a vector.
        folder: with `tokenizer.json`, `tokenizer_config.json` and the ONNX file where fastembed expects it.

    Raises:
        ImportError: fastembed is not installed.
        EmbeddingsUnavailable: the model is not known, or its files are broken or not there.
    """

    def __init__(self, *, model: str, folder: str) -> None:
        from fastembed import TextEmbedding

        if not folder or not Path(folder).is_dir():
            raise EmbeddingsUnavailable(f"EMBEDDINGS_MODEL_PATH is no folder: {folder!r}")
        self.name = f"fastembed/{model}"
        self.relevant_cosine: float = settings.EMBEDDINGS_RELEVANT_COSINE
        with _errors_translated():
            # Without either argument it looks on the network first, for 39 s where there is none.
            self._model = TextEmbedding(model, specific_model_path=folder, local_files_only=True)

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with _errors_translated():
            return _matrix(self._model.query_embed(list(texts)))

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with _errors_translated():
            return _matrix(self._model.passage_embed(list(texts)))


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except Exception as exc:
        raise EmbeddingsUnavailable(str(exc)) from exc


def _matrix(vectors: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    return normalised(np.stack(list(vectors)))
