"""What must hold whatever dies: no acknowledged message is lost, no lock is left behind, and the money adds up."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest

from tests.postgresql import new_server, restart
from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, status, writes
from tests.service.running import Service, running
from tests.service.sse import all_events, events, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TURN_SECONDS = 10  # five heartbeats: two hundred senders may keep a slow machine from one for seconds
SENDERS = 200


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@dataclass(frozen=True, slots=True)
class Stack:
    """A service on a PostgreSQL of its own, which can be restarted."""

    service: Service
    provider: ProviderServer
    server: Any

    @property
    def conversations(self) -> str:
        return f"{self.service.url}/api/v1/conversations"

    def start(self, **body: Any) -> str:
        """The address of a new conversation's messages."""
        answer = httpx.post(self.conversations, json={"first_message": "Hello", **body}, timeout=30).json()
        return f"{self.conversations}/{answer['id']}/messages"

    def kill_workers(self) -> None:
        """kill -9 for every worker; gunicorn's master starts new ones."""
        children = Path(f"/proc/{self.service.process.pid}/task/{self.service.process.pid}/children").read_text()
        for pid in map(int, children.split()):
            os.kill(pid, signal.SIGKILL)
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.service.url}/health/ready").status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError("The service did not come back.")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.server.get_uri()) as connection:
            return connection.execute(sql).fetchall()

    def assert_that_it_adds_up(self) -> None:
        """The ledger, the messages and the allowance say the same, and no reply is left running."""
        ((booked, of_messages),) = self.rows(
            "SELECT sum(prompt_tokens + completion_tokens), sum(prompt_tokens + completion_tokens) FILTER "
            "(WHERE message_id IS NOT NULL) FROM llm_calls WHERE user_id IS NOT NULL"
        )
        ((on_messages,),) = self.rows("SELECT coalesce(sum(tokens_used), 0) FROM messages")
        ((settled,),) = self.rows("SELECT coalesce(sum(day_tokens), 0) FROM allowances")
        assert of_messages == on_messages
        assert booked == settled
        assert self.rows("SELECT count(*) FROM messages WHERE status = 'in_progress'") == [(0,)]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory, provider: ProviderServer) -> Iterator[Stack]:
    server = new_server()
    settings = {
        "DATABASE_URL": server.get_uri(),
        "GROQ_BASE_URL": provider.url,
        "GROQ_API_KEY": PROVIDER_KEY,
        "LLM_CHAIN": "groq/small,groq/large",
        "LLM_BACKOFF_SECONDS": "0.01",
        "LLM_TURN_SECONDS": str(TURN_SECONDS),
        "LLM_SKIP_AFTER": "1000",
        "LLM_BUDGET_DAY_TOKENS": "100000000",
        "LIMIT_TURNS": "",
        "LIMIT_READS": "",
        "MAX_TURNS_IN_FLIGHT": str(SENDERS),
    }
    with running(tmp_path_factory.mktemp("faults"), **settings) as service:
        yield Stack(service, provider, server)


@pytest.fixture
def stack(services: Stack) -> Iterator[Stack]:
    services.provider.forget()
    yield services
    services.assert_that_it_adds_up()


def send(messages: str, text: str, **headers: str) -> httpx.Response:
    return httpx.post(messages, json={"message": text}, headers=headers, timeout=30)


def test_two_hundred_sends_with_one_key_are_one_question_one_reply_and_one_call(stack: Stack) -> None:
    stack.provider.always(reply("Once", after=0.5))
    messages = stack.start()
    asked_before = len(stack.provider.requests)
    with ThreadPoolExecutor(SENDERS) as pool:
        key = {"Idempotency-Key": "the-same"}
        answers = list(pool.map(lambda _: send(messages, "Only once", **key), range(SENDERS)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Counter(answer.headers.get("Idempotent-Replayed") for answer in answers) == {None: 1, "true": SENDERS - 1}
    assert len(stack.provider.requests) == asked_before + 1
    history = httpx.get(messages).json()["messages"]
    assert [message["content"] for message in history[2:]] == ["Only once", "Once"]


def test_starting_with_one_key_many_times_makes_one_conversation(stack: Stack) -> None:
    stack.provider.always(reply("Once", after=0.3))

    def start(_: int) -> httpx.Response:
        headers = {"Idempotency-Key": "start"}
        return httpx.post(stack.conversations, json={"first_message": "Hi"}, headers=headers, timeout=30)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(start, range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(stack.provider.requests) == 1


def test_of_many_senders_at_once_each_is_answered_or_told_to_wait(stack: Stack) -> None:
    stack.provider.always(reply("Hello", after=0.2))
    messages = stack.start()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: send(messages, f"Question {number}"), range(20)))
    answered = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert answered
    assert len(answered) + len(refused) == 20
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    history = httpx.get(f"{messages}?limit=200").json()["messages"]
    assert len(history) == 2 + 2 * len(answered)


def test_a_worker_killed_while_it_waits_for_the_model_leaves_the_question_and_no_lock(stack: Stack) -> None:
    messages = stack.start()
    stack.provider.will(reply("Never read", after=20))
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send, messages, "Do not lose me")
        _until(lambda: len(stack.provider.requests) == 2)
        stack.kill_workers()
        with pytest.raises(httpx.HTTPError):
            sent.result()
    question, lost = httpx.get(messages).json()["messages"][-2:]
    assert (question["content"], lost["status"]) == ("Do not lose me", "in_progress")
    assert send(messages, "Too early").status_code == 409
    time.sleep(TURN_SECONDS + 0.5)
    assert send(messages, "Go on").status_code == 200
    assert httpx.get(f"{messages}/{lost['id']}").json()["status"] == "incomplete"
    ((outcome, cost),) = stack.rows(f"SELECT outcome, cost FROM llm_calls WHERE message_id = {lost['id']}")
    assert (outcome, cost) == ("abandoned", None)


