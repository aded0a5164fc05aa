"""Embeddings from an endpoint: what goes over the wire, and what comes back however the endpoint behaves."""

from __future__ import annotations

import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection

from documents.embeddings import embedder
from documents.embeddings.base import EmbeddingsUnavailable, normalised
from tests.embedding_server import DIMENSIONS, EMBEDDING_KEY, embedded, vector_of
from tests.provider_server import body, broken_json, cut, drip, hang, html, status

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytest_django import Settings

    from tests.embedding_server import EmbeddingServer
    from tests.provider_server import Behaviour

pytestmark = pytest.mark.django_db


def embed_passages(*texts: str) -> NDArray[np.float32]:
    engine = embedder()
    assert engine is not None
    return engine.embed_passages(texts)


def embed_question(*texts: str) -> NDArray[np.float32]:
    engine = embedder()
    assert engine is not None
    return engine.embed(texts)


def expected(*texts: str, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    return normalised(np.array([vector_of(text, dimensions=dimensions) for text in texts]))


# --- What is sent -----------------------------------------------------------------------------


def test_a_call_carries_the_model_the_texts_and_the_key(endpoint: EmbeddingServer) -> None:
    matrix = embed_passages("red lamps", "green bulbs")

    (request,) = endpoint.requests
    assert request.path == "/v1/embeddings"
    assert request.body == {"model": "text-embedding-3-small", "input": ["red lamps", "green bulbs"]}
    assert request.headers["authorization"] == f"Bearer {EMBEDDING_KEY}"
    np.testing.assert_array_equal(matrix, expected("red lamps", "green bulbs"))
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-3)


def test_without_a_key_none_is_sent(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_API_KEY = ""
    embed_passages("red lamps")
    assert not {name for name in endpoint.requests[0].headers if name.lower() == "authorization"}


def test_dimensions_are_asked_for_and_tell_the_vectors_apart(endpoint: EmbeddingServer, settings: Settings) -> None:
    whole = embedder()
    settings.EMBEDDINGS_DIMENSIONS = 8
    short = embedder()
    assert whole is not None
    assert short is not None

    matrix = short.embed_passages(["red lamps"])

    assert endpoint.requests[0].body["dimensions"] == 8
    np.testing.assert_array_equal(matrix, expected("red lamps", dimensions=8))
    assert (whole.name, short.name) == ("openai/text-embedding-3-small", "openai/text-embedding-3-small@8")


def test_many_texts_go_in_batches_and_come_back_in_order(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_BATCH_SIZE = 3
    texts = [f"lamp {number}" for number in range(8)]

    matrix = embed_passages(*texts)

    assert endpoint.batches == [texts[:3], texts[3:6], texts[6:]]
    np.testing.assert_array_equal(matrix, expected(*texts))


def test_a_batch_holds_no_more_bytes_than_a_model_takes_tokens(endpoint: EmbeddingServer) -> None:
    embed_passages(*["x" * 7_999] * 30)
    assert [len(batch) for batch in endpoint.batches] == [12, 12, 6]


def test_an_over_long_text_is_cut_between_characters(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_TEXT_BYTES = 100
    embed_passages("ä" * 80, "x" + "ä" * 80)
    assert endpoint.batches == [["ä" * 50, "x" + "ä" * 49]]


def test_what_cannot_be_sent_is_left_out(endpoint: EmbeddingServer) -> None:
    matrix = embed_passages("red\0 \ud800lamps", "  \n", "bulbs")
    assert endpoint.batches == [["red lamps", "bulbs"]]
    np.testing.assert_array_equal(matrix[[0, 2]], expected("red lamps", "bulbs"))
    assert not matrix[1].any()


def test_texts_without_a_letter_need_no_call(endpoint: EmbeddingServer) -> None:
    assert not embed_question(" ").any()
    assert endpoint.requests == []


# --- What comes back --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [status(429), status(500), status(503), status(408), broken_json(), html(), cut(), embedded(data=[])],
    ids=["429", "500", "503", "408", "broken JSON", "HTML", "cut", "empty"],
)
def test_a_passing_fault_is_tried_again(endpoint: EmbeddingServer, behaviour: Behaviour) -> None:
    endpoint.will(behaviour, behaviour)
    np.testing.assert_array_equal(embed_passages("red lamps"), expected("red lamps"))
    assert len(endpoint.requests) == 3


def test_three_tries_are_enough(endpoint: EmbeddingServer) -> None:
    endpoint.always(status(500, message="Out of memory"))
    with pytest.raises(EmbeddingsUnavailable, match="500 Internal Server Error: Out of memory"):
        embed_passages("red lamps")
    first, second, third = (request.at for request in endpoint.requests)
    assert 0.05 <= second - first < third - second


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 413, 422, 301])
def test_a_refusal_is_not_tried_again(endpoint: EmbeddingServer, code: int) -> None:
    endpoint.always(status(code))
    with pytest.raises(EmbeddingsUnavailable, match=str(code)):
        embed_passages("red lamps")
    assert len(endpoint.requests) == 1


def test_retry_after_is_obeyed(endpoint: EmbeddingServer) -> None:
    endpoint.will(status(429, retry_after=0.7))
    embed_passages("red lamps")
    first, second = (request.at for request in endpoint.requests)
    assert 0.7 <= second - first < 1.5


def test_a_wait_that_the_deadline_does_not_hold_is_not_begun(endpoint: EmbeddingServer) -> None:
    endpoint.always(status(429, retry_after=30))
    began = time.monotonic()
    with pytest.raises(EmbeddingsUnavailable, match="429"):
        embed_passages("red lamps")
    assert time.monotonic() - began < 1
    assert len(endpoint.requests) == 1


