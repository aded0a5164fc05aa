"""OAuth 2: an application acts for a person who agrees, or for its owner."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client
from oauth2_provider.models import AccessToken, Application, RefreshToken
from rest_framework.test import APIClient

from botgpt.accounts.models import AuditEvent, User
from tests.builders import conversation_of

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

AUTHORIZE, TOKEN, REVOKE = (f"/api/v1/auth/oauth/{name}" for name in ("authorize", "token", "revoke"))
CALLBACK = "https://app.example/callback"
SECRET = "the-secret-of-the-application"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def app(db: None) -> Application:
    """A page that acts for people."""
    return Application.objects.create(
        name="Notebook",
        client_type=Application.CLIENT_PUBLIC,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=CALLBACK,
    )


@pytest.fixture
def machine(alice: User) -> Application:
    """A program that acts for alice, its owner."""
    return Application.objects.create(
        name="Nightly report",
        user=alice,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=SECRET,
    )


@pytest.fixture
def browser(alice: User) -> Client:
    """Of alice, who has logged in."""
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return client


def question(app: Application, **changes: str | None) -> str:
    params = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": CALLBACK,
        "scope": "read write",
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return f"{AUTHORIZE}?{urlencode({name: value for name, value in params.items() if value is not None})}"


def hidden_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def agree(browser: Client, app: Application, **changes: str | None) -> dict[str, list[str]]:
    """What the application gets back with the browser."""
    where = question(app, **changes)
    answer = browser.post(where, hidden_fields(browser.get(where).content.decode()) | {"allow": "true"})
    assert answer.status_code == 302, answer.content.decode()
    assert answer["Location"].startswith(CALLBACK)
    return parse_qs(urlsplit(answer["Location"]).query)


def exchange(app: Application, code: str, **changes: str) -> Any:
    given = {"grant_type": "authorization_code", "client_id": app.client_id, "code": code, "redirect_uri": CALLBACK}
    return Client().post(TOKEN, given | {"code_verifier": VERIFIER} | changes)


def machine_token(machine: Application, **changes: str) -> Any:
    given = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": SECRET}
    return Client().post(TOKEN, given | changes)


def caller(token: str) -> APIClient:
    return APIClient(headers={"authorization": f"Bearer {token}"})


# --- A person agrees --------------------------------------------------------------------------


def test_who_agrees_lets_the_application_act_for_them(browser: Client, app: Application, alice: User) -> None:
    back = agree(browser, app)
    assert back["state"] == ["xyz"]
    assert back["iss"] == ["http://testserver"]
    pair = exchange(app, back["code"][0]).json()
    assert (pair["scope"], pair["expires_in"], pair["token_type"]) == ("read write", 3600, "Bearer")
    me = caller(pair["access_token"]).get("/api/v1/auth/me").json()
    assert (me["username"], me["scopes"]) == ("alice", ["read", "write"])
    conversation_of(alice, title="Mine")
    assert caller(pair["access_token"]).get("/api/v1/conversations").json()["total"] == 1


def test_the_page_says_who_asks_for_what_and_holds_no_script(browser: Client, app: Application) -> None:
    response = browser.get(question(app))
    page = response.content.decode()
    for said in (
        "Notebook",
        "alice",
        CALLBACK,
        "Read your conversations and documents",
        "Create, change and delete them",
    ):
        assert said in page
    assert "<script" not in page
    policy = response["Content-Security-Policy"]
    assert "form-action 'self' https://app.example;" in f"{policy};"
    assert "'unsafe" not in policy


def test_whoever_has_not_logged_in_does_so_first_and_comes_back(app: Application, alice: User) -> None:
    browser = Client()
    where = question(app)
    sent = browser.get(where)
    assert (sent.status_code, urlsplit(sent["Location"]).path) == (302, "/login")
    form = hidden_fields(browser.get(sent["Location"]).content.decode())
    wrong = browser.post("/login", form | {"username": "alice", "password": "wrong"})
    assert "Please enter a correct username and password" in wrong.content.decode()
    answer = browser.post("/login", {"next": where, "username": "alice", "password": "correct horse battery"})
    assert answer["Location"] == where
    assert "Notebook" in browser.get(where).content.decode()


def test_the_login_sends_nobody_to_another_site(alice: User) -> None:
    form = {"next": "https://evil.example/", "username": "alice", "password": "correct horse battery"}
    assert Client().post("/login", form)["Location"] == "/"


def test_who_cancels_gives_nothing(browser: Client, app: Application) -> None:
    where = question(app)
    answer = browser.post(where, hidden_fields(browser.get(where).content.decode()))
    assert parse_qs(urlsplit(answer["Location"]).query)["error"] == ["access_denied"]
    assert not AccessToken.objects.exists()


def test_an_agreement_sent_by_another_site_is_refused(alice: User, app: Application) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    where = question(app)
    fields = hidden_fields(browser.get(where).content.decode())
    fields.pop("csrfmiddlewaretoken")
    assert browser.post(where, fields | {"allow": "true"}).status_code == 403


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_what_is_unsafe_or_unknown_is_sent_back_as_an_error(
    browser: Client, app: Application, changes: dict[str, str | None], error: str
) -> None:
    answer = browser.get(question(app, **changes))
    assert answer.status_code == 302
    where = urlsplit(answer["Location"])
    assert parse_qs(where.query or where.fragment)["error"] == [error]


def test_a_challenge_in_clear_is_refused(browser: Client, app: Application) -> None:
    where = question(app, code_challenge=VERIFIER, code_challenge_method="plain")
    answer = browser.post(where, hidden_fields(browser.get(where).content.decode()) | {"allow": "true"})
    assert "code" not in parse_qs(urlsplit(answer["Location"]).query)


def test_a_request_without_anything_to_agree_to_is_told_on_a_page(browser: Client, app: Application) -> None:
    where = question(app, scope="")
    answer = browser.post(where, hidden_fields(browser.get(where).content.decode()) | {"allow": "true"})
    assert (answer.status_code, "the request is not complete" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example/"}, {"client_id": "unknown"}])
def test_nobody_is_sent_to_an_address_that_was_not_agreed_on(
    browser: Client, app: Application, changes: dict[str, str]
) -> None:
    answer = browser.get(question(app, **changes))
    assert answer.status_code == 400
    assert "This does not work" in answer.content.decode()


def test_a_code_works_once_and_only_with_its_verifier(browser: Client, app: Application) -> None:
    code = agree(browser, app)["code"][0]
    assert exchange(app, code, code_verifier="w" * 64).json()["error"] == "invalid_grant"
    code = agree(browser, app)["code"][0]
    assert exchange(app, code).status_code == 200
    assert exchange(app, code).json()["error"] == "invalid_grant"


def test_without_a_wish_for_scopes_there_is_only_reading(browser: Client, app: Application) -> None:
    code = agree(browser, app, scope=None)["code"][0]
    client = caller(exchange(app, code).json()["access_token"])
    assert client.get("/api/v1/conversations").status_code == 200
    response = client.post("/api/v1/conversations", {"first_message": "Hello"}, format="json")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_a_refresh_token_is_renewed_and_its_second_use_ends_the_family(browser: Client, app: Application) -> None:
    def renew(token: str) -> Any:
        return Client().post(TOKEN, {"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": token})

    first = exchange(app, agree(browser, app)["code"][0]).json()
    second = renew(first["refresh_token"]).json()
    assert caller(second["access_token"]).get("/api/v1/auth/me").status_code == 200
    assert renew(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert renew(second["refresh_token"]).json()["error"] == "invalid_grant"


# --- A program acts for its owner -------------------------------------------------------------


def test_client_credentials_act_as_the_owner_with_the_scopes_asked_for(machine: Application) -> None:
    pair = machine_token(machine, scope="read").json()
    assert "refresh_token" not in pair
    me = caller(pair["access_token"]).get("/api/v1/auth/me").json()
    assert (me["username"], me["scopes"]) == ("alice", ["read"])


def test_the_secret_may_come_in_the_header_too(machine: Application) -> None:
    basic = base64.b64encode(f"{machine.client_id}:{SECRET}".encode()).decode()
    header = {"authorization": f"Basic {basic}"}
    response = Client().post(TOKEN, {"grant_type": "client_credentials"}, headers=header)
    assert (response.status_code, response.json()["scope"]) == (200, "read")
    assert response["Cache-Control"] == "no-store"


def test_a_wrong_secret_gets_nothing(machine: Application) -> None:
    response = machine_token(machine, client_secret="guess")
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"])
def test_other_grants_are_refused(machine: Application, alice: User, grant: str) -> None:
    given = {"username": "alice", "password": "correct horse battery", "code": "x", "device_code": "x"}
    assert machine_token(machine, grant_type=grant, **given).status_code in {400, 401, 404}
    assert not AccessToken.objects.exists()


def test_neither_secrets_nor_tokens_are_stored_in_clear(
    browser: Client, app: Application, machine: Application
) -> None:
    machine.refresh_from_db()
    pair = exchange(app, agree(browser, app)["code"][0]).json()
    stored = str([*AccessToken.objects.values(), *RefreshToken.objects.values(), *Application.objects.values()])
    for secret in (SECRET, pair["access_token"], pair["refresh_token"]):
        assert secret not in stored


# --- The end of a token -----------------------------------------------------------------------


def test_a_token_expires(machine: Application) -> None:
    token = machine_token(machine).json()["access_token"]
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1, seconds=1)):
        response = caller(token).get("/api/v1/auth/me")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_revoked_token_stops_working(machine: Application) -> None:
    token = machine_token(machine).json()["access_token"]
    given = {"client_id": machine.client_id, "client_secret": SECRET, "token": token}
    assert Client().post(REVOKE, given).status_code == 200
    assert caller(token).get("/api/v1/auth/me").status_code == 401


@pytest.mark.parametrize("end", ["deactivated", "application deleted", "no owner"])
def test_a_token_ends_with_whom_it_acts_for(machine: Application, alice: User, end: str) -> None:
    token = machine_token(machine).json()["access_token"]
    if end == "application deleted":
        machine.delete()
    elif end == "no owner":
        Application.objects.update(user=None)
    else:
        User.objects.update(is_active=False)
    response = caller(token).get("/api/v1/auth/me")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_an_application_makes_no_api_keys(machine: Application) -> None:
    client = caller(machine_token(machine, scope="read write").json()["access_token"])
    assert client.post("/api/v1/auth/keys", {"name": "x"}, format="json").status_code == 403
    assert client.get("/api/v1/auth/keys").status_code == 200


def test_a_call_costs_one_query_to_authenticate(
    machine: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = caller(machine_token(machine).json()["access_token"])
    with django_assert_num_queries(1):
        client.get("/api/v1/auth/me")


def test_a_token_does_not_touch_the_body_of_an_upload(machine: Application) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client = caller(machine_token(machine, scope="read write").json()["access_token"])
    response = client.post("/api/v1/documents", {"file": SimpleUploadedFile("a.txt", b"Some text.")})
    assert response.status_code == 201


# --- Discovery and the admin ------------------------------------------------------------------


def test_the_discovery_document_names_what_is_there(db: None) -> None:
    document = Client().get("/.well-known/oauth-authorization-server").json()
    assert document["issuer"] == "http://testserver"
    assert document["token_endpoint"] == f"http://testserver{TOKEN}"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]


FORM = {"name": "Report", "client_type": "confidential", "authorization_grant_type": "client-credentials"}


def test_the_admin_makes_an_application_and_shows_its_secret_once(admin_client: Client, alice: User) -> None:
    made = admin_client.post(
        "/admin/oauth2_provider/application/add/", FORM | {"user": alice.pk, "redirect_uris": ""}, follow=True
    )
    page = made.content.decode()
    secret = page.partition('<code class="token">')[2].partition("</code>")[0]
    application = Application.objects.get()
    given = {"grant_type": "client_credentials", "client_id": application.client_id, "client_secret": secret}
    assert Client().post(TOKEN, given).status_code == 200
    again = admin_client.get(f"/admin/oauth2_provider/application/{application.pk}/change/").content.decode()
    assert application.client_id in again
    assert secret not in again
    assert application.client_secret not in again
    assert AuditEvent.objects.get().object_type == "oauth2_provider.application"


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": ""},
        {"client_type": "public"},
        {"authorization_grant_type": "password"},
        {"authorization_grant_type": "authorization-code", "redirect_uris": ""},
        {"authorization_grant_type": "authorization-code", "redirect_uris": "http://app.example/"},
        {"authorization_grant_type": "authorization-code", "redirect_uris": "https://*.example/"},
    ],
)
def test_the_admin_refuses_an_application_that_cannot_be_safe(
    admin_client: Client, alice: User, wrong: dict[str, str]
) -> None:
    form = FORM | {"user": str(alice.pk), "redirect_uris": ""} | wrong
    assert admin_client.post("/admin/oauth2_provider/application/add/", form).status_code == 200
    assert not Application.objects.exists()
