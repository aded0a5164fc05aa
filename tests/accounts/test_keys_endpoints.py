"""A user's own API keys over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from botgpt.accounts.models import ApiKey, AuditEvent, User

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

KEYS = "/api/v1/auth/keys"


def with_key(user: User, *scopes: str) -> APIClient:
    _, token = ApiKey.objects.issue(user=user, name="given", scopes=list(scopes))
    return APIClient(headers={"authorization": f"Bearer {token}"})


def test_a_key_is_made_its_token_shown_once_and_works(api: APIClient, alice: User) -> None:
    response = api.post(KEYS, {"name": "Dashboard", "scopes": ["read"], "calls_per_minute": 5}, format="json")
    assert response.status_code == 201
    body = response.json()
    token = body.pop("token")
    key = ApiKey.objects.get()
    assert (key.user, key.name, key.scopes, key.calls_per_minute) == (alice, "Dashboard", ["read"], 5)
    assert body == api.get(KEYS).json()["keys"][0]
    assert (body["prefix"], body["state"], body["expires_at"]) == (key.prefix, "active", None)
    assert token not in api.get(KEYS).content.decode()
    client = APIClient(headers={"authorization": f"Bearer {token}"})
    me = client.get("/api/v1/auth/me").json()
    assert (me["username"], me["scopes"]) == ("alice", ["read"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["admin"]}, "scopes.0"),
        ({"name": "x", "scopes": "read"}, "scopes"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "x", "calls_per_minute": 0}, "calls_per_minute"),
    ],
)
def test_a_bad_key_is_refused_by_its_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    response = api.post(KEYS, body, format="json")
    assert response.status_code == 400
    assert field in response.json()["fields"]
    assert not ApiKey.objects.exists()


def test_a_revoked_key_stops_working_and_stays_in_the_list(api: APIClient, alice: User) -> None:
    client = with_key(alice, "read")
    assert client.get(KEYS).status_code == 200
    key = ApiKey.objects.get()
    for _ in range(2):
        assert api.delete(f"{KEYS}/{key.pk}").status_code == 204
    assert client.get(KEYS).status_code == 401
    assert api.get(KEYS).json()["keys"][0]["state"] == "revoked"


def test_someone_elses_key_does_not_exist(api: APIClient, stranger: APIClient, alice: User) -> None:
    key, _ = ApiKey.objects.issue(user=alice, name="laptop")
    response = stranger.delete(f"{KEYS}/{key.pk}")
    assert (response.status_code, response.json()["error"]) == (404, "Api key not found")
    assert stranger.get(KEYS).json() == {"keys": [], "total": 0, "page": 1, "page_size": 20}
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_cannot_make_keys_whatever_its_scopes(alice: User) -> None:
    response = with_key(alice, "read", "write").post(KEYS, {"name": "second"}, format="json")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
    assert ApiKey.objects.count() == 1


def test_a_key_that_only_reads_revokes_nothing(alice: User) -> None:
    client = with_key(alice, "read")
    key = ApiKey.objects.get()
    assert client.delete(f"{KEYS}/{key.pk}").status_code == 403
    assert with_key(alice, "write").delete(f"{KEYS}/{key.pk}").status_code == 204


def test_nobody_has_no_keys(db: None) -> None:
    for path in (KEYS, "/api/v1/auth/me"):
        assert APIClient().get(path).status_code == 401


def test_other_methods_are_405(api: APIClient, alice: User) -> None:
    key, _ = ApiKey.objects.issue(user=alice, name="laptop")
    assert api.get(f"{KEYS}/{key.pk}").status_code == 405
    assert api.put(KEYS, {}, format="json").status_code == 405
    assert api.post("/api/v1/auth/me", {}, format="json").status_code == 405


def test_the_list_costs_two_queries_however_long(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(5):
        ApiKey.objects.issue(user=alice, name=str(number))
    with django_assert_num_queries(2):
        body = api.get(KEYS, {"page_size": 3}).json()
    assert ([key["name"] for key in body["keys"]], body["total"]) == (["4", "3", "2"], 5)


def test_making_and_revoking_a_key_is_in_the_audit_log(api: APIClient, alice: User) -> None:
    key_id = api.post(KEYS, {"name": "Dashboard"}, format="json").json()["id"]
    api.delete(f"{KEYS}/{key_id}")
    events = AuditEvent.objects.order_by("id")
    assert [(event.action, event.object_type, event.object_id) for event in events] == [
        ("add", "accounts.apikey", str(key_id)),
        ("revoke", "accounts.apikey", str(key_id)),
    ]
    assert {(event.actor, event.actor_name, event.address) for event in events} == {(alice, "alice", "127.0.0.1")}
