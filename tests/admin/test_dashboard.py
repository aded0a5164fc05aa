"""The first page of the admin: what it says, to whom, and what it costs to say it."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from botgpt.accounts.models import AuditEvent, User
from botgpt.operations import tidying
from conversations.models import Message
from documents.models import Document
from llm import analytics, rollup
from llm.budgets import settle
from llm.errors import Outcome
from llm.models import Budget, LLMCall
from llm.providers import registry
from llm.spreadsheets import plain
from tests.builders import add_turn, conversation_of

from .conftest import call_of, staff_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import Settings

    from botgpt.dashboard.page import Dashboard

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)
LEDGER, TRANSCRIPTS, DOCUMENTS, ALLOWANCES = (
    "llm.view_llmcall",
    "conversations.view_conversation",
    "documents.view_document",
    "llm.view_allowance",
)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def calls(alice: User, bob: User) -> None:
    """Alice's of yesterday and of forty days ago, bob's of today."""
    ago(1, alice, latency_ms=1_200, cost="0.5")
    ago(1, alice, outcome="timeout", cost=None, prompt_tokens=0, completion_tokens=0)
    ago(0.1, bob, model="large", place=2, latency_ms=7_000)
    ago(0.1, bob, outcome="cached", prompt_tokens=0, completion_tokens=0, cost=0)
    ago(40, alice, cost="1")


def ago(days: float, user: User, **fields: Any) -> LLMCall:
    return call_of(user, created_at=NOW - dt.timedelta(days=days), **fields)


def shown(browser: Client, **query: str) -> Dashboard:
    response = browser.get("/admin/", query)
    assert response.status_code == 200
    dashboard: Dashboard = response.context["dashboard"]
    return dashboard


def rows_of(dashboard: Dashboard, slug: str) -> list[tuple[Any, ...]]:
    table = dashboard.table(slug)
    assert table is not None
    return [tuple(row) for row in table.texts]


def cards_of(dashboard: Dashboard) -> dict[str, tuple[str, ...]]:
    return {card.title: (card.value, card.detail, card.change) for card in dashboard.cards}


def test_the_cards_say_what_the_ledger_adds_up_to(admin_client: Client, calls: None) -> None:
    assert cards_of(shown(admin_client)) == {
        "Turns answered": ("3", "", "+200 % against the 30 days before"),
        "Tokens": ("240", "200 sent, 40 received", "+100 % against the 30 days before"),
        "Cost": ("$0.50", "and 1 calls of unknown price", "-50 % against the 30 days before"),
        "Time of a reply": ("1.2 s", "p95 7.0 s", ""),
        "Failed calls": ("25.0 %", "1 of 4 calls", ""),
        "Fallbacks": ("33.3 %", "1 turns by another model", ""),
        "Cache hits": ("33.3 %", "1 turns without a call", ""),
        "Feedback": ("–", "0 good, 0 bad", ""),
    }


def test_tables_are_by_day_model_and_user(admin_client: Client, calls: None) -> None:
    dashboard = shown(admin_client)
    days = rows_of(dashboard, "days")
    assert [day[0] for day in days] == ["2026-05-20", "2026-05-19"]
    assert days[1] == ("2026-05-19", "1", "120", "0.50", "2", "1", "0", "0", "1.2 s", "1.2 s")
    models = [model[:3] for model in rows_of(dashboard, "models")]
    assert models == [("groq/large", "1", "120"), ("groq/small", "2", "120")]
    assert {user[0] for user in rows_of(dashboard, "users")} == {"alice", "bob"}


def test_the_slowest_turns_lead_to_their_transcript(admin_client: Client, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    ago(1, alice, conversation=conversation, latency_ms=9_000)
    ago(1, alice, latency_ms=8_000)
    page = admin_client.get("/admin/").content.decode()
    assert f'<a href="/admin/conversations/conversation/{conversation.pk}/change/">' in page
    rows = rows_of(shown(admin_client), "slowest")
    assert [row[0] for row in rows] == ["9.0 s", "8.0 s"]
    assert rows[1][-1] == "–"


def test_every_chart_has_its_figures_as_text(admin_client: Client, calls: None) -> None:
    page = admin_client.get("/admin/").content.decode()
    drawn = json.loads(re.search(r'<script id="charts"[^>]*>(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    dashboard = shown(admin_client)
    for chart in dashboard.charts:
        assert len(drawn[chart.slug]["labels"]) == 30
        if chart.table.rows:
            assert f'data-chart="{chart.slug}" role="img" aria-label="{chart.title}. {chart.summary}' in page
    turns = drawn["turns-by-day"]["series"]
    assert [(layer["name"], layer["values"][-2:]) for layer in turns] == [
        ("By the first model", [1, 0]),
        ("By a fallback", [0, 1]),
        ("From the cache", [0, 1]),
    ]
    assert rows_of(dashboard, "turns-by-day") == [("2026-05-19", "1", "0", "0"), ("2026-05-20", "0", "1", "1")]


@pytest.mark.parametrize(
    ("query", "turns"),
    [
        ({"days": "1"}, "2"),
        ({"days": "90"}, "4"),
        ({"from": "2026-04-10", "to": "2026-04-10"}, "1"),
        ({"from": "2026-05-20"}, "2"),
        ({"to": "2026-05-19"}, "1"),
        ({"user": "alice"}, "1"),
        ({"model": "groq/large"}, "1"),
        ({"user": "alice", "model": "groq/large", "days": "90"}, "0"),
    ],
)
def test_the_address_says_what_is_shown(admin_client: Client, calls: None, query: dict[str, str], turns: str) -> None:
    dashboard = shown(admin_client, **query)
    assert cards_of(dashboard)["Turns answered"][0] == turns
    assert dashboard.asked.problems == ()
    again = shown(
        admin_client, **dict(pair.split("=") for pair in dashboard.asked.query.replace("%2F", "/").split("&"))
    )
    assert again.asked == dashboard.asked


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"days": "8"}, "“8” is none of the periods"),
        ({"from": "yesterday"}, "“yesterday” is no day"),
        ({"from": "2026-02-30"}, "“2026-02-30” is no day"),
        ({"from": "2026-05-20", "to": "2026-05-19"}, "The first day, 2026-05-20, is after the last"),
        ({"from": "2020-01-01", "to": "2026-05-19"}, "at most 366 days"),
        ({"to": "9999-12-31"}, "is yet to come"),
        ({"to": "0001-01-01", "from": "0001-01-02"}, "is after the last"),
        ({"user": "mallory"}, "There is no user “mallory”"),
        ({"user": "a\x00b"}, "has characters that none has"),
        ({"model": "own/none"}, "The model “own/none” was not called"),
        ({"model": "<script>"}, "The model “&lt;script&gt;” was not called"),
    ],
)
def test_what_cannot_be_followed_is_said_and_the_usual_is_shown(
    admin_client: Client, calls: None, query: dict[str, str], problem: str
) -> None:
    page = admin_client.get("/admin/", query)
    assert problem in page.content.decode()
    dashboard: Dashboard = page.context["dashboard"]
    assert (dashboard.asked.days, dashboard.asked.user, dashboard.asked.model) == ("30", "", "")
    assert cards_of(dashboard)["Turns answered"][0] == "3"


def test_an_empty_service_is_welcomed(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert "No model was called yet" in page
    assert "<canvas" not in page
    assert "Nothing in this period" not in page


def test_a_large_ledger_whose_sums_were_never_made_keeps_nobody_waiting(
    admin_client: Client, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analytics, "MOST_LIVE", 4)
    page = admin_client.get("/admin/")
    assert "5 calls are not added up yet" in page.content.decode()
    assert "No model was called yet" not in page.content.decode()
    assert cards_of(page.context["dashboard"])["Turns answered"][0] == "0"
    assert tidying.tidy()["calls_added_up"] == 5
    page = admin_client.get("/admin/")
    assert "not added up" not in page.content.decode()
    assert cards_of(page.context["dashboard"])["Turns answered"][0] == "3"


def test_a_period_without_anything_says_so(admin_client: Client, calls: None) -> None:
    page = admin_client.get("/admin/", {"from": "2026-01-01", "to": "2026-01-31"}).content.decode()
    assert "Nothing on any day." in page
    assert "No model was called yet" not in page


@pytest.mark.parametrize(
    ("permission", "tables"),
    [
        (LEDGER, {"days", "models", "users", "slowest", "providers"}),
        (TRANSCRIPTS, {"feedback"}),
        (DOCUMENTS, {"ingestion"}),
        (ALLOWANCES, {"budgets"}),
    ],
)
def test_each_permission_shows_its_part_and_no_other(calls: None, permission: str, tables: set[str]) -> None:
    browser = staff_client(permission)
    dashboard = shown(browser)
    assert {table.slug for table in dashboard.tables} == tables
    everything = {"days", "models", "users", "slowest", "providers", "feedback", "ingestion", "budgets", "cost-by-day"}
    for slug in everything - tables - {chart.slug for chart in dashboard.charts}:
        assert browser.get(f"/admin/dashboard/{slug}.csv").status_code == 404
    for slug in tables:
        assert browser.get(f"/admin/dashboard/{slug}.csv").status_code == 200


def test_the_ledger_alone_leads_to_no_transcript(alice: User) -> None:
    ago(1, alice, conversation=conversation_of(alice, turns=1))
    page = staff_client(LEDGER).get("/admin/").content.decode()
    assert "Conversation 1" not in page
    assert "conversations/conversation" not in page


def test_staff_without_permissions_get_a_word_and_no_figure(clerk: Client, calls: None) -> None:
    page = clerk.get("/admin/", {"user": "mallory"}).content.decode()
    assert "Nothing to see here yet" in page
    assert "mallory" not in page
    assert "Turns" not in page


def test_who_is_no_staff_sees_nothing(client: Client, alice: User) -> None:
    client.force_login(alice)
    for address in ("/admin/", "/admin/dashboard/users.csv"):
        assert client.get(address).status_code == 302


def test_feedback_is_counted_and_leads_to_the_transcript(admin_client: Client, alice: User, bob: User) -> None:
    for user, verdict in ((alice, "up"), (alice, "down"), (bob, "up"), (bob, None)):
        reply = add_turn(conversation_of(user))
        Message.objects.filter(pk=reply.pk).update(feedback=verdict)
    dashboard = shown(admin_client)
    assert cards_of(dashboard)["Feedback"] == ("66.7 %", "2 good, 1 bad", "")
    assert rows_of(dashboard, "feedback-by-day") == [("2026-05-20", "2", "1")]
    assert {row[1:4] for row in rows_of(dashboard, "feedback")} == {
        ("up", "small", "alice"),
        ("down", "small", "alice"),
        ("up", "small", "bob"),
    }
    assert len(rows_of(shown(admin_client, user="bob"), "feedback")) == 1
    if connection.vendor == "sqlite":
        plan = Message.objects.filter(feedback__isnull=False, created_at__gte=NOW).explain()
        assert "messages_feedback" in plan


def test_uploads_are_shown_with_their_progress_and_failures_with_their_reason(
    admin_client: Client, alice: User
) -> None:
    for filename, status, progress, error in (
        ("a.pdf", "processing", 40, ""),
        ("b.pdf", "pending", 0, ""),
        ("c.pdf", "failed", 10, "Encrypted."),
    ):
        Document.objects.create(
            owner=alice, filename=filename, sha256=filename, status=status, progress=progress, error=error
        )
    Document.objects.create(owner=alice, filename="d.pdf", sha256="d", status="ready")
    table = shown(admin_client).table("ingestion")
    assert table is not None
    assert table.note.startswith("1 waiting, 1 being read, 1 failed")
    assert [(str(row[0]), row[2], row[5]) for row in table.rows] == [
        ("a.pdf", 40, ""),
        ("b.pdf", 0, ""),
        ("c.pdf", 10, "Encrypted."),
    ]
    assert '<progress max="100" value="40"' in admin_client.get("/admin/").content.decode()


def test_a_model_that_keeps_failing_is_shown_as_skipped(admin_client: Client, alice: User, settings: Settings) -> None:
    settings.GROQ_API_KEY = "gsk_not_used"
    ago(0.01, alice, outcome="timeout")
    ago(0.01, alice)
    ago(0.5, alice, outcome="timeout")
    registry.chain()
    breaker = registry._breakers["groq/small"]
    for _ in range(settings.LLM_SKIP_AFTER):
        breaker.failed(Outcome.TIMEOUT)
    assert rows_of(shown(admin_client), "providers") == [
        ("groq/small", "skipped for 30 s more", "3", "2", "1", "50.0 %"),
        ("groq/large", "asked", "0", "0", "0", "–"),
    ]
    breaker.succeeded()
    assert rows_of(shown(admin_client), "providers")[0][1] == "asked"


def test_budgets_that_are_nearly_spent_are_shown_the_fullest_first(
    admin_client: Client, alice: User, bob: User, settings: Settings
) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 1_000
    Budget.objects.create(user=alice, month_cost="1.5")
    settle(user_id=alice.pk, tokens=10, cost=Decimal("1.4"), at=timezone.now())
    settle(user_id=bob.pk, tokens=810, cost=None, at=timezone.now())
    assert [row[:2] for row in rows_of(shown(admin_client), "budgets")] == [("alice", "cost a month")]
    bob.allowance.refresh_from_db()
    type(bob.allowance).objects.filter(pk=bob.pk).update(warned="day_tokens@2026-05-21")  # as the end of a reply notes
    assert rows_of(shown(admin_client), "budgets") == [
        ("alice", "cost a month", "$1.40 of $1.50", "93 %", "2026-06-01 00:00"),
        ("bob", "tokens a day", "810 of 1,000", "81 %", "2026-05-21 00:00"),
    ]


def read(browser: Client, address: str) -> list[list[str]]:
    response = browser.get(address)
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(b"".join(response).decode().splitlines()))


def test_a_table_as_csv_has_the_rows_of_the_page_with_plain_figures(admin_client: Client, calls: None) -> None:
    header, *rows = read(admin_client, "/admin/dashboard/days.csv?days=90")
    assert header == ["Day", "Turns", "Tokens", "Cost, US$", "Calls", "Failed", "Fallbacks", "Cache hits", "p50", "p95"]
    assert rows[1] == ["2026-05-19", "1", "120", "0.5000000000", "2", "1", "0", "0", "1200", "1200"]
    assert len(rows) == 3
    assert read(admin_client, "/admin/dashboard/turns-by-day.csv")[1:] == [
        ["2026-05-19", "1", "0", "0"],
        ["2026-05-20", "0", "1", "1"],
    ]


def test_the_csv_of_users_has_all_of_them_and_stands_in_the_audit_log(admin_client: Client) -> None:
    for number in range(25):
        ago(1, User.objects.create_user(f"user{number}"))
    assert len(rows_of(shown(admin_client), "users")) == 20
    assert not AuditEvent.objects.exists()
    assert len(read(admin_client, "/admin/dashboard/users.csv?days=7")) == 26
    read(admin_client, "/admin/dashboard/models.csv")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_type, event.detail) == ("read", "llm.llmcall", "CSV of users: days=7")


def test_no_cell_of_a_csv_is_a_formula(admin_client: Client) -> None:
    evil = User.objects.create_user("=HYPERLINK(1)")
    ago(1, evil, model="@SUM(A1)")
    assert read(admin_client, "/admin/dashboard/users.csv")[1][0] == "'=HYPERLINK(1)"
    assert read(admin_client, "/admin/dashboard/models.csv")[1][0] == "groq/@SUM(A1)"
    assert [plain(value) for value in (" =1", "+1", "-1", "\t=1", -1, -0.5, None, "a=1")] == [
        *("' =1", "'+1", "'-1", "'\t=1", "-1", "-0.5", "", "a=1"),
    ]


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_csv_can_only_be_read(admin_client: Client, method: str) -> None:
    assert getattr(admin_client, method)("/admin/dashboard/days.csv").status_code == 405


def test_an_unknown_table_is_not_found(admin_client: Client) -> None:
    assert admin_client.get("/admin/dashboard/passwords.csv").status_code == 404


# A session and its user cost 2; the state of the sums 3, and how many rows are not in them; those rows 2; the models to
# choose from; by day and model; the period before; users 2, their names; the slowest; feedback 2; uploads 3; the last
# hour; budgets 2.
QUERIES = 24


def test_the_page_costs_the_same_number_of_queries_however_much_there_is(
    admin_client: Client, calls: None, alice: User
) -> None:
    rollup.catch_up(least=1)
    for more in range(2):
        with CaptureQueriesContext(connection) as captured:
            admin_client.get("/admin/", {"days": "365"})
        assert len(captured) <= QUERIES, [query["sql"][:80] for query in captured]
        for number in range(30):
            user = User.objects.create_user(f"user{more}-{number}")
            ago(number, user, model=f"model{number % 7}", conversation=conversation_of(user, turns=1))
        rollup.catch_up(least=1)


def test_no_query_of_the_page_reads_a_whole_large_table(admin_client: Client, calls: None, alice: User) -> None:
    for number in range(100):
        ago(number + 1, alice, conversation=conversation_of(alice, turns=1) if number % 10 == 0 else None)
    rollup.catch_up(least=1)
    with CaptureQueriesContext(connection) as captured:
        admin_client.get("/admin/", {"days": "90"})
        admin_client.get("/admin/", {"days": "7", "user": "alice", "model": "groq/small"})
    statements = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        if postgresql:
            cursor.execute("ANALYZE")
            cursor.execute("SET LOCAL enable_seqscan = off")  # tables of a test are too small for an index to pay
        for sql in statements:
            cursor.execute(f"{'EXPLAIN' if postgresql else 'EXPLAIN QUERY PLAN'} {sql}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall()) + "\n"
            for name in ("llm_calls", "messages", "llm_user_spans", "documents"):
                assert f"SCAN {name}\n" not in plan, sql
                assert f"Seq Scan on {name} " not in plan, sql
