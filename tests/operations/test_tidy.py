"""What `tidy` removes and takes up again, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone
from oauth2_provider.models import AccessToken
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from botgpt.operations import tidying
from conversations.models import Conversation, IdempotencyKey, Message
from llm import budgets
from llm.models import Allowance, Budget, Hold, LLMCall
from tests.builders import add_turn, conversation_of

if TYPE_CHECKING:
    from pytest_django import Settings

    from botgpt.accounts.models import User

pytestmark = pytest.mark.django_db
LONG_AGO = dt.timedelta(days=400)


def test_what_has_expired_goes_and_the_rest_stays(alice: User) -> None:
    now = timezone.now()
    reply = add_turn(conversation_of(alice))
    for name, age in (("old", LONG_AGO), ("new", dt.timedelta())):
        Session.objects.create(session_key=name, session_data="", expire_date=now + dt.timedelta(days=1) - age)
        OutstandingToken.objects.create(user=alice, jti=name, token=name, expires_at=now + dt.timedelta(days=1) - age)
        AccessToken.objects.create(user=alice, token=name, expires=now + dt.timedelta(days=1) - age)
        AccessAttempt.objects.create(username=name, get_data="", post_data="", failures_since_start=1)
        AccessAttempt.objects.filter(username=name).update(attempt_time=now - age)
        IdempotencyKey.objects.create(user=alice, key=name, fingerprint="", reply=reply)
        IdempotencyKey.objects.filter(key=name).update(created_at=now - age)
    call_command("tidy", verbosity=0)
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]
    assert list(OutstandingToken.objects.values_list("jti", flat=True)) == ["new"]
    assert list(AccessToken.objects.values_list("token", flat=True)) == ["new"]
    assert list(AccessAttempt.objects.values_list("username", flat=True)) == ["new"]
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]


def test_replies_and_reservations_of_dead_processes_are_ended(alice: User) -> None:
    Budget.objects.create(user=alice, day_tokens=1_000)
    budgets.reserve(user_id=alice.pk, tokens=100, cost=Decimal(0))
    Hold.objects.update(expires_at=timezone.now() - LONG_AGO)
    dead, alive = (add_turn(conversation_of(alice)) for _ in range(2))
    Message.objects.filter(pk__in=[dead.pk, alive.pk]).update(status="in_progress")
    Message.objects.filter(pk=dead.pk).update(updated_at=timezone.now() - LONG_AGO)
    assert tidying.tidy()["abandoned_replies"] == 1
    dead.refresh_from_db()
    alive.refresh_from_db()
    assert (dead.status, alive.status) == ("incomplete", "in_progress")
    assert LLMCall.objects.get().outcome == "abandoned"
    assert Allowance.objects.get().reserved_tokens == 0
    assert not Hold.objects.exists()


def test_old_conversations_go_only_where_that_is_set(alice: User, settings: Settings) -> None:
    old, new = conversation_of(alice, title="old"), conversation_of(alice, title="new")
    Conversation.objects.filter(pk=old.pk).update(activity_at=timezone.now() - LONG_AGO)
    assert tidying.tidy()["old_conversations"] == 0
    assert Conversation.objects.count() == 2
    settings.PURGE_AFTER_DAYS = 365
    assert tidying.tidy()["old_conversations"] == 1
    assert list(Conversation.objects.all()) == [new]


def test_one_part_that_breaks_keeps_the_others_from_nothing_and_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks() -> int:
        raise OSError("disk")

    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - LONG_AGO)
    monkeypatch.setattr(tidying, "WORK", {"first": breaks} | tidying.WORK)
    monkeypatch.setattr("botgpt.operations.management.commands.tidy.WORK", {"first": breaks} | tidying.WORK)
    with caplog.at_level(logging.ERROR), pytest.raises(CommandError, match="first"):
        call_command("tidy", verbosity=0)
    assert not Session.objects.exists()
    assert "first" in caplog.text


def test_the_clock_of_the_workers_names_tasks_that_they_have() -> None:
    pytest.importorskip("celery")
    from botgpt.celery import app

    app.loader.import_default_modules()
    names = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert names <= app.tasks.keys()
    assert {"conversations.tasks.answer", "conversations.tasks.fold", "conversations.tasks.purge"} <= app.tasks.keys()
    assert {"documents.tasks.read_document", "documents.tasks.read_version"} <= app.tasks.keys()
