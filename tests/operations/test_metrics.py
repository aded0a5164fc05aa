"""What `/metrics` says, and to whom."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client

from botgpt.operations import metrics
from documents.models import Document
from llm.events import llm_called
from tests.builders import conversation_of, document_of
from tests.operations.scraping import scrape
from tests.provider_server import reply, status

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User
    from tests.provider_server import Connection, ProviderServer

CONVERSATIONS = "/api/v1/conversations"
MESSAGES = "api/v1/conversations/<int:pk>/messages"


def ask(api: APIClient, text: str = "Hello", **more: Any) -> None:
    response = api.post(CONVERSATIONS, {"first_message": text, **more}, format="json")
    assert response.status_code == 201, response.content


def test_a_request_is_counted_by_route_method_and_status_with_its_queries(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice)
    before = scrape(api)
    api.get(f"{CONVERSATIONS}/{conversation.pk}")
    api.get(f"{CONVERSATIONS}/999999")
    after = scrape(api)
    route = "api/v1/conversations/<int:pk>"
    for code in ("200", "404"):
        labels = {"method": "GET", "route": route, "status": code}
        name = "botgpt_http_request_seconds_count"
        assert after(name, **labels) - before(name, **labels) == 1
    queries = "botgpt_db_queries_per_request"
    assert after(f"{queries}_count", route=route) - before(f"{queries}_count", route=route) == 2
    made = after(f"{queries}_sum", route=route) - before(f"{queries}_sum", route=route)
    timed = "botgpt_db_query_seconds_count"
    assert 2 <= made <= after(timed, database="default") - before(timed, database="default")


def test_addresses_and_methods_that_a_caller_makes_up_make_no_new_series(client: Client, db: None) -> None:
    for number in range(3):
        client.generic("GET", f"/nowhere/{number}")
        client.generic(f"VERB{number}", "/health")
    found = scrape(client)
    name = "botgpt_http_request_seconds_count"
    assert not [route for route in found.labels(name, "route") if "nowhere" in route]
    assert "unmatched" in found.labels(name, "route")
    assert not [method for method in found.labels(name, "method") if method.startswith("VERB")]


def test_calls_are_counted_with_their_outcome_tokens_and_cost(
    api: APIClient, groq: ProviderServer, settings: Settings
) -> None:
    settings.LLM_CHAIN = ["groq/openai/gpt-oss-20b", "groq/large"]
    usage = {"prompt_tokens": 1_000_000, "completion_tokens": 10}
    groq.will(status(500), reply("Hello", usage=usage))
    before = scrape(api)
    ask(api)
    after = scrape(api)

    def grown(name: str, **labels: str) -> float:
        labels |= {"provider": "groq", "model": "openai/gpt-oss-20b"}
        return after(name, **labels) - before(name, **labels)

    assert grown("botgpt_llm_calls_total", outcome="ok", purpose="reply") == 1
    assert grown("botgpt_llm_calls_total", outcome="unavailable") == 1
    assert grown("botgpt_llm_tokens_total", kind="prompt") == 1_000_000
    assert grown("botgpt_llm_tokens_total", kind="completion") == 10
    assert grown("botgpt_llm_call_seconds_count") == 2
    assert 0.01 < grown("botgpt_llm_cost_dollars_total") < 1


def test_a_call_without_a_known_price_is_counted_apart(api: APIClient, groq: ProviderServer) -> None:
    before = scrape(api)
    ask(api)
    after = scrape(api)
    name = "botgpt_llm_unpriced_calls_total"
    assert after(name, model="small") - before(name, model="small") == 1


def test_a_model_that_is_given_up_is_counted_by_why(api: APIClient, groq: ProviderServer, settings: Settings) -> None:
    settings.LLM_MAX_ATTEMPTS = 1
    groq.will(status(429), reply("From the large one"))
    before = scrape(api)
    ask(api)
    after = scrape(api)
    labels = {"model": "groq/small", "outcome": "rate_limited"}
    name = "botgpt_llm_models_given_up_total"
    assert after(name, **labels) - before(name, **labels) == 1


def test_turns_are_in_flight_while_the_model_works_and_timed_afterwards(api: APIClient, groq: ProviderServer) -> None:
    seen: list[float] = []

    def look(connection: Connection) -> None:
        seen.append(metrics.TURNS_IN_FLIGHT._value.get())
        reply("Hello")(connection)

    groq.will(look)
    before = scrape(api)
    ask(api)
    after = scrape(api)
    assert seen == [before("botgpt_turns_in_flight") + 1]
    assert after("botgpt_turns_in_flight") == before("botgpt_turns_in_flight")
    name = "botgpt_turn_seconds_count"
    assert after(name, status="complete") - before(name, status="complete") == 1


def test_a_turn_that_breaks_is_in_flight_no_more(
    api: APIClient, groq: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.raise_request_exception = False
    monkeypatch.setattr("llm.replies.checked", lambda *_, **__: 1 / 0)
    before = scrape(api)
    assert api.post(CONVERSATIONS, {"first_message": "Hello"}, format="json").status_code == 500
    after = scrape(api)
    assert after("botgpt_turns_in_flight") == before("botgpt_turns_in_flight")
    name = "botgpt_turn_seconds_count"
    assert after(name, status="failed") - before(name, status="failed") == 1


@pytest.mark.parametrize(("question", "relevant"), [("Where is the harbour?", "yes"), ("Xyzzy plugh?", "no")])
def test_searches_for_a_reply_are_timed(
    api: APIClient, alice: User, groq: ProviderServer, question: str, relevant: str
) -> None:
    document = document_of(alice, "The harbour is behind the old lighthouse.")
    before = scrape(api)
    ask(api, question, mode="rag", document_ids=[document.pk])
    after = scrape(api)
    name = "botgpt_retrieval_seconds_count"
    assert after(name, relevant=relevant) - before(name, relevant=relevant) == 1


def test_documents_that_wait_are_counted_by_status(api: APIClient, alice: User) -> None:
    document_of(alice, "This one is ready.")
    for number, state in enumerate(["pending", "processing", "processing", "failed"]):
        Document.objects.create(owner=alice, filename="x", file="x", sha256=str(number), status=state)
    found = scrape(api)
    counts = {state: found("botgpt_documents", status=state) for state in ("pending", "processing", "failed", "ready")}
    assert counts == {"pending": 1, "processing": 2, "failed": 1, "ready": 0}
    assert found("botgpt_documents_oldest_seconds", status="pending") >= 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's planner is asked")
def test_counting_what_waits_can_use_its_index_alone(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        rows = Document.objects.filter(status__in=["pending", "processing", "failed"]).order_by()
        assert "documents_unready" in rows.values("status").explain()


def test_without_the_database_the_other_numbers_are_told(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE documents RENAME TO elsewhere")  # undone with the test's transaction
    response = client.get("/metrics")
    text = response.content.decode()
    assert response.status_code == 200
    assert "botgpt_turns_in_flight" in text
    assert "botgpt_documents{" not in text


def test_with_a_token_only_its_bearer_reads(client: Client, db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = "correct-horse"
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 404
    ours = {"authorization": "Bearer correct-horse"}
    assert client.get("/metrics", headers=ours, REMOTE_ADDR="203.0.113.9").status_code == 200


@pytest.mark.parametrize(
    "caller",
    [
        {"REMOTE_ADDR": "203.0.113.9"},
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=203.0.113.9"},
    ],
    ids=["public", "private", "socket", "proxy", "proxy by the standard"],
)
def test_without_a_token_only_this_machine_reads(client: Client, db: None, caller: dict[str, Any]) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", **caller).status_code == 404


def test_the_metrics_are_read_and_nothing_else(client: Client, db: None) -> None:
    assert client.post("/metrics").status_code == 405


def test_a_receiver_that_breaks_costs_no_reply(
    api: APIClient, groq: ProviderServer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> None:
        raise RuntimeError("the receiver is broken")

    llm_called.connect(broken)
    try:
        ask(api)
    finally:
        llm_called.disconnect(broken)
    assert "the receiver is broken" in caplog.text


def test_queries_of_threads_are_timed_too(transactional_db: None, client: Client) -> None:
    before = scrape(client)

    def query() -> None:
        Document.objects.exists()
        connection.close()

    thread = threading.Thread(target=query)
    thread.start()
    thread.join()
    after = scrape(client)
    assert after("botgpt_db_query_seconds_count") > before("botgpt_db_query_seconds_count")
