"""The calls that are timed: each endpoint of the API, each list and page of the admin."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botgpt.operations.demo import ADMIN_LOGIN

if TYPE_CHECKING:
    import httpx

    from .sides import Side

Timed = Callable[["Side", Any], "httpx.Response"]
C = "/conversations/{conversation}"


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        prepare: makes what the call needs, untimed; `run` gets it.
    """

    name: str
    run: Timed
    prepare: Callable[[Side], Any] = lambda _: None


def get(path: str, *, name: str = "", **params: Any) -> Call:
    """GET of the API."""
    query = "&".join(f"{key}={value}" for key, value in params.items())
    return Call(name or f"GET {path}" + (f"?{query}" if query else ""), lambda side, _: side.get(path, **params))


def page(path: str, **params: Any) -> Call:
    """A page of the admin."""
    query = "&".join(f"{key}={value}" for key, value in params.items())
    return Call(f"{path or 'index'}" + (f"?{query}" if query else ""), lambda side, _: side.page(path, **params))


def _reply(side: Side) -> Any:
    return side.newest()[1]["id"]


def _question(side: Side) -> Any:
    return side.newest()[0]["id"]


def _text(side: Side) -> Any:
    return {"filename": "note.txt", "content": f"The code of the day is {secrets.token_hex(8)}."}


def _document(side: Side) -> Any:
    return side.call("POST", "/documents", json=_text(side)).json()["id"]


READS = [
    get("/conversations"),
    Call(
        "GET /conversations, the next page", lambda side, link: side.api.get(link), lambda side: next_page(side, page=1)
    ),
    get("/conversations", page=2),
    get("/conversations", mode="rag"),
    get("/conversations", mode="open"),
    get("/conversations", search="gift"),
    get("/conversations", search="no such title"),
    get("/conversations/{rag}"),
    get(C, name="GET /conversations/{id}, 200 messages"),
    get(f"{C}/messages"),
    get(f"{C}/context", message="Hello"),
    get(f"{C}/export"),
    get(f"{C}/export", **{"as": "json"}),
    Call("GET a message", lambda side, pk: side.get(f"{C}/messages/{pk}"), _reply),
    Call("GET a reply's events", lambda side, pk: side.get(f"{C}/messages/{pk}/events"), _reply),
    get("/documents"),
    get("/documents", search="manual"),
    get("/documents/{document}"),
    get("/documents/{document}/chunks"),
    Call("GET a document's file", lambda side, pk: side.get(f"/documents/{pk}/file"), _document),
    get("/models"),
    get("/usage"),
    get("/usage", group_by="model"),
    get("/usage", group_by="conversation"),
    get("/auth/me"),
    get("/auth/keys"),
    get("/schema"),
    Call("GET /health", lambda side, _: side.api.get("/health")),
    Call("GET /health/ready", lambda side, _: side.api.get("/health/ready")),
]
WRITES = [
    Call("POST /conversations", lambda side, _: side.call("POST", "/conversations", json={"first_message": "Hello"})),
    Call(
        "POST /conversations with an Idempotency-Key",
        lambda side, key: side.call(
            "POST", "/conversations", json={"first_message": "Hello"}, headers={"Idempotency-Key": key}
        ),
        lambda _: secrets.token_hex(8),
    ),
    Call(f"PUT {C}", lambda side, _: side.call("PUT", C, json={"message": "And?"})),
    Call(f"POST {C}/messages", lambda side, _: side.call("POST", f"{C}/messages", json={"message": "And?"})),
    Call(
        f"POST {C}/messages, as a stream",
        lambda side, _: side.call("POST", f"{C}/messages", json={"message": "And?", "stream": True}),
    ),
    Call(
        "POST {rag}/messages",
        lambda side, _: side.call("POST", "/conversations/{rag}/messages", json={"message": "Is there a warranty?"}),
    ),
    Call("POST regenerate", lambda side, pk: side.call("POST", f"{C}/messages/{pk}/regenerate", json={}), _reply),
    Call(
        "POST edit",
        lambda side, pk: side.call("POST", f"{C}/messages/{pk}/edit", json={"message": "Or rather?"}),
        _question,
    ),
    Call("PUT active", lambda side, pk: side.call("PUT", f"{C}/active", json={"message_id": pk}), _reply),
    Call("PATCH feedback", lambda side, pk: side.call("PATCH", f"{C}/messages/{pk}", json={"feedback": "up"}), _reply),
    Call("POST cancel, of an ended reply", lambda side, pk: side.call("POST", f"{C}/messages/{pk}/cancel"), _reply),
    Call("PATCH title", lambda side, _: side.call("PATCH", C, json={"title": "Renamed"})),
    Call(
        "DELETE a conversation",
        lambda side, made: side.call("DELETE", f"/conversations/{made['id']}"),
        lambda side: side.started(),
    ),
    Call("POST /documents", lambda side, text: side.call("POST", "/documents", json=text), _text),
    Call(
        "POST /documents/search",
        lambda side, _: side.call("POST", "/documents/search", json={"query": "How long is the warranty?"}),
    ),
    Call("DELETE a document", lambda side, pk: side.call("DELETE", f"/documents/{pk}"), _document),
    Call("POST /auth/token", lambda side, _: side.call("POST", "/auth/token", json=asdict(ADMIN_LOGIN))),
]
CALLS = "llm/llmcall/"
TALKS = "conversations/conversation/"
USERS = "accounts/user/"
ADMIN = [
    page(""),
    page(TALKS),
    page(TALKS, q="gift"),
    page(TALKS, q="demo"),
    page(TALKS, q="nobody"),
    page(TALKS, mode__exact="rag"),
    page(TALKS, activity_at_from="2026-06-01", activity_at_to="2026-06-02"),
    page(TALKS + "{conversation}/change/"),
    page(CALLS),
    page(CALLS, outcome__exact="timeout"),
    page(CALLS, outcome__exact="rejected"),
    page(CALLS, cost="unpriced"),
    page(CALLS, model="no-such-model"),
    page(CALLS, created_at_from="2026-06-01", created_at_to="2026-06-02"),
    page(CALLS + "{call}/change/"),
    page(USERS),
    page(USERS, q="demo"),
    page(USERS, q="nobody"),
    page(USERS, is_staff__exact="1"),
    page(USERS, o="1"),
    page(USERS + "{demo}/change/"),
    page(USERS + "{demo}/delete/"),
    page("autocomplete/", app_label="accounts", model_name="apikey", field_name="user", term="dem"),
    page("accounts/apikey/"),
    page("accounts/auditevent/"),
    page("llm/allowance/"),
    page("llm/allowance/", q="demo"),
    page("llm/budget/"),
    page("llm/modelprice/"),
    page("documents/document/"),
    page("documents/document/{document}/change/"),
]


def next_page(side: Side, *, page: int) -> str:
    """The address that a numbered page links to, or of itself where it is the last."""
    answer = side.get("/conversations", page=page)
    return answer.links["next"]["url"] if "next" in answer.links else str(answer.url)
