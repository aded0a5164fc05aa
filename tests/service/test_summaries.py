"""A service that stops lets a summary end that it has begun."""

from __future__ import annotations

import json
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.service.running import running

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
