"""A large document leaves no memory behind, and is worked on in parts that come out as the whole would."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
import pytest

from documents.embeddings.wordllama import BATCH, WordLlamaEmbedder
from documents.memory import LARGE, give_back_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to give memory back")
def test_memory_that_a_large_document_has_left_behind_goes_back() -> None:
    blocks = [bytes(1_000) for _ in range(100_000)]
    kept = blocks[::5_000] + blocks[-1:]
    del blocks
    give_back_memory(after=LARGE - 1)
    before = _resident()
    give_back_memory(after=LARGE)
    assert before - _resident() > 50_000_000
    assert kept


def test_vectors_made_in_parts_are_those_made_at_once() -> None:
    engine = WordLlamaEmbedder()
    texts = [f"delivery number {number}" for number in range(BATCH + 5)]
    vectors = engine.embed(texts)
    assert np.array_equal(vectors[BATCH:], engine.embed(texts[BATCH:]))
    assert np.array_equal(vectors[:64], engine.embed(texts[:64]))
    assert engine.embed([]).shape == (0, engine.dimension)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
