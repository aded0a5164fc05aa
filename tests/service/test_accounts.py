"""Logins and tokens of the running service, where several processes answer at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx

from botgpt.operations.demo import ADMIN_LOGIN

if TYPE_CHECKING:
    from tests.service.running import Service


def log_in(service: Service) -> dict[str, str]:
    body = {"username": ADMIN_LOGIN.username, "password": ADMIN_LOGIN.password}
    response = httpx.post(f"{service.url}/api/v1/auth/token", json=body, timeout=30)
    assert response.status_code == 200, response.text
    pair: dict[str, str] = response.json()
    return pair


def test_of_many_who_refresh_with_one_token_at_once_one_succeeds(service: Service) -> None:
    token = log_in(service)["refresh"]
    with httpx.Client(base_url=service.url, timeout=30) as client, ThreadPoolExecutor(12) as pool:

        def refresh(token: str) -> httpx.Response:
            return client.post("/api/v1/auth/token/refresh", json={"refresh": token})

        for _ in range(10):
            answers = list(pool.map(refresh, [token] * 12))
            assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11
            (token,) = (answer.json()["refresh"] for answer in answers if answer.status_code == 200)
