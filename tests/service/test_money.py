"""Budgets of a running service: many workers and threads, one limit, and a provider that fails."""

from __future__ import annotations

import json
import random
import sqlite3
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.provider_server import (
    PROVIDER_KEY,
    ProviderServer,
    body,
    broken_json,
    chat_completion,
    cut,
    reply,
    status,
)
from tests.service.running import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENTS = 100
EMPTY = chat_completion("", choices=[{"index": 0, "message": {"content": ""}, "finish_reason": "stop"}])


@pytest.fixture
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


def settings_for(provider: ProviderServer, **more: str) -> dict[str, str]:
    return {
        "GROQ_API_KEY": PROVIDER_KEY,
        "GROQ_BASE_URL": provider.url,
        "LLM_CHAIN": "groq/openai/gpt-oss-20b,groq/openai/gpt-oss-120b",
        "LLM_BACKOFF_SECONDS": "0.05",
        "MAX_COMPLETION_TOKENS": "20",
        "MAX_TURNS_IN_FLIGHT": str(CLIENTS),  # one process may get all of them
        **more,
    }


def start(service: Service, number: int) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        f"{service.url}/api/v1/conversations",
        data=json.dumps({"first_message": f"Question {number}"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def all_at_once(service: Service) -> list[tuple[int, dict[str, Any]]]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda number: start(service, number), range(CLIENTS)))


def figures(folder: Path, sql: str) -> tuple[int, ...]:
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        return tuple(database.execute(sql).fetchone())


def assert_that_it_adds_up(folder: Path) -> int:
    """Ledger, messages and allowance say the same, and nothing is held; gives the tokens."""
    ledger = figures(
        folder,
        "SELECT SUM(prompt_tokens + completion_tokens), SUM(CAST(ROUND(COALESCE(cost, 0) * 1e10) AS INTEGER))"
        " FROM llm_calls WHERE model != 'offline'",
    )
    messages = figures(folder, "SELECT SUM(tokens_used) FROM messages WHERE model_used IS NOT 'offline'")
    offline = figures(
        folder, "SELECT COALESCE(SUM(prompt_tokens + completion_tokens), 0) FROM llm_calls WHERE model = 'offline'"
    )
    allowance = figures(folder, "SELECT day_tokens, day_cost FROM allowances")
    assert (allowance[0] - offline[0], allowance[1]) == ledger
    assert messages == ledger[:1]
    assert figures(folder, "SELECT reserved_tokens, reserved_cost FROM allowances") == (0, 0)
    assert figures(folder, "SELECT COUNT(*) FROM budget_holds") == (0,)
    assert figures(folder, "SELECT COUNT(*) FROM messages WHERE status = 'in_progress'") == (0,)
    return ledger[0]


def test_a_hundred_turns_at_once_do_not_pass_the_limit(tmp_path: Path, provider: ProviderServer) -> None:
    limit = 3_000
    provider.always(reply(after=0.3))
    with running(tmp_path, **settings_for(provider, LLM_BUDGET_DAY_TOKENS=str(limit))) as service:
        before = figures(tmp_path, "SELECT COUNT(*) FROM conversations")[0]
        answers = all_at_once(service)
        statuses = Counter(code for code, _ in answers)
        assert set(statuses) == {201, 429}
        assert {answer["code"] for code, answer in answers if code == 429} == {"budget_exceeded"}
        assert {answer["scope"] for code, answer in answers if code == 429} == {"day_tokens"}
        assert len(provider.requests) == statuses[201]
        assert figures(tmp_path, "SELECT COUNT(*) FROM conversations")[0] - before == statuses[201]
        assert figures(tmp_path, "SELECT conversation_count FROM users WHERE username = 'demo'")[0] == (
            before + statuses[201]
        )
        assert 0 < assert_that_it_adds_up(tmp_path) <= limit
        # What was given back can be spent: one at a time, until less than a reply is left.
        while start(service, 0)[0] == 201:
            pass
        spent = assert_that_it_adds_up(tmp_path)
        assert limit - 400 < spent <= limit


def test_the_sums_agree_when_the_provider_fails_in_every_way(tmp_path: Path, provider: ProviderServer) -> None:
    dice = random.Random(7)
    faults = [reply(), reply(usage=None), status(500), status(429), cut(), broken_json(), body(EMPTY), reply(after=0.2)]
    provider.will(*dice.choices(faults, k=400))
    with running(tmp_path, **settings_for(provider, LLM_BUDGET_DAY_TOKENS="10000000")) as service:
        answers = all_at_once(service)
        assert {code for code, _ in answers} == {201}
        assert {answer["messages"][1]["status"] for _, answer in answers} >= {"complete"}
        assert assert_that_it_adds_up(tmp_path) > CLIENTS * 60
