"""Turns text into vectors, by the engine that `settings.EMBEDDINGS` names."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from .base import EmbeddingsUnavailable

if TYPE_CHECKING:
    from .base import Embedder

logger = logging.getLogger(__name__)

NONE = ("", "none")
LOCAL = ("wordllama", "fastembed")
ENDPOINT = "openai"


def embedder() -> Embedder | None:
    """The embedder of the settings; None where search goes by keywords alone."""
    kind, _, model = settings.EMBEDDINGS.partition("/")
    if kind == ENDPOINT and model:
        from .endpoint import EndpointEmbedder

        return EndpointEmbedder(model)
    if settings.EMBEDDINGS in LOCAL:
        return _local(kind, model=settings.EMBEDDINGS_MODEL, folder=settings.EMBEDDINGS_MODEL_PATH)
    if settings.EMBEDDINGS not in NONE:
        _warn_once(settings.EMBEDDINGS)
    return None


@lru_cache(maxsize=4)
def _local(kind: str, *, model: str, folder: str) -> Embedder | None:
    """A model of this process, loaded once; None for good when it cannot be."""
    from .fastembed import FastembedEmbedder
    from .wordllama import WordLlamaEmbedder

    try:
        return WordLlamaEmbedder() if kind == "wordllama" else FastembedEmbedder(model=model, folder=folder)
    except (ImportError, OSError, ValueError, EmbeddingsUnavailable) as exc:
        logger.warning("%s cannot be loaded, search goes by keywords alone: %s", kind, exc)
        return None


@lru_cache(maxsize=4)
def _warn_once(name: str) -> None:
    logger.warning("EMBEDDINGS=%s is not known, search goes by keywords alone", name)
