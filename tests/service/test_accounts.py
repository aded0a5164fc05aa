"""Logins and tokens of the running service, where several processes answer at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx

from botgpt.operations.demo import ADMIN_LOGIN

if TYPE_CHECKING:
    from tests.service.running import Service


def post(service: Service, path: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{service.url}/api/v1/auth/{path}", json=body, timeout=30)


def log_in(service: Service) -> dict[str, str]:
    response = post(service, "token", {"username": ADMIN_LOGIN.username, "password": ADMIN_LOGIN.password})
    assert response.status_code == 200, response.text
    pair: dict[str, str] = response.json()
    return pair


def test_of_many_who_refresh_with_one_token_at_once_one_succeeds(service: Service) -> None:
    token = log_in(service)["refresh"]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: post(service, "token/refresh", {"refresh": token}), range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11