VECTOR = vector_of("red")


@pytest.mark.parametrize(
    "data",
    [
        [{"index": 0, "embedding": VECTOR}],
        [{"index": place, "embedding": VECTOR} for place in range(3)],
        [{"index": 0, "embedding": VECTOR}, {"index": 0, "embedding": VECTOR}],
        [{"index": 1, "embedding": VECTOR}, {"index": 2, "embedding": VECTOR}],
        [{"index": 0, "embedding": VECTOR}, {"index": 1, "embedding": VECTOR[:-1]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": 1.0}, {"index": 1, "embedding": 1.0}],
        [{"index": 0, "embedding": None}, {"index": 1, "embedding": None}],
        [{"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"}],
        [{"index": 0, "embedding": [1e300, 1.0]}, {"index": 1, "embedding": [1.0, 1.0]}],
        [{"index": [0], "embedding": VECTOR}, {"index": 1, "embedding": VECTOR}],
        ["red", "green"],
        [{"index": 0, "embedding": [1.0] * 16_001}, {"index": 1, "embedding": [1.0] * 16_001}],
    ],
    ids=[
        *("too few", "too many", "index twice", "index missing", "lengths differ", "no dimensions", "no vectors"),
        *("null", "text", "beyond measure", "odd index", "no objects", "too long to store"),
    ],
)
def test_an_answer_that_is_not_one_vector_a_text_is_none(endpoint: EmbeddingServer, data: list[Any]) -> None:
    endpoint.always(embedded(data=data))
    with pytest.raises(EmbeddingsUnavailable, match="not one vector for each of 2 texts"):
        embed_passages("red", "green")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999"])
def test_numbers_that_are_not_finite_are_refused(endpoint: EmbeddingServer, number: bytes) -> None:
    endpoint.always(body(b'{"data": [{"index": 0, "embedding": [0.5, ' + number + b"]}]}"))
    with pytest.raises(EmbeddingsUnavailable):
        embed_passages("red")


def test_an_error_that_comes_as_a_success_is_told(endpoint: EmbeddingServer) -> None:
    endpoint.always(body({"error": {"message": "Overloaded"}}))
    with pytest.raises(EmbeddingsUnavailable, match="Overloaded"):
        embed_passages("red")


def test_vectors_of_other_dimensions_than_asked_for_are_refused(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_DIMENSIONS = 8
    endpoint.always(embedded(data=[{"index": 0, "embedding": VECTOR}]))
    with pytest.raises(EmbeddingsUnavailable, match="8 dimensions were asked for"):
        embed_passages("red")


def test_batches_of_different_dimensions_are_refused(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_BATCH_SIZE = 1
    endpoint.will(embedded(), embedded(data=[{"index": 0, "embedding": VECTOR[:-1]}]))
    with pytest.raises(EmbeddingsUnavailable, match="changed their length"):
        embed_passages("red", "green")


def test_an_answer_without_indexes_is_taken_in_order(endpoint: EmbeddingServer) -> None:
    endpoint.will(embedded(data=[{"embedding": vector_of("red")}, {"embedding": vector_of("green")}]))
    np.testing.assert_array_equal(embed_passages("red", "green"), expected("red", "green"))


# --- Time -------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [hang(), drip()], ids=["hangs", "drips"])
def test_a_question_waits_no_longer_than_its_deadline(
    endpoint: EmbeddingServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.always(behaviour)
    began = time.monotonic()
    matrix = embed_question("red lamps")
    assert time.monotonic() - began < 1.5
    assert not matrix.any()
    assert len(endpoint.requests) == 2
    assert "Searching by keywords alone, as openai/text-embedding-3-small gives no vectors" in caplog.text


def test_a_call_that_hangs_leaves_time_for_another(endpoint: EmbeddingServer) -> None:
    endpoint.will(hang())
    np.testing.assert_array_equal(embed_question("red lamps"), expected("red lamps"))


@pytest.mark.django_db(transaction=True)
def test_threads_get_each_their_own_vectors_over_shared_connections(endpoint: EmbeddingServer) -> None:
    endpoint.always(embedded(after=0.05))
    texts = [f"lamp {number}" for number in range(32)]

    def ask(text: str) -> NDArray[np.float32]:
        try:
            return embed_question(text)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, texts))
    np.testing.assert_array_equal(np.concatenate(found), expected(*texts))
    assert endpoint.connections <= 8


def test_a_forked_process_opens_its_own_connections(endpoint: EmbeddingServer) -> None:
    embed_question("red lamps")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the server's threads are not needed in the child
        child = os.fork()
    if not child:
        os._exit(0 if embed_question("bulbs").any() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    embed_question("red lamps")
    assert [request.connection for request in endpoint.requests] == [1, 2, 1]


# --- Secrets ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [status(401, message=f"Incorrect API key provided: {EMBEDDING_KEY}."), body({"error": f"Bearer {EMBEDDING_KEY}"})],
)
def test_a_key_that_the_endpoint_quotes_is_cut_out(
    endpoint: EmbeddingServer, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.always(behaviour)
    with pytest.raises(EmbeddingsUnavailable, match=r"\[key\]") as raised:
        embed_passages("red")
    embed_question("red")
    assert EMBEDDING_KEY not in caplog.text
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_a_key_that_no_header_can_carry_is_not_sent_or_shown(endpoint: EmbeddingServer, settings: Settings) -> None:
    settings.EMBEDDINGS_API_KEY = f"{EMBEDDING_KEY}\nx"
    with pytest.raises(EmbeddingsUnavailable, match="no header can carry") as raised:
        embed_passages("red")
    assert endpoint.requests == []
    assert EMBEDDING_KEY not in str(raised.value)
