"""Processes of gunicorn are replaced while turns run, in every way there is, and no turn is lost."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, writes
from tests.service.running import Service, running
from tests.service.sse import all_events, text_of
from tests.service.workers import children, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.provider_server import Connection

ANSWER = "An answer that takes its time."
SENDERS = 6
SECONDS = 60


class Load:
    """Senders that ask one question after the other, whole and as events in turns, and count how that ended."""

    def __init__(self, service: Service) -> None:
        self.conversations = f"{service.url}/api/v1/conversations"
        self.ended: Counter[str] = Counter()
        self.is_over = threading.Event()
        self._lock = threading.Lock()

    def send(self, number: int) -> None:
        while not self.is_over.is_set():
            number += 1
            try:
                how = self._streamed() if number % 2 else self._whole()
            except httpx.HTTPError as exc:
                how = repr(exc)
            with self._lock:
                self.ended[how] += 1

    def _whole(self) -> str:
        answer = httpx.post(self.conversations, json={"first_message": "Whole"}, timeout=SECONDS).json()
        reply = answer["messages"][1]
        return str(reply["status"] if reply["content"] == ANSWER else reply)

    def _streamed(self) -> str:
        body = {"first_message": "As events", "stream": True}
        received = all_events("POST", self.conversations, json=body)
        return received[-1].name.removeprefix("message.") if text_of(received) == ANSWER else str(received)


def answer(connection: Connection) -> None:
    written = writes(*re.findall(r"\S+\s*", ANSWER), gap=0.1)
    (written if connection.received.body.get("stream") else reply(ANSWER, after=0.6))(connection)


@contextmanager
def under_load(service: Service) -> Iterator[Load]:
    load = Load(service)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(load.send, number) for number in range(SENDERS)]
        try:
            yield load
        finally:
            load.is_over.set()
        for sender in sending:
            sender.result()


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        server.always(answer)
        yield server


@contextmanager
def serving(folder: Path, provider: ProviderServer, **settings: str) -> Iterator[Service]:
    groq = {"GROQ_BASE_URL": provider.url, "GROQ_API_KEY": PROVIDER_KEY, "LLM_CHAIN": "groq/small"}
    with running(folder, WEB_CONCURRENCY="2", **groq, **settings) as service:
        yield service


def assert_that_nothing_was_lost(load: Load, provider: ProviderServer, asked_before: int) -> None:
    assert set(load.ended) == {"complete", "completed"}
    assert load.ended.total() == len(provider.requests) - asked_before
    listed = httpx.get(load.conversations, params={"page_size": 100}).json()
    assert listed["total"] >= load.ended.total()


@pytest.mark.parametrize("hangups", [0, 4], ids=["after so many requests", "and by hangups besides"])
def test_a_worker_that_is_replaced_ends_its_turns(tmp_path: Path, provider: ProviderServer, hangups: int) -> None:
    asked_before = len(provider.requests)
    with serving(tmp_path, provider, WEB_MAX_REQUESTS="10") as service:
        master = service.process.pid
        seen = set(children(master))
        with under_load(service) as load:
            for _ in range(hangups):
                time.sleep(1.5)
                seen |= set(children(master))
                os.kill(master, signal.SIGHUP)

            def replaced() -> bool:
                seen.update(children(master))
                return len(seen) >= 2 + 2 * (hangups or 2)

            assert until(replaced)
        assert_that_nothing_was_lost(load, provider, asked_before)


def test_a_new_master_takes_over_and_the_old_one_ends_its_turns(tmp_path: Path, provider: ProviderServer) -> None:
    asked_before = len(provider.requests)
    with serving(tmp_path, provider) as service:
        old = service.process
        workers = set(children(old.pid))
        try:
            with under_load(service) as load:
                os.kill(old.pid, signal.SIGUSR2)
                assert until(lambda: any(children(new) for new in set(children(old.pid)) - workers))
                time.sleep(1)
                old.terminate()
                assert old.wait(timeout=SECONDS) == 0
                before = load.ended.total()
                assert until(lambda: load.ended.total() > before + SENDERS)
            assert_that_nothing_was_lost(load, provider, asked_before)
        finally:
            os.killpg(old.pid, signal.SIGTERM)  # the new master is a process of the old one's group
            assert until(lambda: not _group(old.pid))


def _group(leader: int) -> str:
    listed = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True, check=False)
    return listed.stdout
