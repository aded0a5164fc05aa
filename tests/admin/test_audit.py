"""The audit log: who read whose transcript, and who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from botgpt.accounts.models import ApiKey, AuditEvent, User
from tests.builders import conversation_of

from .conftest import staff_client

if TYPE_CHECKING:
    from django.test import Client

    from conversations.models import Conversation

KEYS = "/admin/accounts/apikey/"
EVENTS = "/admin/accounts/auditevent/"


@pytest.fixture
def conversation(alice: User) -> Conversation:
    return conversation_of(alice, title="About the warranty", turns=1)


def last() -> tuple[str, str, str]:
    event = AuditEvent.objects.order_by("id").last()
    assert event is not None
    return event.action, event.object_type, event.object_id


def test_opening_a_transcript_is_recorded_with_whose_it_was(admin_client: Client, conversation: Conversation) -> None:
    page = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    admin_client.get(page, REMOTE_ADDR="203.0.113.7")
    event = AuditEvent.objects.get()
    assert last() == ("read", "conversations.conversation", str(conversation.pk))
    assert (event.actor_name, event.address, event.detail) == ("admin", "203.0.113.7", "of alice")
    assert conversation.title not in str(vars(event))


def test_a_list_and_a_page_without_text_of_users_are_not_recorded(
    admin_client: Client, conversation: Conversation
) -> None:
    key, _ = ApiKey.objects.issue(user=conversation.user, name="laptop")
    admin_client.get(reverse("admin:conversations_conversation_changelist"))
    admin_client.get(f"{KEYS}{key.pk}/change/")
    assert not AuditEvent.objects.exists()


def test_who_may_not_read_a_transcript_leaves_no_read_behind(conversation: Conversation) -> None:
    page = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    assert staff_client("documents.view_document").get(page).status_code == 403
    assert not AuditEvent.objects.exists()


def test_every_change_of_a_key_is_recorded(admin_client: Client, alice: User) -> None:
    fields = {"user": alice.pk, "name": "CI", "scopes": ["read"], "expires_at_0": "", "expires_at_1": ""}
    admin_client.post(f"{KEYS}add/", fields)
    key = ApiKey.objects.get()
    assert last() == ("add", "accounts.apikey", str(key.pk))
    page = f"{KEYS}{key.pk}/change/"
    admin_client.post(page, fields | {"scopes": ["read", "write"]})
    assert last() == ("change", "accounts.apikey", str(key.pk))
    assert AuditEvent.objects.latest("id").detail == "Changed scopes."
    admin_client.post(page, fields | {"accounts_apikey_revoke": ""})
    assert "Revoked." in AuditEvent.objects.values_list("detail", flat=True)
    admin_client.post(f"{KEYS}{key.pk}/delete/", {"post": "yes"})
    assert last() == ("delete", "accounts.apikey", str(key.pk))


def test_deleting_many_records_each(admin_client: Client, alice: User) -> None:
    ids = [conversation_of(alice).pk for _ in range(3)]
    action = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    admin_client.post("/admin/conversations/conversation/", action)
    assert sorted(AuditEvent.objects.filter(action="delete").values_list("object_id", flat=True)) == [
        str(i) for i in ids
    ]


def test_the_log_outlives_who_is_in_it(admin_client: Client, conversation: Conversation) -> None:
    admin_client.get(reverse("admin:conversations_conversation_change", args=[conversation.pk]))
    User.objects.all().delete()
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == (None, "admin")


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_nobody_adds_or_deletes_an_event(admin_client: Client, alice: User, path: str) -> None:
    event = AuditEvent.objects.record(AuditEvent.Action.READ, alice)
    assert admin_client.post(f"{EVENTS}{path.format(event.pk)}", {"post": "yes"}).status_code == 403
    admin_client.post(f"{EVENTS}{event.pk}/change/", {"actor_name": "nobody"})
    assert AuditEvent.objects.get().actor_name == "command line"


def test_the_log_is_listed_filtered_and_searched(admin_client: Client, alice: User, bob: User) -> None:
    AuditEvent.objects.record(AuditEvent.Action.READ, alice)
    AuditEvent.objects.record(AuditEvent.Action.DELETE, bob)
    for query, shown in (({"action__exact": "read"}, [True, False]), ({"q": str(bob.pk)}, [False, True])):
        page = admin_client.get(EVENTS, query).content.decode()
        assert [f"/auditevent/{event.pk}/" in page for event in AuditEvent.objects.order_by("id")] == shown
