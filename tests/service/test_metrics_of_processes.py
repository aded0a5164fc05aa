"""`/metrics` under a real gunicorn: the numbers of all its processes, and its log lines."""

from __future__ import annotations

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.operations.scraping import Numbers
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.service.running import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider_server import Connection

SECRET = "the secret of the lighthouse"
TURNS = 12


def scraped(url: str) -> Numbers:
    return Numbers(urllib.request.urlopen(f"{url}/metrics").read().decode())


def ask(url: str) -> None:
    body = json.dumps({"first_message": SECRET}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/conversations", body, headers)
    assert urllib.request.urlopen(request).status == 201


def test_two_processes_tell_one_set_of_numbers_and_leave_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    together = threading.Barrier(TURNS + 1, timeout=30)

    def answer(connection: Connection) -> None:
        together.wait()  # all turns are in flight
        together.wait()  # and have been seen to be
        reply("An answer")(connection)

    settings = {"GROQ_API_KEY": PROVIDER_KEY, "LLM_CHAIN": "groq/small", "LOG_FORMAT": "json", "WEB_CONCURRENCY": "2"}
    with ProviderServer() as groq, running(tmp_path, TMPDIR=str(folder), GROQ_BASE_URL=groq.url, **settings) as service:
        groq.always(answer)
        with ThreadPoolExecutor(TURNS) as pool:
            turns = [pool.submit(ask, service.url) for _ in range(TURNS)]
            together.wait()
            in_flight = scraped(service.url)("botgpt_turns_in_flight")
            together.wait()
            for turn in turns:
                turn.result()
        route = {"route": "api/v1/conversations", "method": "POST", "status": "201"}
        # Each scrape is answered by one of the two; both know everything.
        found = [scraped(service.url) for _ in range(8)]
        assert in_flight == TURNS
        for numbers in found:
            assert numbers("botgpt_http_request_seconds_count", **route) == TURNS
            assert numbers("botgpt_llm_calls_total", outcome="ok", model="small") == TURNS
            assert numbers("botgpt_llm_tokens_total", kind="prompt") == TURNS * 100
            assert numbers("botgpt_turns_in_flight") == 0
        assert list(folder.glob("botgpt-metrics-*/*.db"))
        assert service.stop() == 0
    assert not list(folder.iterdir())
    lines = [json.loads(line) for line in service.output.splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["event"] == "request" and line.get("tokens")]
    assert len(requests) == TURNS
    assert {(line["tokens"], line["llm_calls"], line["route"]) for line in requests} == {
        (120, 1, "api/v1/conversations")
    }
    assert len({line["request_id"] for line in requests}) == TURNS
    assert SECRET not in service.output
