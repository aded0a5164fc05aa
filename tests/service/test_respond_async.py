"""`Prefer: respond-async`: a reply that a worker generates, or a thread where there is none, as its sender sees it."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.operations.scraping import Numbers
from tests.postgresql import new_server
from tests.provider_server import PROVIDER_KEY, Gate, ProviderServer, hang, reply, writes
from tests.redis_server import RedisServer
from tests.service.running import Service, free_port, running
from tests.service.sse import all_events, events, text_of
from tests.service.workers import children, real_redis, until, worker

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.provider_server import Connection

pytest.importorskip("celery")

LATER = {"Prefer": "respond-async, wait=10"}
VISIBILITY_SECONDS = 2
WITHOUT, WITH = "a thread", "a worker"


@dataclass
class Stack:
    """A service and its provider; `worker` is a running one, if the test has one from the start."""

    service: Service
    provider: ProviderServer
    folder: Path
    redis: RedisServer | None = None
    worker: subprocess.Popen[bytes] | None = None

    @property
    def conversations(self) -> str:
        return f"{self.service.url}/api/v1/conversations"

    def start(self) -> str:
        """The address of a new conversation, which has a turn."""
        answer = httpx.post(self.conversations, json={"first_message": "Hello"}).json()
        return f"{self.conversations}/{answer['id']}"

    def at(self, location: str) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(self.service.url + location).json()
        return answer

    def ended(self, location: str) -> dict[str, Any]:
        """The reply, when nothing more of it will come."""
        assert until(lambda: self.at(location)["status"] != "in_progress")
        return self.at(location)

    def allow(self, day_tokens: int) -> None:
        """Give the demo's user a budget."""
        with sqlite3.connect(self.folder / "db.sqlite3") as database:
            database.execute(
                "INSERT INTO budgets (user_id, day_tokens) SELECT id, ? FROM users WHERE username = 'demo'",
                [day_tokens],
            )

    def spend(self, tokens: int) -> None:
        """Have the demo's user spend so much today."""
        with sqlite3.connect(self.folder / "db.sqlite3") as database:
            database.execute("UPDATE allowances SET day_tokens = ?, day = date()", [tokens])

    def outcomes(self, reply_id: int) -> list[str]:
        """What the ledger says of a reply's calls."""
        with sqlite3.connect(self.folder / "db.sqlite3") as database:
            rows = database.execute("SELECT outcome FROM llm_calls WHERE message_id = ? ORDER BY id", [reply_id])
            return [outcome for (outcome,) in rows]


def later(address: str, text: str = "Later", *, method: str = "POST", **headers: str) -> httpx.Response:
    return httpx.request(method, address, json={"message": text}, headers=LATER | headers)


@contextmanager
def stack(folder: Path, *, broker: str | None = None, **settings: str) -> Iterator[Stack]:
    """A service with a scripted provider, and unless told another broker, with a Redis of its own."""
    with ExitStack() as everything:
        provider = everything.enter_context(ProviderServer())
        redis = everything.enter_context(RedisServer()) if broker is None else None
        configured = {
            "GROQ_BASE_URL": provider.url,
            "GROQ_API_KEY": PROVIDER_KEY,
            "LLM_CHAIN": "groq/small",
            "CELERY_BROKER_URL": redis.url if redis else broker or "",
            "CELERY_VISIBILITY_SECONDS": str(VISIBILITY_SECONDS),
        }
        service = everything.enter_context(running(folder, **configured, **settings))
        yield Stack(service, provider, folder, redis)


@pytest.fixture(scope="module", params=[WITHOUT, pytest.param(WITH, marks=real_redis)])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("async")
    broker = "" if request.param == WITHOUT else None
    with stack(folder, broker=broker, SUMMARIZE_HISTORY="false") as made, ExitStack() as working:
        if broker is None:
            made.worker = working.enter_context(worker(made.service, folder / "worker.log"))
        yield made


@pytest.fixture
def served(both: Stack) -> Stack:
    both.provider.forget()
    return both


