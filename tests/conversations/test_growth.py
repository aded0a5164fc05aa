"""A process that answers for days keeps nothing of the turns that are over."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from rest_framework.test import APIClient

if TYPE_CHECKING:
    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

pytestmark = pytest.mark.django_db

TURNS = 300
# Django's test client disconnects and connects `close_old_connections` for each request, which leaves finalizers.
OF_THE_CLIENT = {
    *("weakref.ReferenceType", "weakref.finalize", "weakref.finalize._Info"),
    *("builtins.method", "builtins.builtin_function_or_method"),
}


def objects_after(turns: int, user: User, groq: ProviderServer) -> Counter[str]:
    for _ in range(turns):
        client = APIClient()  # a new one each time: it keeps a reference of its own for every request
        client.force_authenticate(user)
        response = client.post("/api/v1/conversations", {"first_message": "Hello"}, format="json")
        assert response.status_code == 201
        groq.forget()
    del client, response
    gc.collect()
    return Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())


def test_three_hundred_turns_leave_no_objects_behind(
    alice: User, groq: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])  # pytest's keep every line
    before = objects_after(30, alice, groq)
    left = objects_after(TURNS, alice, groq) - before
    assert {name: count for name, count in left.items() if count >= TURNS // 10 and name not in OF_THE_CLIENT} == {}
