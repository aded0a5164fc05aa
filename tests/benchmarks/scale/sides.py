"""A running service over one store, and who calls it: an API key's owner, and somebody in the admin."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from botgpt.operations.demo import ADMIN_LOGIN
from tests.service.running import running

from .stores import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .stores import Store

BASE = "/api/v1"


@dataclass(frozen=True, slots=True)
class Side:
    """What calls are made with. A call that is not answered as it should be raises."""

    store: Store
    api: httpx.Client
    admin: httpx.Client

    def get(self, path: str, **params: Any) -> httpx.Response:
        """GET below the API's base; `{long}` and the like stand for the store's ids."""
        return self.call("GET", path, params=params)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any method, likewise."""
        return self.api.request(method, BASE + path.format(**self.store.ids), **options).raise_for_status()

    def page(self, path: str, **params: Any) -> httpx.Response:
        """A page of the admin."""
        return self.admin.get(f"/admin/{path.format(**self.store.ids)}", params=params).raise_for_status()

    def newest(self, conversation: str = "{conversation}") -> list[dict[str, Any]]:
        """The last question and reply of a conversation."""
        found: list[dict[str, Any]] = self.get(f"/conversations/{conversation}/messages", limit=2).json()["messages"]
        return found

    def started(self) -> dict[str, Any]:
        """A new conversation."""
        created: dict[str, Any] = self.call("POST", "/conversations", json={"first_message": "Hello"}).json()
        return created


@contextmanager
def side(store: Store, folder: Path, *, provider: str) -> Iterator[Side]:
    """A service over the store, with a provider on loopback."""
    settings = {"GROQ_BASE_URL": provider, "GROQ_API_KEY": "gsk_only_for_tests", "WEB_CONCURRENCY": "1"}
    folder.mkdir()
    with (
        running(folder, **SETTINGS, **settings, DATABASE_URL=store.url) as service,
        httpx.Client(base_url=service.url, timeout=120) as admin,
        caller(store, service.url) as api,
    ):
        admin.get("/admin/login/")
        form = {
            "username": ADMIN_LOGIN.username,
            "password": ADMIN_LOGIN.password,
            "csrfmiddlewaretoken": admin.cookies["csrftoken"],
        }
        admin.post("/admin/login/", data=form, headers={"Referer": service.url})
        yield Side(store, api, admin)


@contextmanager
def caller(store: Store, url: str) -> Iterator[httpx.Client]:
    """Calls with the store's key."""
    with httpx.Client(base_url=url, timeout=120, headers={"Authorization": f"Bearer {store.key}"}) as client:
        yield client
