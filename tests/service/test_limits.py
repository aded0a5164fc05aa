"""Limits on a real service: two processes of many threads count together, to the call."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from botgpt.api.counters import FileCounter
from tests.service.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service.running import Service

# A day's windows: the test cannot meet the end of one, but at midnight.
LIMITS = {"LIMIT_READS": "40/day", "LIMIT_TURNS": "7/day", "LIMIT_UPLOADS": "5/day"}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("limited")
    with running(folder, LIMITS_FILE=str(folder / "limits.sqlite3"), WEB_CONCURRENCY="2", **LIMITS) as service:
        yield service


def at_once(service: Service, method: str, path: str, bodies: list[dict[str, str] | None]) -> list[httpx.Response]:
    with ThreadPoolExecutor(16) as pool:
        url = f"{service.url}/api/v1/{path}"
        return list(pool.map(lambda body: httpx.request(method, url, json=body, timeout=60), bodies))


def test_of_concurrent_reads_exactly_the_limit_gets_through(limited: Service) -> None:
    answers = at_once(limited, "GET", "conversations", [None] * 120)
    assert Counter(answer.status_code for answer in answers) == {200: 40, 429: 80}
    left = sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer in answers if answer.status_code == 200)
    assert left == list(range(40))


def test_of_concurrent_model_calls_and_uploads_exactly_the_limit_gets_through(limited: Service) -> None:
    answers = at_once(limited, "POST", "conversations", [{"first_message": "Hello"}] * 20)
    assert Counter(answer.status_code for answer in answers) == {201: 7, 429: 13}
    files: list[dict[str, str] | None] = [{"filename": f"{n}.txt", "content": f"Text {n}"} for n in range(10)]
    answers = at_once(limited, "POST", "documents", files)
    assert Counter(answer.status_code for answer in answers) == {201: 5, 429: 5}


@pytest.mark.parametrize("round_number", range(60))  # opening a new file is where they can get in each other's way
def test_a_file_counts_every_call_of_many_threads_and_connections(tmp_path: Path, round_number: int) -> None:
    counters = [FileCounter(tmp_path / "limits.sqlite3") for _ in range(8)]
    together = threading.Barrier(8)
    seen: list[int] = []

    def run(number: int) -> None:
        together.wait()
        seen.extend(counters[number].add_one("user:1", ends=2**40) for _ in range(5))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 41))


def test_windows_that_are_over_are_swept(tmp_path: Path) -> None:
    counter = FileCounter(tmp_path / "limits.sqlite3")
    for ends in (10, 20):
        assert [counter.add_one(f"user:{n}", ends=ends) for n in range(3)] == [1, 1, 1]
    assert counter.add_one("user:9", ends=2**40) == 1
    assert counter._connection is not None
    assert counter._connection.execute("SELECT name FROM calls").fetchall() == [("user:9",)]
