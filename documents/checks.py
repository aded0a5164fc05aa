"""System checks on the configuration of the embeddings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from .embeddings import ENDPOINT, LOCAL, NONE
from .embeddings.wire import MOST_DIMENSIONS, SENDABLE

MODEL_CHARS = 180  # of what a column holds, where the dimensions stand too
BOUNDS = {
    "EMBEDDINGS_DIMENSIONS": (0, MOST_DIMENSIONS),
    "EMBEDDINGS_BATCH_SIZE": (1, 2_048),
    "EMBEDDINGS_TEXT_BYTES": (100, 100_000),
    "EMBEDDINGS_SECONDS": (0.1, 600),
    "EMBEDDINGS_QUESTION_SECONDS": (0.1, 60),
    "EMBEDDINGS_RELEVANT_COSINE": (0, 1),
}


@register()
def embeddings_are_known(**_: Any) -> list[CheckMessage]:
    """documents.E001: EMBEDDINGS names no engine."""
    name = settings.EMBEDDINGS
    kind, _slash, model = name.partition("/")
    if name in (*NONE, *LOCAL) or (kind == ENDPOINT and 0 < len(model) <= MODEL_CHARS):
        return []
    hint = "none, wordllama, fastembed, or openai/<model> for an endpoint."
    return [Error(f"EMBEDDINGS is {name!r}.", hint=hint, id="documents.E001")]


@register()
def endpoint_can_be_called(**_: Any) -> list[CheckMessage]:
    """documents.E002: the endpoint's address is none. documents.E003: its key is missing, or cannot be sent."""
    if not settings.EMBEDDINGS.startswith(f"{ENDPOINT}/"):
        return []
    messages: list[CheckMessage] = []
    url = settings.EMBEDDINGS_BASE_URL
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.rstrip("/").endswith("/embeddings"):
        hint = "Like https://api.openai.com/v1; /embeddings is added."
        messages.append(Error(f"EMBEDDINGS_BASE_URL is {url!r}.", hint=hint, id="documents.E002"))
    key = settings.EMBEDDINGS_API_KEY.strip()
    if not key and parts.hostname == "api.openai.com":
        hint = "Set it, or the EMBEDDINGS_BASE_URL of a server that needs none."
        messages.append(Error("EMBEDDINGS_API_KEY is not set.", hint=hint, id="documents.E003"))
    if not SENDABLE.fullmatch(key):
        messages.append(Error("EMBEDDINGS_API_KEY has characters that no header can carry.", id="documents.E003"))
    return messages


@register()
def limits_of_embeddings_are_sane(**_: Any) -> list[CheckMessage]:
    """documents.E004: a number that no call could keep."""
    return [
        Error(f"{name} is {getattr(settings, name)}; it must be {least} to {most}.", id="documents.E004")
        for name, (least, most) in BOUNDS.items()
        if not least <= getattr(settings, name) <= most
    ]


@register()
def local_model_is_there(**_: Any) -> list[CheckMessage]:
    """documents.W001: fastembed, or the folder of its model, is not there; search goes by keywords alone."""
    if settings.EMBEDDINGS != "fastembed":
        return []
    messages: list[CheckMessage] = []
    if find_spec("fastembed") is None:
        messages.append(checks.Warning("fastembed is missing.", hint="pip install fastembed", id="documents.W001"))
    path = settings.EMBEDDINGS_MODEL_PATH
    if not path or not Path(path).is_dir():
        hint = "Name the folder with the model's files: nothing is downloaded."
        messages.append(checks.Warning(f"EMBEDDINGS_MODEL_PATH is {path!r}.", hint=hint, id="documents.W001"))
    return messages