def test_a_start_is_accepted_and_its_reply_comes_later(served: Stack) -> None:
    served.provider.will(reply("Here I am.", after=2.0))
    began = time.monotonic()
    answer = httpx.post(served.conversations, json={"first_message": "Hi"}, headers=LATER)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert time.monotonic() - began < 1.9
    question, waiting = answer.json()["messages"]
    assert (question["content"], waiting["status"], waiting["content"]) == ("Hi", "in_progress", "")
    location = answer.headers["Location"]
    assert location == f"/api/v1/conversations/{answer.json()['id']}/messages/{waiting['id']}"
    assert served.at(location)["status"] == "in_progress"
    found = served.ended(location)
    assert (found["status"], found["content"], found["tokens_used"]) == ("complete", "Here I am.", 120)
    assert len(served.provider.requests) == 1
    assert served.outcomes(found["id"]) == ["ok"]


def test_every_way_to_ask_can_be_answered_later(served: Stack) -> None:
    conversation = served.start()
    put = later(conversation, method="PUT")
    assert (put.status_code, put.json()["content"], put.json()["role"]) == (202, "Later", "user")
    first = served.ended(put.headers["Location"])
    sent = later(f"{conversation}/messages", "Second")
    assert sent.json()["assistant_message"]["id"] == served.ended(sent.headers["Location"])["id"]
    again = httpx.post(f"{conversation}/messages/{first['id']}/regenerate", json={}, headers=LATER)
    siblings = [first["id"], again.json()["assistant_message"]["id"]]
    assert served.ended(again.headers["Location"])["sibling_ids"] == siblings
    edited = later(f"{conversation}/messages/{put.json()['id']}/edit", "Other")
    assert served.ended(edited.headers["Location"])["status"] == "complete"
    assert [answer.status_code for answer in (sent, again, edited)] == [202] * 3
    assert served.provider.requests[-1].body["messages"][-1]["content"] == "Other"


def test_a_reply_that_comes_later_can_be_followed_as_it_is_written(served: Stack) -> None:
    conversation = served.start()
    served.provider.will(writes("Once ", "upon ", "a ", "time.", gap=0.4))
    answer = later(f"{conversation}/messages")
    with events("GET", f"{served.service.url}{answer.headers['Location']}/events") as stream:
        received = list(stream)
    deltas = [event for event in received if event.name == "message.delta"]
    assert len(deltas) > 1
    assert (received[0].name, received[-1].name) == ("message.created", "message.completed")
    assert text_of(received) == "Once upon a time."


def test_a_reply_that_comes_later_can_be_cancelled(served: Stack) -> None:
    conversation = served.start()
    served.provider.will(writes("on ", "and ", "on ", gap=0.1, end="hang"))
    location = later(f"{conversation}/messages").headers["Location"]
    assert until(lambda: "on" in served.at(location)["content"])
    cancelled = httpx.post(f"{served.service.url}{location}/cancel").json()
    assert (cancelled["status"], cancelled["content"].startswith("on")) == ("cancelled", True)
    served.ended(later(f"{conversation}/messages").headers["Location"])


def test_a_repeated_request_is_told_of_the_same_reply_also_when_that_has_ended(served: Stack) -> None:
    conversation = served.start()
    served.provider.will(reply("Once", after=0.7))
    key = {"Idempotency-Key": "one"}
    first, second = (later(f"{conversation}/messages", **key) for _ in range(2))
    served.ended(first.headers["Location"])
    third = later(f"{conversation}/messages", **key)
    plain = httpx.post(f"{conversation}/messages", json={"message": "Later"}, headers=key)
    assert [answer.status_code for answer in (first, second, third, plain)] == [202, 202, 202, 200]
    assert len({answer.headers["Location"] for answer in (first, second, third)}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, second, third)] == [None, "true", "true"]
    assert third.json() == plain.json()
    assert plain.json()["assistant_message"]["content"] == "Once"
    assert len(served.provider.requests) == 2


def test_a_second_send_meanwhile_is_told_to_wait(served: Stack) -> None:
    conversation = served.start()
    served.provider.will(reply("Slow", after=1.0))
    location = later(f"{conversation}/messages").headers["Location"]
    assert later(f"{conversation}/messages", "Me too").status_code == 409
    served.ended(location)


