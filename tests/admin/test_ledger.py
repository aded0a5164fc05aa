"""The ledger in the admin: added up by day and model, and left alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import time_machine

from llm.ledger import Spent, spent_by_day, summed
from llm.models import LLMCall

from .conftest import call_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from botgpt.accounts.models import User

    from .conftest import World

LEDGER = "/admin/llm/llmcall/"
TODAY = dt.date(2026, 5, 4)
A_DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    with time_machine.travel(dt.datetime.combine(TODAY, dt.time(12), tzinfo=dt.UTC), tick=False):
        yield


@pytest.fixture
def calls(alice: User, bob: User) -> None:
    """Two models today, one of them failing once and one of unknown price; one call yesterday, one last month."""
    call_of(alice, model="small", cost="0.25")
    call_of(alice, model="small", cost="0.50", outcome="timeout", purpose="title")
    call_of(bob, model="large", cost=None)
    for days in (1, 30):
        call_of(bob, model="small", cost="1")
        moment = dt.datetime.combine(TODAY - days * A_DAY, dt.time(23, 59, 59), tzinfo=dt.UTC)
        LLMCall.objects.filter(pk=LLMCall.objects.latest("pk").pk).update(created_at=moment)


def spent(day: dt.date | None, model: str, calls: int, *, failed: int = 0, cost: str = "0", unpriced: int = 0) -> Spent:
    return Spent(
        day=day.isoformat() if day else "",
        model=model,
        calls=calls,
        failed=failed,
        prompt_tokens=100 * calls,
        completion_tokens=20 * calls,
        cost=Decimal(cost),
        unpriced=unpriced,
    )


def shown(browser: Client, **query: str | int) -> tuple[list[Spent], Spent, str]:
    context = browser.get(LEDGER, query).context
    return context["days"], context["total"], context["period"]


def test_calls_are_added_up_by_day_and_model(calls: None) -> None:
    assert spent_by_day(LLMCall.objects.all()) == [
        spent(TODAY, "large", 1, unpriced=1),
        spent(TODAY, "small", 2, failed=1, cost="0.75"),
        spent(TODAY - A_DAY, "small", 1, cost="1"),
        spent(TODAY - 30 * A_DAY, "small", 1, cost="1"),
    ]


def test_nothing_adds_up_to_nothing(db: None) -> None:
    assert spent_by_day(LLMCall.objects.all()) == []
    assert summed([]) == spent(None, "", 0)


def test_the_list_shows_the_totals_of_the_last_seven_days(admin_client: Client, calls: None) -> None:
    days, total, period = shown(admin_client)
    assert [(row.day, row.model) for row in days] == [
        (TODAY.isoformat(), "large"),
        (TODAY.isoformat(), "small"),
        ((TODAY - A_DAY).isoformat(), "small"),
    ]
    assert total == spent(None, "", 4, failed=1, cost="1.75", unpriced=1)
    assert period == "the last 7 days"
    page = admin_client.get(LEDGER).content.decode()
    assert "1.750000 <small>+ 1 not known</small>" in page


def test_the_totals_follow_the_filters(admin_client: Client, calls: None, alice: User) -> None:
    assert shown(admin_client, model="large")[1] == spent(None, "", 1, unpriced=1)
    assert shown(admin_client, outcome__exact="timeout")[1] == spent(None, "", 1, failed=1, cost="0.5")
    assert shown(admin_client, purpose__exact="title")[1].calls == 1
    assert shown(admin_client, user__id__exact=alice.pk)[1].calls == 2
    month_ago = (TODAY - 30 * A_DAY).isoformat()
    days, total, period = shown(admin_client, created_at_from=month_ago, created_at_to=month_ago)
    assert ([row.day for row in days], total.cost, period) == ([month_ago], Decimal(1), "the chosen period")


def test_every_model_that_was_called_lately_can_be_chosen(admin_client: Client, calls: None) -> None:
    page = admin_client.get(LEDGER).content.decode()
    assert '<option value="large"' in page
    assert '<option value="small"' in page


def test_a_call_is_shown_whole(admin_client: Client, world: World) -> None:
    page = admin_client.get(f"{LEDGER}{world.call.pk}/change/").content.decode()
    for text in ("groq", "small", "0.002000", f"/admin/conversations/conversation/{world.conversation.pk}/change/"):
        assert text in page


def test_a_call_cannot_be_added_changed_or_deleted(admin_client: Client, world: World) -> None:
    row = f"{LEDGER}{world.call.pk}"
    assert admin_client.post(f"{LEDGER}add/", {"model": "x"}).status_code == 403
    assert admin_client.post(f"{row}/change/", {"model": "x"}).status_code == 403
    assert admin_client.post(f"{row}/delete/", {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [world.call.pk], "post": "yes"}
    admin_client.post(LEDGER, bulk)
    assert list(LLMCall.objects.values_list("pk", "model")) == [(world.call.pk, "small")]
