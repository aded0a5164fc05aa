"""A local ONNX model through fastembed, on a model of nine words that is built here; needs fastembed and onnx."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from documents.embeddings import _local, embedder
from documents.search import search_chunks
from tests.builders import document_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from botgpt.accounts.models import User

pytest.importorskip("fastembed")
onnx: Any = pytest.importorskip("onnx")

MODEL = "sentence-transformers/all-MiniLM-L6-v2"  # by name alone: fastembed averages its output over the tokens
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "lamps", "lights", "returned", "bulbs", "notes"]
VECTORS = np.array(
    [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]],
    dtype=np.float32,
)


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The configured model: a table of word vectors as an ONNX graph, with its tokenizer."""
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 16, "pad_token": "[PAD]"}))
    (tmp_path / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    _save_graph(tmp_path / "model.onnx")
    settings.EMBEDDINGS, settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_MODEL_PATH = "fastembed", MODEL, str(tmp_path)
    yield tmp_path
    _local.cache_clear()


def _save_graph(path: Path) -> None:
    helper, integers, floats = onnx.helper, onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["vectors", "input_ids"], ["last_hidden_state"])],
        "words",
        [helper.make_tensor_value_info(name, integers, shape) for name in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("last_hidden_state", floats, [*shape, VECTORS.shape[1]])],
        [onnx.numpy_helper.from_array(VECTORS, "vectors")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_texts_become_vectors_of_length_one_by_the_models_own_table(folder: Path) -> None:
    engine = embedder()
    assert engine is not None
    assert engine.name == f"fastembed/{MODEL}"
    passages = engine.embed_passages(["lamps returned", "bulbs", "nothing known"])
    np.testing.assert_allclose(passages, np.array([[0.7071, 0.7071, 0], [0, 0, 1], [0, 0, 0]]), atol=1e-3)
    np.testing.assert_allclose(engine.embed(["Lights"]), np.array([[0.9939, 0.1104, 0]]), atol=1e-3)


def test_a_document_is_found_by_a_word_it_does_not_have(folder: Path, alice: User) -> None:
    lamps, bulbs = document_of(alice, "Lamps."), document_of(alice, "Bulbs.")
    result = search_chunks("lights", document_ids=[lamps.pk, bulbs.pk])
    assert lamps.embedding_model == f"fastembed/{MODEL}"
    assert [(hit.document_id, hit.keyword_rank, hit.vector_rank) for hit in result.hits] == [(lamps.pk, None, 1)]
    assert result.cosine == pytest.approx(0.994, abs=1e-3)


def test_it_is_loaded_once(folder: Path) -> None:
    assert embedder() is embedder() is not None


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json", "folder", "name"])
def test_a_model_that_is_not_there_leaves_keywords_without_a_look_at_the_network(
    folder: Path, alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", asked.append)
    if missing == "folder":
        settings.EMBEDDINGS_MODEL_PATH = str(folder / "elsewhere")
    elif missing == "name":
        settings.EMBEDDINGS_MODEL = "nobody/knows-it"
    else:
        (folder / missing).unlink()
    assert embedder() is None
    assert asked == []
    document = document_of(alice, "Lamps.")
    assert (document.status, document.embedding_model) == ("ready", "")
    assert [hit.document_id for hit in search_chunks("lamps", document_ids=[document.pk]).hits] == [document.pk]


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_broken_files_leave_keywords(folder: Path, broken: str, caplog: pytest.LogCaptureFixture) -> None:
    (folder / broken).write_bytes(b"\0broken")
    assert embedder() is None
    assert "fastembed cannot be loaded, search goes by keywords alone" in caplog.text
