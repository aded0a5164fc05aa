"""Whose address counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import RequestFactory

from botgpt.accounts.addresses import client_address

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.mark.parametrize(
    ("behind_proxy", "count", "forwarded", "expected"),
    [
        (False, 1, "203.0.113.7", "127.0.0.1"),
        (True, 1, None, "127.0.0.1"),
        (True, 1, "203.0.113.7", "203.0.113.7"),
        (True, 1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (True, 2, "6.6.6.6, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (True, 2, "203.0.113.7", "127.0.0.1"),
        (True, 1, "nonsense", None),
        (True, 1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(
    settings: Settings, *, behind_proxy: bool, count: int, forwarded: str | None, expected: str | None
) -> None:
    settings.BEHIND_PROXY, settings.PROXY_COUNT = behind_proxy, count
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", headers=headers)) == expected
