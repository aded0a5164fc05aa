"""The cache in Redis: shared, and missed by nobody when it is away."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from botgpt.operations import caches as module
from botgpt.operations.caches import OncePerOutage, caches
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import Settings

READ = "import sys, redis; print(redis.Redis.from_url(sys.argv[1]).keys('*'))"


@pytest.fixture
def redis(settings: Settings) -> Iterator[RedisServer]:
    with RedisServer() as server:
        settings.CACHES = caches(server.url)
        yield server
        cache.close()


def test_what_one_process_stores_is_there_for_another(redis: RedisServer) -> None:
    cache.set("lighthouse", {"height": 40})
    assert cache.get("lighthouse") == {"height": 40}
    done = subprocess.run([sys.executable, "-c", READ, redis.url], capture_output=True, text=True, check=True)
    assert "botgpt:1:lighthouse" in done.stdout


def test_counting_is_atomic(redis: RedisServer) -> None:
    cache.add("calls", 0)
    assert [cache.incr("calls") for _ in range(3)] == [1, 2, 3]


def test_a_redis_that_dies_is_an_empty_cache_until_it_is_back(redis: RedisServer) -> None:
    cache.set("lighthouse", 40)
    redis.stop()
    assert cache.get("lighthouse", "nothing") == "nothing"
    assert not cache.add("lighthouse", 41)
    cache.set("lighthouse", 42)
    redis.start()
    cache.set("lighthouse", 43)
    assert cache.get("lighthouse") == 43


def test_readiness_tells_that_the_cache_is_away_and_stays_ready(redis: RedisServer, client: Client, db: None) -> None:
    assert client.get("/health/ready").json()["checks"]["cache"] == "ok"
    redis.stop()
    response = client.get("/health/ready")
    redis.start()
    assert (response.status_code, response.json()["checks"]["cache"]) == (200, "failed")


def test_a_redis_that_hangs_is_not_waited_for(settings: Settings) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # takes connections and never answers
        settings.CACHES = caches(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        assert cache.get("lighthouse", "nothing") == "nothing"
        cache.close()
    assert time.monotonic() - began < 3 * module.SOCKET_SECONDS


def test_an_outage_is_one_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("botgpt.operations.caches.time.monotonic", lambda: now)
    once = OncePerOutage()

    def access() -> logging.LogRecord | None:
        exc = ConnectionError("refused")
        record = logging.makeLogRecord({"msg": "Exception ignored", "exc_info": (type(exc), exc, None)})
        return record if once.filter(record) else None

    written = [access() for _ in range(3)]
    now += 61
    written.append(access())
    assert [record and record.getMessage() for record in written] == [
        "Redis does not answer; going on without it: refused", None, None,
        "Redis does not answer; going on without it: refused",
    ]  # fmt: skip
    assert not [record for record in written if record and (record.exc_info or record.levelno != logging.WARNING)]


def test_without_redis_the_cache_is_in_memory() -> None:
    assert "locmem" in caches("")["default"]["BACKEND"]
