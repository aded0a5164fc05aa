"""`manage.py report`: the ledger added up for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import datetime as dt
import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from llm import rollup
from llm.models import LLMCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.test import APIClient

    from botgpt.accounts.models import User

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def call(user: User | None, *, days_ago: float = 1, **fields: Any) -> None:
    given = {"provider": "groq", "model": "small", "outcome": "ok", "prompt_tokens": 100, "completion_tokens": 20}
    at = NOW - dt.timedelta(days=days_ago)
    LLMCall.objects.create(user=user, created_at=at, **(given | {"cost": "0.25"} | fields))


@pytest.fixture
def calls(alice: User, bob: User) -> None:
    call(alice)
    call(alice, outcome="timeout", cost=None, completion_tokens=0)
    call(alice, model="large", days_ago=2)
    call(bob, days_ago=25, prompt_tokens=1_000)
    call(None, days_ago=40)


def report(*options: str) -> str:
    out = StringIO()
    call_command("report", *options, stdout=out)
    return out.getvalue()


def test_the_last_thirty_days_are_shown_by_day_with_their_sum(calls: None) -> None:
    assert report().splitlines() == [
        "2026-04-21 to 2026-05-20, days in UTC",
        "Day         Turns  Calls  Failed  Fallbacks  Cache hits   Sent  Received  Unpriced  Cost, US$",
        "2026-04-25      1      1       0          0           0  1,000        20         0     0.2500",
        "2026-05-18      1      1       0          0           0    100        20         0     0.2500",
        "2026-05-19      1      2       1          0           0    200        20         1     0.2500",
        "All             3      4       1          0           0  1,300        60         1     0.7500",
    ]


@pytest.mark.parametrize("added_up", ["from the ledger", "from the sums"])
def test_by_user_and_model_whoever_used_most_comes_first(calls: None, added_up: str) -> None:
    if added_up == "from the sums":
        rollup.catch_up(least=1)
    rows = json.loads(report("--by", "user,model", "--days", "365", "--json"))["rows"]
    assert [(row["user"], row["model"], row["tokens"], row["cost"]) for row in rows] == [
        ("bob", "groq/small", 1_020, "0.2500000000"),
        ("alice", "groq/small", 220, "0.2500000000"),
        *sorted(
            [("alice", "groq/large", 120, "0.2500000000"), (None, "groq/small", 120, "0.2500000000")],
            key=lambda row: str(LLMCall.objects.filter(user__username=row[0]).values_list("user", flat=True).first()),
        ),
    ]


@pytest.mark.parametrize(
    ("options", "calls_found", "period"),
    [
        (["--month", "2026-04"], 2, ("2026-04-01", "2026-04-30")),
        (["--from", "2026-05-19"], 2, ("2026-05-19", "2026-05-20")),
        (["--to", "2026-05-18", "--from", "2026-05-18"], 1, ("2026-05-18", "2026-05-18")),
        (["--to", "2026-04-30"], 2, ("2026-04-01", "2026-04-30")),
        (["--days", "1"], 0, ("2026-05-20", "2026-05-20")),
        (["--user", "alice"], 3, ("2026-04-21", "2026-05-20")),
        (["--model", "groq/large"], 1, ("2026-04-21", "2026-05-20")),
    ],
)
def test_a_period_a_user_and_a_model_can_be_chosen(
    calls: None, options: list[str], calls_found: int, period: tuple[str, str]
) -> None:
    answer = json.loads(report(*options, "--json"))
    assert (answer["totals"]["calls"], (answer["from"], answer["to"])) == (calls_found, period)


def test_it_says_what_the_usage_endpoint_says(calls: None, api: APIClient) -> None:
    query = {"from": "2026-04-01", "to": "2026-05-20"}
    usage = api.get("/api/v1/usage", query).json()["totals"]
    answer = json.loads(report("--user", "alice", "--from", query["from"], "--to", query["to"], "--json"))
    assert {name: answer["totals"][name] for name in usage} == usage


def test_the_csv_has_plain_figures_and_no_formula(calls: None, alice: User) -> None:
    alice.username = "=cmd()"
    alice.save()
    header, *rows = csv.reader(report("--by", "user", "--csv").splitlines())
    assert header == [
        *("user", "turns", "calls", "failed", "fallbacks", "cache_hits"),
        *("prompt_tokens", "completion_tokens", "unpriced_calls", "cost"),
    ]
    assert rows == [
        ["bob", "1", "1", "0", "0", "0", "1000", "20", "0", "0.2500000000"],
        ["'=cmd()", "2", "3", "1", "0", "0", "300", "40", "1", "0.5000000000"],
    ]


def test_colour_is_for_terminals(calls: None) -> None:
    assert "\x1b[" not in report()
    assert "\x1b[" in report("--force-color")


def test_nothing_is_said_in_words(db: None) -> None:
    assert report("--month", "2026-01") == "No calls from 2026-01-01 to 2026-01-31 (UTC).\n"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--user", "mallory"], "There is no user 'mallory'"),
        (["--model", "small"], "names no provider"),
        (["--model", "groq/huge"], "groq/huge was not called. These were: groq/large, groq/small."),
        (["--from", "2026-02-30"], "'2026-02-30' is no day"),
        (["--month", "May"], "'May' is no month"),
        (["--from", "2026-05-20", "--to", "2026-05-19"], "is after the last"),
        (["--from", "2026-05-21"], "is yet to come"),
        (["--days", "7", "--month", "2026-05"], "Give one of"),
        (["--days", "0"], "'0' is not a number of days"),
        (["--by", "hour"], "'hour' is not a list of day, model, user"),
        (["--json", "--csv"], "Give one of --json and --csv"),
    ],
)
def test_what_makes_no_sense_is_said(calls: None, options: list[str], error: str) -> None:
    with pytest.raises(CommandError, match=error):
        report(*options)
