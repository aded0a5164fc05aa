"""No hot statement reads a large table from one end to the other, on either engine."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from conversations import privacy
from conversations.abandoned import give_up_if_abandoned
from conversations.models import Conversation, Message
from documents.search import search_chunks
from llm import privacy as ledger
from llm.budgets import reserve
from tests.plans.plans import no_table_is_read_whole, whole_readings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from botgpt.accounts.models import User
    from tests.plans.conftest import Crowd
    from tests.provider_server import ProviderServer

BASE = "/api/v1"
TALK = "/conversations/{long}"
READS = (
    "/conversations",
    "/conversations?page=10",
    "/conversations?mode=rag",
    "/conversations?search=gift",
    "/conversations?search=nothing",
    TALK,
    f"{TALK}/messages",
    f"{TALK}/messages?before={{reply}}",
    f"{TALK}/messages/{{reply}}",
    f"{TALK}/context?message=Hello",
    f"{TALK}/export",
    "/documents",
    "/documents?search=nothing",
    "/documents?status=failed",
    "/documents/{document}",
    "/documents/{document}/chunks",
    "/usage",
    "/usage?group_by=conversation",
    "/auth/keys",
)
LISTS = "conversations/conversation llm/llmcall llm/allowance accounts/user accounts/apikey documents/document"
PAGES = (
    *(f"{name}/" for name in LISTS.split()),
    "accounts/auditevent/",
    "conversations/conversation/?p=20",
    "conversations/conversation/?user__id__exact={owner}",
    "conversations/conversation/?mode__exact=rag",
    "conversations/conversation/?activity_at_from=2026-01-01&activity_at_to=2026-01-02",
    "conversations/conversation/{long}/change/",
    "llm/llmcall/?user__id__exact={owner}",
    "llm/llmcall/?outcome__exact=rejected",
    "llm/llmcall/?purpose__exact=title",
    "llm/llmcall/?model=unknown",
    "llm/llmcall/?cost=unpriced",
    "llm/llmcall/?created_at_from=2026-01-01&created_at_to=2026-01-02",
    "accounts/user/?is_staff__exact=1",
    "accounts/user/?is_superuser__exact=1",
    "accounts/user/?is_active__exact=0",
    "accounts/user/{owner}/change/",
    "accounts/user/{owner}/delete/",
)
# SQLite does not look for the beginning of a text in an index.
SEARCHES = (
    "accounts/user/?q=own",
    "llm/allowance/?q=own",
    "conversations/conversation/?q=own",
    "conversations/conversation/?q=own&user__id__exact={owner}",
    "autocomplete/?app_label=accounts&model_name=apikey&field_name=user&term=own",
)


@pytest.fixture
def api(crowd: Crowd, db: None) -> APIClient:
    client = APIClient()
    client.force_authenticate(crowd.owner)
    return client


@pytest.fixture
def admin(crowd: Crowd, db: None) -> Client:
    client = Client()
    client.force_login(crowd.admin)
    return client


def address(crowd: Crowd, path: str) -> str:
    return path.format(owner=crowd.owner.pk, long=crowd.long.pk, reply=crowd.reply.pk, document=crowd.document.pk)


@pytest.mark.parametrize("path", READS)
def test_an_endpoint_reads_by_an_index(api: APIClient, crowd: Crowd, path: str) -> None:
    asked = BASE + address(crowd, path)
    with no_table_is_read_whole():
        assert api.get(asked).status_code == 200


def test_the_next_page_of_a_list_is_read_by_an_index(api: APIClient, crowd: Crowd) -> None:
    link = api.get(f"{BASE}/conversations?page=9").headers["Link"].partition(">")[0].removeprefix("<")
    with no_table_is_read_whole():
        assert len(api.get(link).json()["conversations"]) == 20


@pytest.mark.parametrize("path", PAGES + (SEARCHES if settings.DATABASES["default"]["ENGINE"].endswith("sql") else ()))
def test_a_page_of_the_admin_reads_by_an_index(
    admin: Client, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("conversations.admin.TITLES_SEARCHED", 200)
    asked = address(crowd, f"/admin/{path}")
    with no_table_is_read_whole():
        assert admin.get(asked).status_code == 200


def test_a_turn_reads_by_an_index(api: APIClient, crowd: Crowd, groq: ProviderServer) -> None:
    talk = BASE + address(crowd, TALK)
    with no_table_is_read_whole():
        turn = api.post(f"{talk}/messages", {"message": "And?"}, format="json", headers={"Idempotency-Key": "new"})
        reply = turn.json()["assistant_message"]["id"]
        for method, path, body in (
            ("post", f"/messages/{reply}/regenerate", {}),
            ("post", f"/messages/{turn.json()['user_message']['id']}/edit", {"message": "Or?"}),
            ("patch", f"/messages/{reply}", {"feedback": "up"}),
            ("post", f"/messages/{reply}/cancel", {}),
            ("put", "/active", {"message_id": reply}),
            ("patch", "", {"title": "Renamed"}),
        ):
            answer = getattr(api, method)(talk + path, body, format="json")
            assert answer.status_code == 200, answer.content


def test_a_new_conversation_and_its_deletion_read_by_an_index(
    api: APIClient, crowd: Crowd, groq: ProviderServer
) -> None:
    with no_table_is_read_whole():
        started = api.post(f"{BASE}/conversations", {"first_message": "Hello"}, format="json").json()
        assert api.delete(f"{BASE}/conversations/{started['id']}").status_code == 204


@pytest.mark.parametrize(
    "token_of",
    [lambda _: f"bgpt_{7:012}_x", lambda _: f"{7:040}", lambda user: str(AccessToken.for_user(user))],
    ids=["API key", "OAuth", "web token"],
)
def test_credentials_are_found_by_an_index(crowd: Crowd, db: None, token_of: Callable[[User], str]) -> None:
    token = token_of(crowd.owner)
    with no_table_is_read_whole():
        APIClient().get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    "work",
    [
        lambda crowd: search_chunks("warranty", document_ids=[crowd.document.pk], limit=5),
        lambda crowd: give_up_if_abandoned(crowd.reply),
        lambda crowd: reserve(user_id=crowd.owner.pk, tokens=1, cost=None).release(),
        lambda crowd: list(privacy.delete(privacy.owned_by(crowd.owner.pk).filter(title__contains="(120)"))),
        lambda crowd: list(ledger.forget(crowd.owner.pk)),
        lambda crowd: list(privacy.exported(crowd.owner.pk)),
    ],
    ids=["searching", "giving up", "reserving", "deleting", "forgetting", "exporting"],
)
def test_work_beside_requests_reads_by_an_index(
    crowd: Crowd, db: None, settings: Settings, work: Callable[[Crowd], object]
) -> None:
    settings.LLM_BUDGET_DAY_TOKENS = 10**12
    Message.objects.filter(pk=crowd.reply.pk).update(
        status="in_progress", updated_at=timezone.now() - dt.timedelta(days=1)
    )
    with no_table_is_read_whole():
        work(crowd)


def test_a_reading_from_end_to_end_is_found(crowd: Crowd, db: None) -> None:
    rows = Conversation.objects.filter(title="nothing")
    for whole in (rows, rows.order_by("-id")[:5], Conversation.objects.order_by("title")[:5]):
        assert whole_readings(str(whole.query).replace("= nothing", "= 'nothing'")), whole.query
    for part in (Conversation.objects.order_by("-id")[:5], Conversation.objects.filter(pk=1)):
        assert not whole_readings(str(part.query))
