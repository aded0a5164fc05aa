"""Who sees which page of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from llm.models import Allowance

from .conftest import staff_client

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client
    from pytest_django import Settings

    from .conftest import World

LISTS = [
    "accounts_user",
    "accounts_apikey",
    "accounts_auditevent",
    "auth_group",
    "conversations_conversation",
    "documents_document",
    "llm_llmcall",
    "llm_modelprice",
    "llm_budget",
    "llm_allowance",
]
ADDS = ["accounts_user", "accounts_apikey", "auth_group", "documents_document", "llm_modelprice", "llm_budget"]
READ_ONLY = ["accounts_auditevent", "conversations_conversation", "llm_llmcall", "llm_allowance"]


def row_of(name: str, world: World) -> int:
    rows: dict[str, Model] = {
        "accounts_user": world.key.user,
        "accounts_apikey": world.key,
        "accounts_auditevent": world.event,
        "conversations_conversation": world.conversation,
        "documents_document": world.document,
        "llm_llmcall": world.call,
        "llm_modelprice": world.price,
        "llm_budget": world.budget,
        "llm_allowance": Allowance.objects.get(user=world.key.user),
    }
    return int(rows[name].pk)


@pytest.mark.parametrize("name", LISTS)
def test_a_superuser_opens_every_list(admin_client: Client, world: World, name: str) -> None:
    response = admin_client.get(reverse(f"admin:{name}_changelist"))
    assert response.status_code == 200


@pytest.mark.parametrize("name", [name for name in LISTS if name != "auth_group"])
def test_a_superuser_opens_every_row_and_its_history(admin_client: Client, world: World, name: str) -> None:
    for page in ("change", "history"):
        response = admin_client.get(reverse(f"admin:{name}_{page}", args=[row_of(name, world)]))
        assert response.status_code == 200, page


@pytest.mark.parametrize("name", ADDS)
def test_a_superuser_opens_every_form_to_add(admin_client: Client, name: str) -> None:
    assert admin_client.get(reverse(f"admin:{name}_add")).status_code == 200


@pytest.mark.parametrize("name", READ_ONLY)
def test_nobody_adds_a_conversation_or_a_call(admin_client: Client, name: str) -> None:
    assert admin_client.get(reverse(f"admin:{name}_add")).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_a_caller_without_a_session_is_sent_to_the_login(client: Client, db: None, name: str) -> None:
    page = reverse(f"admin:{name}_changelist")
    response = client.get(page)
    assert (response.status_code, response["Location"]) == (302, f"/admin/login/?next={page}")


@pytest.mark.parametrize("name", LISTS)
def test_staff_without_permission_see_no_list_and_no_row(clerk: Client, world: World, name: str) -> None:
    assert clerk.get(reverse(f"admin:{name}_changelist")).status_code == 403
    if name != "auth_group":
        assert clerk.get(reverse(f"admin:{name}_change", args=[row_of(name, world)])).status_code == 403


def test_the_special_pages_of_a_document_ask_for_permission_too(clerk: Client, world: World) -> None:
    for page in ("file", "reindex"):
        address = reverse(f"admin:documents_document_{page}", args=[world.document.pk])
        assert clerk.get(address).status_code == 403
        assert clerk.post(address).status_code == 403
    assert clerk.get(reverse("admin:documents_document_add")).status_code == 403


def test_the_sidebar_shows_what_one_may_see_and_no_more(world: World) -> None:
    page = staff_client("documents.view_document").get(reverse("admin:index")).content.decode()
    assert reverse("admin:documents_document_changelist") in page
    assert reverse("admin:accounts_user_changelist") not in page
    assert reverse("admin:llm_llmcall_changelist") not in page


def test_every_page_says_when_no_model_is_configured(admin_client: Client, settings: Settings) -> None:
    said = "No language model configured"
    assert said in admin_client.get(reverse("admin:index")).content.decode()
    settings.GROQ_API_KEY = "a key"
    assert said not in admin_client.get(reverse("admin:index")).content.decode()


def test_a_login_without_a_destination_leads_to_the_admin(client: Client, admin_user: object) -> None:
    response = client.post(reverse("admin:login"), {"username": "admin", "password": "password"})
    assert response["Location"] == reverse("admin:index")