def test_who_asks_for_events_gets_events_and_other_preferences_change_nothing(served: Stack) -> None:
    conversation = served.start()
    received = all_events("POST", f"{conversation}/messages", json={"message": "x", "stream": True}, headers=LATER)
    assert received[-1].name == "message.completed"
    plain = httpx.post(f"{conversation}/messages", json={"message": "x"}, headers={"Prefer": "return=minimal"})
    assert (plain.status_code, plain.headers.get("Preference-Applied")) == (200, None)


@real_redis
def test_a_sender_whose_budget_is_spent_is_told_so_and_one_that_does_not_cover_the_reply_is_why_it_failed(
    tmp_path: Path,
) -> None:
    with stack(tmp_path) as served, worker(served.service, tmp_path / "worker.log"):
        served.allow(50)
        location = httpx.post(served.conversations, json={"first_message": "Hi"}, headers=LATER).headers["Location"]
        found = served.ended(location)
        assert (found["status"], found["tokens_used"]) == ("failed", 0)
        assert "budget" in found["error"]
        assert served.provider.requests == []
        served.spend(50)
        refused = httpx.post(served.conversations, json={"first_message": "Not stored"}, headers=LATER)
        assert (refused.status_code, refused.json()["code"]) == (429, "budget_exceeded")
        assert httpx.get(f"{served.conversations}?search=Not stored").json()["total"] == 0