def test_a_worker_killed_in_mid_stream_leaves_the_text_that_it_had_shown(stack: Stack) -> None:
    messages = stack.start()
    stack.provider.will(writes("It ", "was ", "a ", "dark ", "night.", gap=0.15, end="hang"))
    with events("POST", messages, json={"message": "Tell me", "stream": True}) as stream:
        reply_id = next(stream).data["assistant_message_id"]
        _until(lambda: httpx.get(f"{messages}/{reply_id}").json()["content"].startswith("It was a dark"))
        stack.kill_workers()
    rest = all_events("GET", f"{messages}/{reply_id}/events")  # waits until the deadline, and is told
    assert rest[-1].name == "message.failed"
    message = rest[-1].data["message"]
    assert message["status"] == "incomplete"
    assert text_of(rest) == message["content"]
    assert message["content"].startswith("It was a dark")
    assert send(messages, "Go on").status_code == 200


def test_a_worker_killed_after_the_answer_was_stored_changes_nothing(stack: Stack) -> None:
    messages = stack.start()
    answer = send(messages, "Before", **{"Idempotency-Key": "before"}).json()
    stack.kill_workers()
    again = send(messages, "Before", **{"Idempotency-Key": "before"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == answer


def test_a_database_that_restarts_in_the_middle_of_a_turn_does_not_cost_the_reply(stack: Stack) -> None:
    messages = stack.start()
    stack.provider.will(reply("Worth keeping", after=1.0))
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send, messages, "Hold on")
        _until(lambda: len(stack.provider.requests) == 2)
        restart(stack.server)
        answer = sent.result()
    assert answer.status_code == 200
    assert answer.json()["assistant_message"]["content"] == "Worth keeping"
    assert httpx.get(messages).json()["messages"][-1]["content"] == "Worth keeping"


def test_a_stream_outlives_its_client_and_a_provider_that_breaks_off(stack: Stack) -> None:
    messages = stack.start()
    stack.provider.will(writes("Half ", "an ", gap=0.1, end="cut"), model="small")
    stack.provider.will(writes("The ", "whole.", gap=0.1), model="large")
    with events("POST", messages, json={"message": "x", "stream": True}) as stream:
        reply_id = next(stream).data["assistant_message_id"]
        next(event for event in stream if event.name == "message.delta")
    finished = all_events("GET", f"{messages}/{reply_id}/events")
    assert text_of(finished) == "The whole."
    rows = stack.rows(f"SELECT model, outcome, estimated FROM llm_calls WHERE message_id = {reply_id} ORDER BY id")
    assert rows == [("small", "unavailable", True), ("large", "ok", False)]


def test_a_reply_is_cancelled_from_every_process(stack: Stack) -> None:
    for _ in range(4):
        messages = stack.start()
        stack.provider.will(writes("on ", "and ", "on ", gap=0.1, end="hang"))
        with events("POST", messages, json={"message": "x", "stream": True}) as stream:
            reply_id = next(stream).data["assistant_message_id"]
            next(event for event in stream if event.name == "message.delta")
            assert httpx.post(f"{messages}/{reply_id}/cancel", timeout=10).json()["status"] == "cancelled"
            assert list(stream)[-1].name == "message.cancelled"


def test_a_rolling_restart_loses_no_turn(stack: Stack) -> None:
    messages = [stack.start() for _ in range(4)]
    stack.provider.always(reply("Finished", after=1.0))
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(send, address, "Take your time") for address in messages]
        _until(lambda: len(stack.provider.requests) == 8)
        stack.service.process.send_signal(signal.SIGHUP)  # gunicorn replaces its workers one by one
        assert [answer.result().status_code for answer in sent] == [200] * 4
    stack.wait_until_it_answers()


def test_a_provider_that_is_down_leaves_a_fallback_and_regenerating_mends_it(stack: Stack) -> None:
    messages = stack.start()
    stack.provider.will(*[status(503)] * 6)
    failed = send(messages, "Anyone?").json()["assistant_message"]
    assert (failed["status"], failed["model_used"]) == ("failed", None)
    mended = httpx.post(f"{messages}/{failed['id']}/regenerate", json={}, timeout=30).json()["assistant_message"]
    assert (mended["status"], mended["sibling_ids"]) == ("complete", [failed["id"], mended["id"]])
    assert [m["id"] for m in httpx.get(messages).json()["messages"]][-1] == mended["id"]


def _until(condition: Any) -> None:
    until = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.05)
