"""`manage.py seed`: the demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from botgpt.accounts.models import ApiKey, User
from botgpt.operations.demo import ADMIN_LOGIN, FOLDER, QUESTION, demo_documents
from conversations.models import Conversation, Message
from documents.models import Document
from llm.models import LLMCall

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from tests.provider_server import ProviderServer


@pytest.fixture
def development(settings: Settings, db: None) -> None:
    settings.DEBUG = True


@pytest.fixture
def printed(development: None, capsys: pytest.CaptureFixture[str]) -> str:
    """What the first run on an empty database says."""
    call_command("seed")
    return capsys.readouterr().out


def everything(settings: Settings) -> dict[str, int]:
    """How many rows each table has, and how many files are stored."""
    rows = {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    return rows | {"files": sum(path.is_file() for path in Path(settings.MEDIA_ROOT).rglob("*"))}


def test_the_demo_user_is_the_first_one_and_has_no_password(printed: str) -> None:
    first = User.objects.order_by("id")[0]
    assert (first.username, first.has_usable_password(), first.is_staff) == ("demo", False, False)


def test_the_admin_login_opens_the_admin(printed: str, client: Client) -> None:
    client.post("/admin/login/", {"username": ADMIN_LOGIN.username, "password": ADMIN_LOGIN.password})
    assert client.get("/admin/").status_code == 200
    assert f"the admin login {ADMIN_LOGIN.username} / {ADMIN_LOGIN.password}" in printed


def test_the_api_key_that_is_printed_works(printed: str) -> None:
    token = next(word for word in printed.split() if word.startswith(ApiKey.MARKER))
    key = ApiKey.objects.find(token)
    assert key is not None
    assert key.user.username == "demo"


def test_the_four_documents_are_ready_to_be_asked(printed: str) -> None:
    documents = Document.objects.filter(owner__username="demo", status="ready")
    assert sorted(d.filename for d in documents) == sorted(path.name for path in FOLDER.iterdir())
    assert demo_documents() == sorted(d.pk for d in documents)
    assert {d.media_type.rpartition("/")[2].rpartition(".")[2] for d in documents} >= {"pdf", "html", "document"}
    assert all(d.char_count > 3_000 for d in documents)
    assert max(d.page_count or 0 for d in documents) >= 4


def test_the_conversations_are_real_turns_with_real_citations(printed: str) -> None:
    conversations = list(Conversation.objects.order_by("id"))
    assert [(c.mode, c.message_count) for c in conversations] == [("rag", 6), ("rag", 6), ("open", 2)]
    assert [c.user.conversation_count for c in conversations] == [3, 3, 3]
    replies = Message.objects.filter(role="assistant")
    assert {(reply.status, reply.model_used) for reply in replies} == {("complete", "offline")}
    for reply in replies.filter(conversation__mode="rag"):
        assert reply.citations
        for citation in reply.citations:
            document = Document.objects.get(pk=citation["document_id"])
            assert document.content[citation["quote_start"] : citation["quote_end"]] == citation["quote"]
    assert LLMCall.objects.filter(provider="offline", cost=0).count() == len(replies)


def test_the_question_of_the_banner_is_answered_with_a_citation(printed: str) -> None:
    answer = Message.objects.get(parent__content=QUESTION)
    assert "three years" in answer.content
    assert "three years" in "".join(citation["quote"] for citation in answer.citations)


def test_a_second_run_changes_nothing_and_says_so(
    printed: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(settings)
    documents = list(Document.objects.values_list("pk", "updated_at"))
    call_command("seed")
    assert everything(settings) == before
    assert list(Document.objects.values_list("pk", "updated_at")) == documents
    assert capsys.readouterr().out == "The demo is there already; nothing was changed.\n"


def test_what_was_deleted_is_made_again_and_nothing_else(
    printed: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Conversation.objects.filter(mode="open").delete()
    call_command("seed")
    assert capsys.readouterr().out == "Made:\n  1 conversations, answered without a language model\n"
    assert User.objects.get(username="demo").conversation_count == 3


def test_no_provider_is_asked_even_when_one_is_configured(
    development: None, groq: ProviderServer, settings: Settings
) -> None:
    before = settings.LLM_CHAIN
    call_command("seed")
    assert groq.requests == []
    assert set(Message.objects.filter(role="assistant").values_list("model_used", flat=True)) == {"offline"}
    assert list(settings.LLM_CHAIN) == before


def test_the_provider_is_asked_again_after_the_seeding(development: None, groq: ProviderServer, api: APIClient) -> None:
    call_command("seed")
    api.post("/api/v1/conversations", {"first_message": "Hello"}, format="json")
    assert len(groq.requests) == 1


def test_without_debug_the_published_password_is_refused_and_nothing_is_made(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    before = everything(settings)
    with pytest.raises(CommandError, match="--admin-password or ADMIN_PASSWORD, or --force"):
        call_command("seed")
    assert everything(settings) == before


@pytest.mark.parametrize("way", ["option", "environment"])
def test_without_debug_a_password_of_one_s_own_is_taken_and_not_printed(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    password = "violet-harbour-17"
    if way == "environment":
        monkeypatch.setenv("ADMIN_PASSWORD", password)
        call_command("seed")
    else:
        call_command("seed", "--admin-password", password)
    assert User.objects.get(username="admin").check_password(password)
    assert password not in capsys.readouterr().out


def test_a_weak_password_is_refused_unless_forced(db: None) -> None:
    with pytest.raises(CommandError, match=r"The admin password is weak\. This password is too short"):
        call_command("seed", "--admin-password", "short")
    call_command("seed", "--admin-password", "short", "--force")
    assert User.objects.get(username="admin").check_password("short")


def test_an_admin_who_is_there_keeps_the_password(development: None) -> None:
    User.objects.create_superuser("admin", password="my own")
    call_command("seed")
    assert User.objects.get(username="admin").check_password("my own")


def test_there_are_no_demo_documents_before_the_seeding(db: None) -> None:
    assert demo_documents() == []
