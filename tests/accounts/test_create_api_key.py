"""`manage.py create_api_key`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import time_machine
from django.core.management import CommandError, call_command

from botgpt.accounts.models import ApiKey, AuditEvent

if TYPE_CHECKING:
    from botgpt.accounts.models import User

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def test_the_token_is_printed_and_works(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "alice", "--name", "laptop")
    printed = capsys.readouterr().out
    key = ApiKey.objects.get()
    token = next(word for word in printed.split() if word.startswith(ApiKey.MARKER))
    assert ApiKey.objects.find(token) == key
    assert (key.user, key.name, key.scopes, key.expires_at) == (alice, "laptop", ["read", "write"], None)
    assert "API key “laptop” of alice, read and write, valid until it is revoked:" in printed


def test_quiet_prints_the_token_and_nothing_else(alice: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "alice", "--quiet")
    printed = capsys.readouterr()
    assert ApiKey.objects.find(printed.out.removesuffix("\n")) is not None
    assert printed.err == ""


def test_it_is_in_the_audit_log(alice: User) -> None:
    call_command("create_api_key", "alice", "--name", "laptop", "--quiet")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.actor) == ("add", str(ApiKey.objects.get().pk), None)
    assert (event.actor_name, event.detail) == ("command line", "“laptop” of alice, read, write")


@pytest.mark.parametrize(
    ("span", "expires"),
    [
        ("90m", NOW + dt.timedelta(minutes=90)),
        ("12h", NOW + dt.timedelta(hours=12)),
        ("30d", NOW + dt.timedelta(days=30)),
        ("4W", NOW + dt.timedelta(weeks=4)),
    ],
)
def test_a_key_can_expire(alice: User, span: str, expires: dt.datetime) -> None:
    with time_machine.travel(NOW, tick=False):
        call_command("create_api_key", "alice", "--expires", span, "--quiet")
    assert ApiKey.objects.get().expires_at == expires


def test_scopes_can_be_chosen_each_once(alice: User) -> None:
    call_command("create_api_key", "alice", "--scope", "read", "--scope", "read", "--quiet")
    assert ApiKey.objects.get().scopes == ["read"]


@pytest.mark.parametrize("span", ["30", "0d", "3x", "-1d", "1.5h", "99999d"])
def test_a_span_that_is_none_is_refused(alice: User, span: str) -> None:
    with pytest.raises(CommandError, match="is not a time span such as 12h, 30d or 4w"):
        call_command("create_api_key", "alice", f"--expires={span}")
    assert not ApiKey.objects.exists()


def test_an_unknown_user_is_refused_and_known_ones_are_named(alice: User, bob: User) -> None:
    with pytest.raises(CommandError, match=r"There is no user 'carol'\. Users are, among others: alice, bob"):
        call_command("create_api_key", "carol")


def test_an_empty_database_gets_a_hint(db: None) -> None:
    with pytest.raises(CommandError, match=r"run `manage\.py seed`"):
        call_command("create_api_key", "carol")


def test_a_user_who_is_not_active_gets_no_key(alice: User) -> None:
    alice.is_active = False
    alice.save()
    with pytest.raises(CommandError, match="not active"):
        call_command("create_api_key", "alice")
