"""A real Celery worker on a real Redis reads what the API takes in, also when it is killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.embedding_server import EMBEDDING_KEY, EmbeddingServer, embedded
from tests.redis_server import RedisServer
from tests.service.running import free_port, running
from tests.service.workers import children, real_redis, until, worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service.running import Service

pytest.importorskip("celery")

TEXT = "The harbour is behind the old lighthouse.\n\n" * 20
VISIBILITY_SECONDS = 2


def upload(service: Service) -> dict[str, Any]:
    body = json.dumps({"filename": "notes.txt", "content": TEXT}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{service.url}/api/v1/documents", body, headers)
    answer: dict[str, Any] = json.load(urllib.request.urlopen(request))
    return answer


def document(service: Service, pk: int) -> dict[str, Any]:
    answer: dict[str, Any] = json.load(urllib.request.urlopen(f"{service.url}/api/v1/documents/{pk}"))
    return answer


@contextmanager
def with_worker(folder: Path, **settings: str) -> Iterator[tuple[Service, EmbeddingServer]]:
    """A service whose uploads go to a broker, with an endpoint for embeddings; a worker is started by the test."""
    with RedisServer() as redis, EmbeddingServer() as endpoint:
        embeddings = {
            "EMBEDDINGS": "openai/text-embedding-3-small",
            "EMBEDDINGS_BASE_URL": f"{endpoint.url}/v1",
            "EMBEDDINGS_API_KEY": EMBEDDING_KEY,
        }
        with running(folder, CELERY_BROKER_URL=redis.url, **embeddings, **settings) as service:
            yield service, endpoint


@real_redis
def test_an_upload_is_pending_until_the_worker_has_read_it(tmp_path: Path) -> None:
    with with_worker(tmp_path) as (service, _):
        found = upload(service)
        assert (found["status"], found["chunk_count"]) == ("pending", 0)
        with worker(service, tmp_path / "worker.log"):
            assert until(lambda: document(service, found["id"])["status"] == "ready")
        assert document(service, found["id"])["content"] == TEXT


@real_redis
def test_new_versions_and_second_tries_are_left_to_the_worker_too(tmp_path: Path) -> None:
    with with_worker(tmp_path) as (service, _), worker(service, tmp_path / "worker.log"):
        address = f"{service.url}/api/v1/documents"
        first = upload(service)["id"]
        assert until(lambda: document(service, first)["status"] == "ready")
        answer = httpx.put(f"{address}/{first}/file", json={"filename": "new.txt", "content": "The new version."})
        assert (answer.status_code, answer.json()["status"], answer.json()["filename"]) == (202, "ready", "notes.txt")
        assert until(lambda: document(service, first)["content"] == "The new version.")
        found = document(service, first)
        assert (found["filename"], found["error"]) == ("new.txt", None)

        broken = {"filename": "broken.json", "content": "{not json"}
        assert httpx.put(f"{address}/{first}/file", json=broken).status_code == 202
        assert until(lambda: document(service, first)["error"] is not None)
        assert document(service, first) == found | {"error": document(service, first)["error"]}

        second = httpx.post(address, json=broken).json()["id"]
        assert until(lambda: document(service, second)["status"] == "failed")
        again = httpx.post(address, json=broken | {"filename": "not-broken.txt"})
        assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, second, "pending")
        assert until(lambda: document(service, second)["status"] == "ready")
        kept = [path for path in (tmp_path / "media" / "documents").rglob("*") if path.is_file()]
        assert len(kept) == httpx.get(address).json()["total"]  # no file is left over


@real_redis
@pytest.mark.parametrize("victim", ["the working process", "the whole worker"])
def test_a_job_of_a_worker_that_is_killed_is_done_once_by_the_next(tmp_path: Path, victim: str) -> None:
    with with_worker(tmp_path, CELERY_VISIBILITY_SECONDS=str(VISIBILITY_SECONDS)) as (service, endpoint):
        before = len(endpoint.requests)
        endpoint.will(embedded(after=60))  # the first attempt is in the middle of its work until it is killed
        found = upload(service)
        with worker(service, tmp_path / "worker.log") as process:
            assert until(lambda: len(endpoint.requests) > before)
            assert document(service, found["id"])["status"] == "processing"
            if victim == "the working process":
                (working,) = children(process.pid)
                os.kill(working, signal.SIGKILL)
                assert until(lambda: document(service, found["id"])["status"] == "ready")
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
                # A worker looks for lost jobs as it starts, and then only every 100 s: let this one be lost by then.
                time.sleep(VISIBILITY_SECONDS + 1)
        if victim == "the whole worker":
            with worker(service, tmp_path / "worker.log"):
                assert until(lambda: document(service, found["id"])["status"] == "ready")
        chunks = json.load(urllib.request.urlopen(f"{service.url}/api/v1/documents/{found['id']}/chunks"))
        assert chunks["total"] == document(service, found["id"])["chunk_count"] > 0


def test_without_a_broker_that_answers_an_upload_is_read_at_once(tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with running(tmp_path, CELERY_BROKER_URL=nobody) as service:
        began = time.monotonic()
        assert upload(service)["status"] == "ready"
        assert time.monotonic() - began < 10
        assert "The broker does not answer" in service.output
