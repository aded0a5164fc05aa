"""Limits that are counted in Redis: exactly, and not at all while it is away."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from django.core.cache import caches

from botgpt.api.counters import Counter
from botgpt.api.rates import Rate
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings
    from rest_framework.test import APIClient

CONVERSATIONS = "/api/v1/conversations"


@pytest.fixture
def redis(settings: Settings, tmp_path: Path) -> RedisServer:
    """The cache's server; it does not run yet."""
    server = RedisServer()
    options = {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 1, "SOCKET_TIMEOUT": 1}
    cache = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": server.url, "OPTIONS": options}
    settings.CACHES = {"default": cache}
    settings.LIMITS_FILE = tmp_path / "limits.sqlite3"
    return server


def test_of_many_threads_each_gets_a_count_of_its_own(redis: RedisServer) -> None:
    counter, counts = Counter(), list[int | None]()
    together = threading.Barrier(16)
    ends = int(time.time()) + 60

    def count() -> None:
        together.wait()
        counts.extend(counter.add_one("user:1", ends=ends) for _ in range(25))

    with redis:
        threads = [threading.Thread(target=count) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(counts, key=int) == list(range(1, 401))  # type: ignore[arg-type]


def test_the_window_is_forgotten_when_it_is_over(redis: RedisServer) -> None:
    with redis:
        ends = int(time.time()) + 60
        assert [Counter().add_one("user:1", ends=ends) for _ in range(2)] == [1, 2]
        (key,) = caches["default"].keys("calls:*")  # type: ignore[attr-defined]
        assert 60 <= caches["default"].ttl(key) <= 70  # type: ignore[attr-defined]
        assert Counter().add_one("user:1", ends=ends + 60) == 1


def test_the_api_answers_without_limits_while_redis_is_away(
    api: APIClient, redis: RedisServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMITS = settings.LIMITS | {"reads": Rate(2, 86_400)}
    with redis:
        assert [api.get(CONVERSATIONS).status_code for _ in range(3)] == [200, 200, 429]
    away = [api.get(CONVERSATIONS) for _ in range(3)]
    assert {response.status_code for response in away} == {200}
    assert not any("X-RateLimit-Limit" in response for response in away)
    with redis:
        assert [api.get(CONVERSATIONS).status_code for _ in range(3)] == [200, 200, 429]
    said = [record.message for record in caplog.records if record.name == "botgpt.api.counters"]
    assert said == ["limits are not kept", "limits are kept again"]
    assert not list(settings.LIMITS_FILE.parent.glob("limits*"))
