"""A summary is made by a worker where there is one, and else ends before the service does."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.redis_server import RedisServer
from tests.service.running import ROOT, running
from tests.service.workers import real_redis, until, worker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider_server import Connection


def post(url: str, **body: str) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer: dict[str, Any] = json.load(urllib.request.urlopen(request))
    return answer


def test_a_summary_in_work_is_stored_before_the_service_ends(tmp_path: Path) -> None:
    folding = threading.Event()

    def behave(connection: Connection) -> None:
        if "keep the notes" in connection.received.body["messages"][0]["content"]:
            folding.set()
            return reply("The user likes lamps.", after=2)(connection)
        return reply("All about lamps. " * 30)(connection)

    with ProviderServer() as groq:
        groq.always(behave)
        settings = {"GROQ_API_KEY": PROVIDER_KEY, "GROQ_BASE_URL": groq.url, "MAX_CONTEXT_TOKENS": "1000"}
        with running(tmp_path, **settings) as service:
            started = post(f"{service.url}/api/v1/conversations", first_message="I like lamps.")
            path = f"/api/v1/conversations/{started['id']}"
            for _ in range(30):
                post(f"{service.url}{path}/messages", message="Tell me more.")
                if folding.wait(0.05):
                    break
            assert service.stop() == 0
            assert "Traceback" not in service.output
        with running(tmp_path) as service:
            shown = json.load(urllib.request.urlopen(service.url + path))
    assert shown["summary"] == "The user likes lamps."


@real_redis
def test_a_worker_makes_summaries_and_purges(tmp_path: Path) -> None:
    pytest.importorskip("celery")

    def behave(connection: Connection) -> None:
        is_summary = "keep the notes" in connection.received.body["messages"][0]["content"]
        reply("The user likes lamps." if is_summary else "All about lamps. " * 60)(connection)

    with ProviderServer() as groq, RedisServer() as redis:
        groq.always(behave)
        settings = {"GROQ_API_KEY": PROVIDER_KEY, "GROQ_BASE_URL": groq.url, "MAX_CONTEXT_TOKENS": "1000"}
        with running(tmp_path, CELERY_BROKER_URL=redis.url, **settings) as service:
            conversation = f"{service.url}/api/v1/conversations"
            conversation += f"/{post(conversation, first_message='I like lamps.')['id']}"
            for _ in range(8):
                post(f"{conversation}/messages", message="Tell me more.")
            shown = json.load(urllib.request.urlopen(conversation))
            assert shown["summary"] is None
            with worker(service, tmp_path / "worker.log"):
                assert until(lambda: json.load(urllib.request.urlopen(conversation))["summary"] is not None)
                purge = [sys.executable, "manage.py", "purge", "--older-than", "1h", "--background"]
                said = subprocess.run(purge, cwd=ROOT, env=dict(service.environment), capture_output=True, check=True)
                assert said.stdout.startswith(b"A worker deletes 0 conversations")
                assert until(lambda: "Deleted 0 conversations" in (tmp_path / "worker.log").read_text())
