"""Redis goes away under a running service, and comes back: the API answers all the time."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.redis_server import RedisServer
from tests.service.running import running

if TYPE_CHECKING:
    from pathlib import Path


def cache_state(url: str) -> str:
    checks: dict[str, Any] = json.load(urllib.request.urlopen(f"{url}/health/ready"))["checks"]
    return str(checks["cache"])


def ask(url: str) -> str:
    body = json.dumps({"first_message": "How long is the warranty on the Alta?"}).encode()
    headers = {"content-type": "application/json"}
    answer = urllib.request.urlopen(urllib.request.Request(f"{url}/api/v1/conversations", body, headers))
    return str(json.load(answer)["messages"][1]["status"])


def test_the_api_answers_through_an_outage_of_redis(tmp_path: Path) -> None:
    with RedisServer() as redis, running(tmp_path, REDIS_URL=redis.url, WEB_CONCURRENCY="1") as service:
        assert (ask(service.url), cache_state(service.url)) == ("complete", "ok")
        redis.stop()
        assert [ask(service.url) for _ in range(3)] == ["complete"] * 3
        assert [cache_state(service.url) for _ in range(3)] == ["failed"] * 3
        redis.start()
        assert (ask(service.url), cache_state(service.url)) == ("complete", "ok")
        assert service.output.count("Redis does not answer") == 1
        assert "Traceback" not in service.output
