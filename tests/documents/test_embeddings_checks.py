"""The system checks on embeddings: what could not work is said before anybody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.checks import run_checks

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


pytestmark = pytest.mark.django_db  # PostgreSQL is asked about its columns


def complaints() -> list[str]:
    return [message.id or "" for message in run_checks() if (message.id or "").startswith("documents.")]


@pytest.mark.parametrize("engine", ["", "none", "wordllama"])
def test_what_needs_no_more_is_fine(settings: Settings, engine: str) -> None:
    settings.EMBEDDINGS = engine
    assert complaints() == []


@pytest.mark.parametrize("engine", ["word2vec", "openai", "openai/", "wordllama/512", "openai/" + "x" * 181])
def test_an_unknown_engine_is_an_error(settings: Settings, engine: str) -> None:
    settings.EMBEDDINGS = engine
    settings.EMBEDDINGS_API_KEY = "sk-1"
    assert complaints() == ["documents.E001"]


@pytest.mark.parametrize(
    ("url", "key", "found"),
    [
        ("https://api.openai.com/v1", "sk-1", []),
        ("http://localhost:8080/v1", "", []),
        ("https://api.openai.com/v1", "", ["documents.E003"]),
        ("https://api.openai.com/v1", "sk-1 2", ["documents.E003"]),
        ("localhost:8080", "", ["documents.E002"]),
        ("", "", ["documents.E002"]),
        ("https://api.openai.com/v1/embeddings", "sk-1", ["documents.E002"]),
    ],
)
def test_an_endpoint_needs_an_address_and_openai_a_key(
    settings: Settings, url: str, key: str, found: list[str]
) -> None:
    settings.EMBEDDINGS = "openai/text-embedding-3-small"
    settings.EMBEDDINGS_BASE_URL, settings.EMBEDDINGS_API_KEY = url, key
    assert complaints() == found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EMBEDDINGS_DIMENSIONS", -1),
        ("EMBEDDINGS_DIMENSIONS", 16_001),
        ("EMBEDDINGS_BATCH_SIZE", 0),
        ("EMBEDDINGS_TEXT_BYTES", 10),
        ("EMBEDDINGS_SECONDS", 0.0),
        ("EMBEDDINGS_QUESTION_SECONDS", 0.0),
        ("EMBEDDINGS_RELEVANT_COSINE", 1.5),
    ],
)
def test_a_number_that_no_call_could_keep_is_an_error(settings: Settings, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert complaints() == ["documents.E004"]


def test_a_local_model_needs_its_folder(settings: Settings, tmp_path: Path) -> None:
    settings.EMBEDDINGS = "fastembed"
    missing = complaints()
    settings.EMBEDDINGS_MODEL_PATH = str(tmp_path)
    assert len(missing) == len(complaints()) + 1
    assert set(missing) == {"documents.W001"}
