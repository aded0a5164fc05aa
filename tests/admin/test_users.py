"""Users in the admin, and who may change whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from botgpt.accounts.models import User
from llm.models import LLMCall
from tests.builders import conversation_of

from .conftest import staff_client

if TYPE_CHECKING:
    from django.test import Client

    from .conftest import World

USERS = "/admin/accounts/user/"
FORM = {"username": "alice", "email": "", "first_name": "", "last_name": "", "is_active": "on"}
NO_KEYS = {"api_keys-TOTAL_FORMS": 0, "api_keys-INITIAL_FORMS": 0}


def test_users_are_added_with_or_without_an_address(admin_client: Client) -> None:
    for name in ("carol", "dave"):
        password = {"usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
        admin_client.post(f"{USERS}add/", {"username": name, "email": ""} | password)
        user = User.objects.get(username=name)
        assert user.email is None
        assert user.check_password("correct horse")


@pytest.mark.parametrize("weak", ["short", "password12", "31415926535", "caroline-of-kent"])
def test_a_weak_password_is_refused_for_new_users_and_for_changes(admin_client: Client, alice: User, weak: str) -> None:
    name = "caroline-of-kent"
    form = {"username": name, "email": "", "usable_password": "true", "password1": weak, "password2": weak}
    assert admin_client.post(f"{USERS}add/", form).status_code == 200
    assert not User.objects.filter(username=name).exists()
    User.objects.filter(pk=alice.pk).update(username=name)
    assert admin_client.post(f"{USERS}{alice.pk}/password/", form).status_code == 200
    alice.refresh_from_db()
    assert not alice.check_password(weak)


def test_the_page_of_a_user_shows_conversations_and_keys(admin_client: Client, world: World) -> None:
    page = admin_client.get(f"{USERS}{world.key.user.pk}/change/").content.decode()
    assert f'/admin/conversations/conversation/?user__id__exact={world.key.user.pk}">1</a>' in page
    assert reverse("admin:accounts_apikey_change", args=[world.key.pk]) in page


def test_a_clerk_who_may_change_users_cannot_make_a_superuser(alice: User) -> None:
    clerk = staff_client("accounts.view_user", "accounts.change_user")
    clerk.post(f"{USERS}{alice.pk}/change/", FORM | NO_KEYS | {"is_superuser": "on", "is_staff": "on"})
    alice.refresh_from_db()
    assert (alice.email, alice.is_superuser, alice.is_staff) == (None, False, False)


def test_a_clerk_cannot_change_or_delete_a_superuser_or_set_the_password(admin_user: User) -> None:
    clerk = staff_client("accounts.view_user", "accounts.change_user", "accounts.delete_user")
    assert clerk.post(f"{USERS}{admin_user.pk}/change/", FORM | {"username": "gone"}).status_code == 403
    assert clerk.post(f"{USERS}{admin_user.pk}/password/", {}).status_code == 403
    assert clerk.post(f"{USERS}{admin_user.pk}/delete/", {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [admin_user.pk], "post": "yes"}
    clerk.post(USERS, bulk)
    admin_user.refresh_from_db()
    assert admin_user.username == "admin"


def test_deleting_a_user_takes_what_is_theirs_and_leaves_the_ledger(admin_client: Client, world: World) -> None:
    user = world.key.user
    admin_client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=user.pk).exists()
    call = LLMCall.objects.get()
    assert (call.user, call.conversation, call.prompt_tokens) == (None, None, 100)


def test_a_clerk_who_may_not_delete_conversations_cannot_delete_their_user(alice: User) -> None:
    clerk = staff_client("accounts.view_user", "accounts.delete_user")
    conversation_of(alice)
    clerk.post(f"{USERS}{alice.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=alice.pk).exists()


def test_the_autocomplete_finds_users(admin_client: Client, alice: User, bob: User) -> None:
    where = {"app_label": "accounts", "model_name": "apikey", "field_name": "user", "term": "ali"}
    found = admin_client.get(reverse("admin:autocomplete"), where).json()
    assert found["results"] == [{"id": str(alice.pk), "text": "alice"}]
