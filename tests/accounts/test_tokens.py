"""Web tokens: a login, its renewal, and everything that ends it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from botgpt.accounts.models import ApiKey, User

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

TOKEN = "/api/v1/auth/token"
PASSWORD = "correct horse battery"


def log_in(username: str = "alice", password: str = PASSWORD) -> Any:
    return APIClient().post(TOKEN, {"username": username, "password": password}, format="json")


def call(access: str, path: str = "/api/v1/conversations") -> Any:
    return APIClient().get(path, headers={"authorization": f"Bearer {access}"})


def refresh(token: str) -> Any:
    return APIClient().post(f"{TOKEN}/refresh", {"refresh": token}, format="json")


def test_a_login_gives_a_token_that_calls_as_its_user(alice: User) -> None:
    response = log_in()
    assert response.status_code == 200
    assert set(response.json()) == {"access", "refresh"}
    me = call(response.json()["access"], "/api/v1/auth/me").json()
    assert (me["id"], me["username"], me["scopes"]) == (alice.pk, "alice", ["read", "write"])
    alice.refresh_from_db()
    assert alice.last_login is not None


def test_the_header_is_read_whatever_its_case(alice: User) -> None:
    access = log_in().json()["access"]
    response = APIClient().get("/api/v1/conversations", headers={"authorization": f"bearer  {access} "})
    assert response.status_code == 200


def test_a_call_with_a_token_costs_one_query_to_authenticate(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    access = log_in().json()["access"]
    with django_assert_num_queries(1):
        call(access, "/api/v1/auth/me")


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("", PASSWORD)])
def test_a_wrong_login_is_refused_without_saying_what_was_wrong(alice: User, username: str, password: str) -> None:
    response = log_in(username or " ", password)
    if not username:
        assert (response.status_code, list(response.json()["fields"])) == (400, ["username"])
        return
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json()["detail"] == "No active account has this username and password."


@pytest.mark.parametrize("body", [{}, {"username": "alice"}, {"username": 5, "password": "x"}, [], {"username": "\0"}])
def test_a_login_with_a_bad_body_is_400(db: None, body: Any) -> None:
    response = APIClient().post(TOKEN, body, format="json")
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", [TOKEN, f"{TOKEN}/refresh", f"{TOKEN}/revoke"])
def test_tokens_are_only_posted_for(db: None, path: str) -> None:
    response = APIClient().get(path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_a_stale_token_in_the_header_does_not_keep_anybody_from_logging_in(alice: User) -> None:
    client = APIClient(headers={"authorization": "Bearer a.stale.token"})
    assert client.post(TOKEN, {"username": "alice", "password": PASSWORD}, format="json").status_code == 200


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "bgpt", "e30.e30.", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9."]
)
def test_a_token_that_is_none_is_401(alice: User, token: str) -> None:
    response = call(token)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_unknown_api_key_is_refused_as_one(db: None) -> None:
    assert "API key" in call(f"{ApiKey.MARKER}0123456789ab_x").json()["detail"]


def test_a_refresh_token_does_not_authenticate_calls(alice: User) -> None:
    assert call(log_in().json()["refresh"]).status_code == 401


def test_an_access_token_expires_and_the_refresh_token_gives_a_new_one(alice: User) -> None:
    with time_machine.travel(dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC), tick=False) as clock:
        first = log_in().json()
        clock.shift(dt.timedelta(minutes=14))
        assert call(first["access"]).status_code == 200
        clock.shift(dt.timedelta(minutes=2))
        assert call(first["access"]).status_code == 401
        second = refresh(first["refresh"])
        assert second.status_code == 200
        assert call(second.json()["access"]).status_code == 200
        clock.shift(dt.timedelta(days=15))
        assert refresh(second.json()["refresh"]).status_code == 401


def test_a_refresh_token_works_once(alice: User) -> None:
    first = log_in().json()
    second = refresh(first["refresh"]).json()
    again = refresh(first["refresh"])
    assert (again.status_code, again.json()["code"]) == (401, "not_authenticated")
    assert refresh(second["refresh"]).status_code == 200


def test_a_refresh_token_is_stored_only_once_it_is_spent(alice: User) -> None:
    first = log_in().json()
    assert not OutstandingToken.objects.exists()
    second = refresh(first["refresh"]).json()
    assert list(OutstandingToken.objects.values_list("token", flat=True)) == [first["refresh"]]
    assert second["refresh"] != first["refresh"]


def test_a_revoked_token_is_of_no_use_and_may_be_revoked_again(alice: User) -> None:
    token = log_in().json()["refresh"]
    for _ in range(2):
        response = APIClient().post(f"{TOKEN}/revoke", {"refresh": token}, format="json")
        assert (response.status_code, response.content) == (204, b"")
    assert refresh(token).status_code == 401
    assert APIClient().post(f"{TOKEN}/revoke", {"refresh": "nonsense"}, format="json").status_code == 204


def test_an_access_token_refreshes_nothing(alice: User) -> None:
    assert refresh(log_in().json()["access"]).status_code == 401


def test_a_new_password_makes_every_token_void(alice: User) -> None:
    pair = log_in().json()
    alice.set_password("another horse battery")
    alice.save()
    assert call(pair["access"]).status_code == 401
    assert refresh(pair["refresh"]).status_code == 401


@pytest.mark.parametrize("end", ["deactivated", "deleted"])
def test_the_tokens_of_a_user_who_is_gone_are_void(alice: User, end: str) -> None:
    pair = log_in().json()
    if end == "deleted":
        alice.delete()
    else:
        alice.is_active = False
        alice.save()
    assert call(pair["access"]).status_code == 401
    assert refresh(pair["refresh"]).status_code == 401
    assert log_in().status_code == 401
