"""Limits on calls: what counts against which budget, and what the caller is told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from botgpt.accounts.models import ApiKey, User
from botgpt.api.rates import Rate
from tests.builders import conversation_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import DjangoAssertNumQueries, Settings

CONVERSATIONS, DOCUMENTS, TOKEN = "/api/v1/conversations", "/api/v1/documents", "/api/v1/auth/token"
HEADERS = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def limits(settings: Settings, tmp_path: Path) -> None:
    settings.LIMITS_FILE = tmp_path / "limits.sqlite3"
    settings.LIMITS = {
        "reads": Rate(5, 60),
        "turns": Rate(2, 60),
        "uploads": Rate(2, 60),
        "anonymous": Rate(3, 60),
        "logins": Rate(3, 60),
    }


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON + dt.timedelta(seconds=20.25), tick=False) as clock:
        yield clock


def start(client: APIClient) -> Any:
    return client.post(CONVERSATIONS, {"first_message": "Hello"}, format="json")


def upload(client: APIClient, text: str) -> Any:
    return client.post(DOCUMENTS, {"filename": "a.txt", "content": text}, format="json")


def log_in(password: str = "wrong", username: str = "alice") -> Any:
    return APIClient().post(TOKEN, {"username": username, "password": password}, format="json")


def with_key(user: User, **fields: Any) -> APIClient:
    _, token = ApiKey.objects.issue(user=user, name="given", **fields)
    return APIClient(headers={"authorization": f"Bearer {token}"})


def shown(response: Any) -> tuple[int, ...]:
    return tuple(int(response[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))


def test_every_answer_says_how_much_is_left(api: APIClient) -> None:
    assert [shown(api.get(CONVERSATIONS)) for _ in range(3)] == [(5, 4, 40), (5, 3, 40), (5, 2, 40)]
    assert shown(api.get(f"{CONVERSATIONS}/999")) == (5, 1, 40)
    assert shown(api.patch(CONVERSATIONS)) == (5, 0, 40)


def test_one_call_too_many_is_429_until_the_window_ends(api: APIClient, clock: Any) -> None:
    assert [api.get(CONVERSATIONS).status_code for _ in range(6)] == [200] * 5 + [429]
    refused = api.get(CONVERSATIONS)
    assert (refused.json()["code"], refused.json()["error"]) == ("rate_limited", "Too many requests")
    assert (refused["Retry-After"], shown(refused)) == ("40", (5, 0, 40))
    clock.shift(dt.timedelta(seconds=39.5))
    assert api.get(CONVERSATIONS)["Retry-After"] == "1"
    clock.shift(dt.timedelta(seconds=1))
    assert api.get(CONVERSATIONS).status_code == 200


def test_model_calls_uploads_and_the_rest_have_budgets_of_their_own(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice)
    assert [start(api).status_code for _ in range(3)] == [201, 201, 429]
    for method, path in ((api.put, f"{CONVERSATIONS}/{conversation.pk}"), (api.post, f"{CONVERSATIONS}/1/messages")):
        assert method(path, {"message": "x"}, format="json").status_code == 429
    assert [upload(api, f"Text {number}").status_code for number in range(3)] == [201, 201, 429]
    assert api.put(f"{DOCUMENTS}/1/file", {}, format="json").status_code == 429
    assert shown(api.get(CONVERSATIONS)) == (5, 4, 40)


def test_what_is_refused_costs_no_model_call(api: APIClient, alice: User) -> None:
    for _ in range(4):
        start(api)
    assert alice.conversations.count() == 2


def test_users_do_not_share_and_a_users_credentials_do(api: APIClient, stranger: APIClient, alice: User) -> None:
    key = with_key(alice)
    assert [client.get(CONVERSATIONS).status_code for client in (api, key) * 3] == [200] * 5 + [429]
    assert stranger.get(CONVERSATIONS).status_code == 200


def test_a_key_can_have_a_limit_of_its_own(api: APIClient, alice: User) -> None:
    key = with_key(alice, calls_per_minute=2)
    assert [shown(key.get(CONVERSATIONS))[:2], shown(start(key))[:2]] == [(2, 1), (2, 0)]
    assert key.get(CONVERSATIONS).status_code == 429
    assert api.get(CONVERSATIONS).status_code == 200


def test_calls_without_credentials_are_counted_by_address(db: None) -> None:
    client = APIClient()
    assert [client.get(CONVERSATIONS).status_code for _ in range(4)] == [401, 401, 401, 429]
    elsewhere = client.get(CONVERSATIONS, REMOTE_ADDR="203.0.113.7")
    assert (elsewhere.status_code, shown(elsewhere)) == (401, (3, 2, 40))


def test_refused_calls_are_told_in_the_one_error_body(db: None) -> None:
    for path in (CONVERSATIONS, "/api/v1/nowhere", f"{DOCUMENTS}/1"):
        assert set(APIClient().get(path).headers) >= HEADERS
    response = APIClient().get("/api/v1/nowhere")
    assert (response.status_code, response.json()["code"], response["Retry-After"]) == (429, "rate_limited", "40")
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_a_call_that_lacks_the_scope_has_headers_and_leaves_the_users_budget(alice: User) -> None:
    client = with_key(alice, scopes=["read"])
    assert set(start(client).headers) >= HEADERS
    assert shown(client.get(CONVERSATIONS)) == (5, 4, 40)


def test_counting_costs_no_query(api: APIClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        api.get(CONVERSATIONS)


def test_an_empty_limit_is_none(api: APIClient, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"reads": None}
    responses = [api.get(CONVERSATIONS) for _ in range(8)]
    assert {response.status_code for response in responses} == {200}
    assert not HEADERS & set(responses[0].headers)


def test_when_nothing_can_be_counted_calls_go_on_and_it_is_logged_once(
    api: APIClient, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    settings.LIMITS_FILE = blocker / "limits.sqlite3"
    assert [api.get(CONVERSATIONS).status_code for _ in range(7)] == [200] * 7
    settings.LIMITS_FILE = tmp_path / "again.sqlite3"
    assert shown(api.get(CONVERSATIONS)) == (5, 4, 40)
    said = [record.message for record in caplog.records if record.name == "botgpt.api.counters"]
    assert said == ["limits are not kept", "limits are kept again"]


@pytest.mark.parametrize("text", ["600", "600/fortnight", "0/minute", "-1/minute", "many/minute"])
def test_a_limit_that_says_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="is not a limit such as 600/minute"):
        Rate.parse(text)


def test_limits_are_read_from_text() -> None:
    assert [Rate.parse(text) for text in ("600/minute", " 5 / day ", "")] == [Rate(600, 60), Rate(5, 86_400), None]


# --- Logins -----------------------------------------------------------------------------------


def test_logins_are_limited_by_address_whoever_they_are_for(alice: User) -> None:
    answers = [log_in(username=f"user{number}").status_code for number in range(4)]
    assert answers == [401, 401, 401, 429]
    assert log_in("correct horse battery").status_code == 429


def test_the_admins_login_counts_too_and_is_told_on_a_page(alice: User) -> None:
    browser = Client()
    answers = [browser.post("/admin/login/", {"username": f"u{n}", "password": "x"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "40"
    assert "Try again in 40 s." in answers[-1].content.decode()
    assert answers[-1]["Content-Type"].startswith("text/html")
    assert log_in().status_code == 429


def test_a_username_is_locked_for_an_address_after_some_wrong_passwords(
    alice: User, settings: Settings, clock: Any
) -> None:
    settings.LIMITS = settings.LIMITS | {"logins": None}
    settings.AXES_FAILURE_LIMIT = 3
    assert [log_in().status_code for _ in range(3)] == [401, 401, 429]
    locked = log_in("correct horse battery")
    assert (locked.status_code, locked.json()["code"]) == (429, "rate_limited")
    assert locked["Retry-After"] == "900"
    assert "15 min" in locked.json()["detail"]
    page = Client().post("/admin/login/", {"username": "alice", "password": "correct horse battery"})
    assert (page.status_code, "15 min" in page.content.decode()) == (429, True)
    elsewhere = {"username": "alice", "password": "correct horse battery"}
    assert APIClient().post(TOKEN, elsewhere, format="json", REMOTE_ADDR="203.0.113.7").status_code == 200
    clock.shift(dt.timedelta(minutes=16))
    assert log_in("correct horse battery").status_code == 200


def test_a_right_password_forgets_the_wrong_ones(alice: User, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"logins": None}
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        assert [log_in().status_code for _ in range(2)] == [401, 401]
        assert log_in("correct horse battery").status_code == 200


def test_no_password_is_kept_with_the_failures(alice: User) -> None:
    from axes.models import AccessAttempt

    Client().post("/admin/login/", {"username": "alice", "password": "a typo of the real one"})
    log_in("a typo of the real one")
    stored = str(list(AccessAttempt.objects.values()))
    assert "alice" in stored
    assert "typo" not in stored
