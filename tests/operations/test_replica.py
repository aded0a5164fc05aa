"""Which reads go to a replica."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import resolve, reverse

from botgpt.accounts.models import User
from botgpt.operations.replica import ReplicaMiddleware, ReplicaRouter
from conversations.models import Conversation
from documents.models import Document

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
