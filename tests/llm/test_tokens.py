"""Token estimates: by script, corrected by what providers report."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st

from llm import tokens
from llm.types import ChatMessage

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from tests.provider_server import ProviderServer


@pytest.fixture(autouse=True)
def forget() -> None:
    cache.clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("abcd efgh", 3),  # 8 letters at .30, a space at .09: 2.49
        ("2026", 4),  # 4 digits at .80: 3.2
        ("größe", 4),  # 3 plain letters and two accented ones at 1.14: 3.18
        ("Привет", 3),  # 6 at .41: 2.46
        ("你好世界", 4),  # 4 at .98: 3.92
        ("สวัสดี", 3),  # 6 at .46: 2.76
    ],
)
def test_a_text_costs_what_its_scripts_weigh(text: str, expected: int) -> None:
    assert tokens.estimate(text) == expected


@given(st.text(), st.text())
def test_a_longer_text_never_costs_less_and_parts_never_cost_less_than_the_whole(left: str, right: str) -> None:
    whole = tokens.estimate(left + right)
    assert tokens.estimate(left) <= whole <= tokens.estimate(left) + tokens.estimate(right)


def test_each_message_costs_its_separators_too() -> None:
    assert tokens.estimate_messages([ChatMessage("user", ""), ChatMessage("user", "abcd")]) == 2 * 4 + 2


def test_the_correction_moves_towards_what_the_provider_reports_and_settles_there() -> None:
    assert tokens.correction(["m"]) == 1
    tokens.learn(model="m", estimated=100, reported=150)
    assert tokens.correction(["m"]) == pytest.approx(1.1)
    for _ in range(40):
        tokens.learn(model="m", estimated=100, reported=150)
    assert tokens.correction(["m"]) == pytest.approx(1.5, abs=0.01)


def test_one_absurd_report_moves_the_correction_only_to_its_bound() -> None:
    tokens.learn(model="m", estimated=1, reported=10_000)
    assert tokens.correction(["m"]) == 3.0


def test_a_report_of_nothing_teaches_nothing() -> None:
    tokens.learn(model="m", estimated=100, reported=0)
    assert tokens.correction(["m"]) == 1


def test_a_chain_is_as_careful_as_its_worst_model() -> None:
    tokens.learn(model="a", estimated=100, reported=200)
    tokens.learn(model="b", estimated=100, reported=50)
    assert tokens.correction(["a", "b", "unknown"]) == pytest.approx(1.2)


def test_a_cache_that_is_away_costs_no_turn(
    api: APIClient, groq: ProviderServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as nobody:  # Django's own backend raises; a bound port that nobody listens at refuses
        nobody.bind(("127.0.0.1", 0))
        location = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
        answer = api.post("/api/v1/conversations", {"first_message": "Hello"}, format="json")
    assert (answer.status_code, answer.json()["messages"][1]["status"]) == (201, "complete")
    assert "token counts cannot be read" in caplog.text
    assert "token counts cannot be kept" in caplog.text
