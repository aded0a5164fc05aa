"""Pages of long lists: by number, and by the link that each page gives to the next."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conversations.models import Conversation
from tests.builders import add_turn, conversation_of, document_of

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User

CONVERSATIONS = "/api/v1/conversations"
LISTS = {"conversations": CONVERSATIONS, "documents": "/api/v1/documents"}


def next_of(response: Any) -> str | None:
    """The address in the answer's `Link`."""
    link = response.headers.get("Link")
    if link is None:
        return None
    address, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    return str(address.removeprefix("<"))


def following(api: APIClient, response: Any) -> Any:
    """The page that the answer links to."""
    address = next_of(response)
    assert address is not None
    return api.get(address)


def walk(api: APIClient, address: str | None) -> list[dict[str, Any]]:
    """The bodies of a list, page after page."""
    pages = []
    while address:
        response = api.get(address)
        assert response.status_code == 200, response.content
        pages.append(response.json())
        address = next_of(response)
    return pages


@pytest.mark.parametrize("name", LISTS)
def test_the_links_lead_through_the_whole_list_in_its_order(api: APIClient, alice: User, name: str) -> None:
    for number in range(7):
        conversation_of(alice)
        document_of(alice, f"Text number {number}")
    whole = api.get(LISTS[name], {"page_size": 100}).json()[name]
    pages = walk(api, f"{LISTS[name]}?page_size=3")
    assert [row["id"] for page in pages for row in page[name]] == [row["id"] for row in whole]
    assert [(page["page"], page["page_size"], page["total"]) for page in pages] == [(1, 3, 7), (2, 3, 7), (3, 3, 7)]


def test_rows_of_the_same_moment_are_neither_skipped_nor_repeated(api: APIClient, alice: User) -> None:
    moment = conversation_of(alice).activity_at
    ids = sorted((conversation_of(alice).pk for _ in range(6)), reverse=True)
    Conversation.objects.update(activity_at=moment)
    listed = [row["id"] for page in walk(api, f"{CONVERSATIONS}?page_size=2") for row in page["conversations"]]
    assert listed[:6] == ids


def test_what_comes_in_at_the_top_meanwhile_shifts_nothing(api: APIClient, alice: User) -> None:
    ids = [conversation_of(alice).pk for _ in range(4)]
    first = api.get(CONVERSATIONS, {"page_size": 2})
    add_turn(Conversation.objects.get(pk=ids[0]))
    conversation_of(alice)
    second = following(api, first)
    assert [row["id"] for row in second.json()["conversations"]] == [ids[1]]


def test_the_filters_go_along_and_are_counted_once(api: APIClient, alice: User) -> None:
    for title in ("lamp one", "sofa", "lamp two", "lamp three"):
        conversation_of(alice, title=title)
    first = api.get(f"{CONVERSATIONS}?search=lamp&page_size=2")
    with CaptureQueriesContext(connection) as queries:
        second = following(api, first).json()
    assert [row["title"] for row in second["conversations"]] == ["lamp one"]
    assert (second["total"], second["page"]) == (3, 2)
    assert not any("COUNT" in query["sql"] for query in queries)


def test_a_numbered_page_links_to_the_next_too(api: APIClient, alice: User) -> None:
    ids = [conversation_of(alice).pk for _ in range(5)][::-1]
    second = api.get(CONVERSATIONS, {"page": 2, "page_size": 2})
    assert [row["id"] for row in following(api, second).json()["conversations"]] == ids[4:]
    assert next_of(api.get(CONVERSATIONS, {"page": 3, "page_size": 2})) is None


def test_a_cursor_shows_nobody_elses_rows(api: APIClient, stranger: APIClient, alice: User) -> None:
    for _ in range(3):
        conversation_of(alice)
    first = api.get(CONVERSATIONS, {"page_size": 1})
    assert following(stranger, first).json()["conversations"] == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "%%%", "é"),
        "2026-01-01T00:00:00+00:00,1,2",
        "2026-01-01T00:00:00,1,2,3",
        "2026-01-01T00:00:00+00:00,-1,2,3",
        f"2026-01-01T00:00:00+00:00,{2**63},2,3",
        "0001-01-01T00:00:00+23:00,1,2,3",
    ],
)
def test_a_cursor_that_is_none_is_refused(api: APIClient, text: str) -> None:
    cursor = urlsafe_b64encode(text.encode()).decode() if "," in text else text
    response = api.get(CONVERSATIONS, {"cursor": cursor})
    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["cursor"]


def test_lists_in_another_order_have_no_links(api: APIClient, alice: User) -> None:
    document = document_of(alice, "First.\n\n" * 300)
    assert document.chunk_count > 1
    response = api.get(f"/api/v1/documents/{document.pk}/chunks", {"page_size": 1})
    assert (len(response.json()["chunks"]), next_of(response)) == (1, None)
