"""A process that is full of turns refuses the next one before anything is stored, and goes on reading."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.operations.scraping import Numbers
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply
from tests.service.running import running
from tests.service.sse import events
from tests.service.workers import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.provider_server import Connection

THREADS = 6
PLACES = 5


class Full:
    """A service of one process, and a provider that answers when it is told to."""

    def __init__(self, url: str, provider: ProviderServer) -> None:
        self.url, self.provider = url, provider
        self.conversations = f"{url}/api/v1/conversations"
        self.may_answer = threading.Event()
        provider.always(self._answer)

    def _answer(self, connection: Connection) -> None:
        self.may_answer.wait(30)
        reply("An answer")(connection)

    def ask(self, text: str = "Hi", **headers: str) -> httpx.Response:
        return httpx.post(self.conversations, json={"first_message": text}, headers=headers, timeout=30)

    def waiting(self) -> Callable[[int], bool]:
        before = len(self.provider.requests)
        return lambda number: until(lambda: len(self.provider.requests) == before + number)

    def refused(self) -> float:
        return Numbers(httpx.get(f"{self.url}/metrics").text)("botgpt_turns_refused_total")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    settings = {"WEB_CONCURRENCY": "1", "WEB_THREADS": str(THREADS), "GROQ_API_KEY": PROVIDER_KEY}
    folder = tmp_path_factory.mktemp("full")
    with ProviderServer() as groq, running(folder, GROQ_BASE_URL=groq.url, LLM_CHAIN="groq/small", **settings) as one:
        yield Full(one.url, groq)


@pytest.mark.parametrize("kind", ["whole", "as events", "later"])
def test_the_turn_that_is_too_many_is_told_so_and_nothing_of_it_is_stored(full: Full, kind: str) -> None:
    headers = {"whole": {}, "as events": {"Accept": "text/event-stream"}, "later": {"Prefer": "respond-async"}}[kind]
    full.may_answer.clear()
    wait, before = full.waiting(), full.refused()
    with ThreadPoolExecutor(PLACES) as pool:
        asked = [pool.submit(full.ask, **headers) for _ in range(PLACES)]
        assert wait(PLACES)
        refused = full.ask("One too many", **headers)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        began = time.monotonic()
        listed = httpx.get(f"{full.conversations}?search=One too many")
        assert listed.json()["total"] == 0
        assert time.monotonic() - began < 2
        assert full.refused() == before + 1
        full.may_answer.set()
        assert {answer.result().status_code for answer in asked} == {202 if kind == "later" else 201}
    assert until(lambda: full.ask("Now there is room").is_success)


def test_who_follows_a_reply_has_a_place_until_the_connection_ends(full: Full) -> None:
    full.may_answer.clear()
    wait = full.waiting()
    with ExitStack() as followers:
        address = full.url + full.ask(**{"Prefer": "respond-async"}).headers["Location"]
        assert wait(1)
        for _ in range(PLACES - 1):
            next(followers.enter_context(events("GET", f"{address}/events")))
        refused = httpx.get(f"{address}/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    full.may_answer.set()
    assert until(lambda: httpx.get(f"{address}/events").is_success)


def test_a_key_that_came_with_a_refused_request_is_free_for_the_next_try(full: Full) -> None:
    full.may_answer.clear()
    wait = full.waiting()
    with ThreadPoolExecutor(PLACES) as pool:
        asked = [pool.submit(full.ask) for _ in range(PLACES)]
        assert wait(PLACES)
        assert full.ask("Again", **{"Idempotency-Key": "again"}).status_code == 503
        full.may_answer.set()
        assert {answer.result().status_code for answer in asked} == {201}
    answer = full.ask("Again", **{"Idempotency-Key": "again"})
    assert (answer.status_code, answer.headers.get("Idempotent-Replayed")) == (201, None)
