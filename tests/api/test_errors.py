"""One error body for every status, whatever raised it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from pytest_django import Settings

BODY = {"error", "detail", "code", "request_id"}


def test_an_unknown_address_is_told_in_json(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.json() == {
        "error": "Not found",
        "detail": "Nothing is at /nowhere",
        "code": "not_found",
        "request_id": response["X-Request-ID"],
    }


def test_an_unknown_address_is_told_in_json_in_development_too(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert set(client.get("/api/v1/nowhere").json()) == BODY


def test_an_unknown_host_is_a_bad_request(client: Client) -> None:
    response = client.get("/api/v1/conversations", headers={"host": "evil.example"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


def test_a_call_without_credentials_is_401_and_says_how_to_authenticate(db: None) -> None:
    response = APIClient().get("/api/v1/conversations")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_database_that_is_away_is_503_and_says_when_to_come_back(api: APIClient) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused to 10.0.0.5")

    with connection.execute_wrapper(away):
        response = api.get("/api/v1/conversations")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0
    assert "10.0.0.5" not in response.content.decode()


def test_an_unforeseen_error_says_nothing_of_the_inside_and_is_logged(
    api: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret inside")

    with connection.execute_wrapper(broken):
        response = api.get("/api/v1/conversations")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.content.decode()
    assert "secret inside" in caplog.text


@pytest.mark.parametrize("sent", ["abcdefgh-1234", "a.b_c-d0123456789"])
def test_a_sane_request_id_is_taken_over(client: Client, sent: str) -> None:
    assert client.get("/health", headers={"x-request-id": sent})["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "short", "x" * 101, "new\tline-1234", '"quoted-1234"'])
def test_another_request_id_is_replaced(client: Client, sent: str) -> None:
    given = client.get("/health", headers={"x-request-id": sent})["X-Request-ID"]
    assert given != sent
    assert len(given) == 32


def test_a_body_beyond_the_limit_is_413_before_it_is_parsed(api: APIClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    response = api.post("/api/v1/conversations", {"first_message": "x" * 2_000}, format="json")
    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