@real_redis
@pytest.mark.parametrize("victim", ["the working process", "the whole worker"])
def test_a_reply_whose_worker_is_killed_is_generated_once_more_and_stands_once(tmp_path: Path, victim: str) -> None:
    with stack(tmp_path) as served, ExitStack() as workers:
        conversation = served.start()
        served.provider.will(writes("Never ", "finished", gap=0.5, end="hang"), writes("The ", "whole."))
        process = workers.enter_context(worker(served.service, tmp_path / "worker.log"))
        location = later(f"{conversation}/messages").headers["Location"]
        stream = workers.enter_context(events("GET", f"{served.service.url}{location}/events"))
        received = [next(stream), next(stream)]
        assert until(lambda: "Never" in served.at(location)["content"])
        if victim == "the working process":
            (working,) = children(process.pid)
            os.kill(working, signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
            time.sleep(VISIBILITY_SECONDS + 1)
            workers.enter_context(worker(served.service, tmp_path / "worker.log"))
        received += list(stream)
        assert [event.name for event in received][-1] == "message.completed"
        assert "message.restarted" in [event.name for event in received]
        found = served.ended(location)
        assert text_of(received) == found["content"] == "The whole."
        assert served.outcomes(found["id"]) == ["abandoned", "ok"]
        history = httpx.get(f"{conversation}/messages").json()["messages"]
        assert [message["content"] for message in history[2:]] == ["Later", "The whole."]
        assert len(served.provider.requests) == 3


@real_redis
def test_a_worker_that_wakes_up_writes_nothing_over_the_answer_of_the_one_that_took_over(tmp_path: Path) -> None:
    with stack(tmp_path) as served, ExitStack() as workers:
        conversation = served.start()
        gate = Gate()
        served.provider.will(writes("Of ", gate, "the first."), writes("Of ", "the second."))
        first = workers.enter_context(worker(served.service, tmp_path / "first.log"))
        location = later(f"{conversation}/messages").headers["Location"]
        assert until(lambda: served.at(location)["content"] == "Of")
        os.killpg(first.pid, signal.SIGSTOP)
        time.sleep(VISIBILITY_SECONDS + 1)
        workers.enter_context(worker(served.service, tmp_path / "second.log"))
        answered = served.ended(location)
        assert answered["content"] == "Of the second."
        gate.open()
        os.killpg(first.pid, signal.SIGCONT)
        assert until(lambda: len(served.outcomes(answered["id"])) == 3)
        assert served.outcomes(answered["id"])[:2] == ["abandoned", "ok"]
        time.sleep(1)
        after = served.at(location)
        assert [after[name] for name in ("content", "status")] == ["Of the second.", "complete"]
        assert after["tokens_used"] >= answered["tokens_used"]


@real_redis
def test_a_worker_of_threads_has_many_replies_in_hand_at_once_over_few_connections(tmp_path: Path) -> None:
    many = ["--queues", "turns", "--pool", "threads", "--concurrency", "16"]
    database = {"DATABASE_URL": new_server().get_uri(), "DATABASE_POOL_SIZE": "4"}
    with stack(tmp_path, **database) as served, worker(served.service, tmp_path / "worker.log", *many):
        conversations = [served.start() for _ in range(12)]
        before = len(served.provider.requests)
        may_answer = threading.Event()

        def answer(connection: Connection) -> None:
            may_answer.wait(30)
            reply("An answer")(connection)

        served.provider.always(answer)
        locations = [later(f"{address}/messages").headers["Location"] for address in conversations]
        assert until(lambda: len(served.provider.requests) == before + len(locations))
        may_answer.set()
        assert {served.ended(location)["status"] for location in locations} == {"complete"}


@real_redis
def test_a_worker_tells_prometheus_what_its_processes_count(tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "tmp"
    folder.mkdir()
    with stack(tmp_path, WORKER_METRICS_PORT=str(port), TMPDIR=str(folder)) as served:
        locations = [later(f"{served.start()}/messages").headers["Location"] for _ in range(2)]
        of_web = Numbers(httpx.get(f"{served.service.url}/metrics").text)
        assert of_web("botgpt_turns_waiting") == 2
        assert of_web("botgpt_turns_waiting_oldest_seconds") > 0
        with worker(served.service, tmp_path / "worker.log") as process:
            for location in locations:
                served.ended(location)

            def told() -> Numbers:
                return Numbers(httpx.get(f"http://127.0.0.1:{port}/metrics").text)

            assert told()("botgpt_llm_calls_total", outcome="ok", model="small") == 2
            assert told()("botgpt_turn_seconds_count", status="complete") == 2
            assert Numbers(httpx.get(f"{served.service.url}/metrics").text)("botgpt_turns_waiting") == 0
            assert httpx.get(f"http://127.0.0.1:{port}/api/v1/conversations").status_code == 404
            conversation = served.start()
            served.provider.will(hang(), reply("Again"))
            later(f"{conversation}/messages")
            assert until(lambda: told()("botgpt_turns_in_flight") == 1)
            (working,) = children(process.pid)
            os.kill(working, signal.SIGKILL)
            assert until(lambda: told()("botgpt_turns_in_flight") == 0)
    assert not list(folder.iterdir())


@real_redis
def test_a_reply_that_the_broker_has_lost_is_ordered_again_by_whoever_asks_for_it(tmp_path: Path) -> None:
    with stack(tmp_path, LLM_TURN_SECONDS="3") as served:
        location = later(f"{served.start()}/messages").headers["Location"]
        assert served.redis is not None
        served.redis.stop()
        served.redis.start()
        with worker(served.service, tmp_path / "worker.log"):
            found = served.ended(location)
            assert (found["status"], served.outcomes(found["id"])) == ("complete", ["ok"])


@real_redis
def test_a_reply_that_no_worker_takes_is_given_up_and_cost_nothing(tmp_path: Path) -> None:
    with stack(tmp_path, LLM_TURN_SECONDS="1", TURN_QUEUE_SECONDS="2") as served:
        conversation = served.start()
        location = later(f"{conversation}/messages").headers["Location"]
        found = served.ended(location)
        assert (found["status"], found["error"]) == ("incomplete", "No worker has answered it in time.")
        assert served.outcomes(found["id"]) == []
        with worker(served.service, tmp_path / "worker.log"):
            assert later(f"{conversation}/messages", "Go on").status_code == 202
            assert until(lambda: len(served.provider.requests) == 2)
            assert served.at(location)["status"] == "incomplete"


def test_where_the_broker_does_not_answer_this_process_does_it(tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with stack(tmp_path, broker=nobody) as served:
        answer = later(f"{served.start()}/messages")
        assert answer.status_code == 202
        assert served.ended(answer.headers["Location"])["status"] == "complete"
