"""Which reads go to a replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve, reverse

from botgpt.accounts.models import User
from botgpt.operations.middleware import RequestIdMiddleware
from botgpt.operations.replica import ReplicaMiddleware, ReplicaRouter
from conversations.models import Conversation
from documents.models import Document

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpRequest
    from pytest_django import DjangoDbBlocker

router = ReplicaRouter()
LIST = "/admin/conversations/conversation/"


def databases(method: str, path: str) -> list[str | None]:
    """Where a conversation, a document and a user are read during a request."""
    found: list[str | None] = []
    request = RequestFactory().generic(method, path)
    request.resolver_match = resolve(path)

    def respond(_: object) -> HttpResponse:
        middleware.process_view(request)
        found.extend(router.db_for_read(model) for model in (Conversation, Document, User))
        return HttpResponse()

    middleware = ReplicaMiddleware(respond)
    middleware(request)
    assert router.db_for_read(Conversation) is None  # it is over
    return found


def test_lists_of_the_admin_may_lag_but_not_who_is_logged_in() -> None:
    assert databases("GET", LIST) == ["replica", "replica", None]


def test_exports_may_lag() -> None:
    assert databases("GET", reverse("conversation-export", args=[7]))[0] == "replica"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", LIST), ("GET", f"{LIST}7/change/"), ("GET", "/api/v1/conversations"), ("GET", "/api/v1/conversations/7")],
)
def test_nothing_else_may(method: str, path: str) -> None:
    assert databases(method, path) == [None, None, None]


def test_writes_and_migrations_are_the_primarys() -> None:
    assert router.db_for_write(Conversation) == "default"
    assert not router.allow_migrate("replica", "conversations")
    assert router.allow_migrate("default", "conversations")


def test_a_replica_is_given_back_behind_the_view_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    file = {"ENGINE": "botgpt.operations.sqlite3", "NAME": str(tmp_path / "replica.sqlite3"), "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "replica", connections["default"].settings_dict | file)

    def view(_: HttpRequest) -> HttpResponse:
        with connections["replica"].cursor() as cursor:
            cursor.execute("SELECT 1")
        assert connections["replica"].connection is not None
        return HttpResponse()

    with django_db_blocker.unblock():
        RequestIdMiddleware(view)(RequestFactory().get("/"))
    assert connections["replica"].connection is None
    del connections["replica"]
