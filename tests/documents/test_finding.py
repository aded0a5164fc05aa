"""Searching in documents, as a client meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from rest_framework.test import APIClient

from documents.models import Document
from tests.builders import document_of
from tests.documents.calls import BASE, TEXT, refused, search

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from botgpt.accounts.models import User


def test_a_search_finds_passages_in_own_and_shared_documents_that_are_ready(
    api: APIClient, alice: User, bob: User
) -> None:
    mine = document_of(alice, "Lamps may be returned within 30 days.", filename="mine.txt")
    shared = document_of(None, "Lamps cost five euros each.")
    document_of(bob, "Lamps of Bob.")
    failed = document_of(alice, "Lamps that failed.")
    Document.objects.filter(pk=failed.pk).update(status="failed")
    hits = search(api, "return lamps")
    assert {hit["chunk"]["document_id"] for hit in hits} == {mine.pk, shared.pk}
    chunk = mine.chunks.get()
    assert hits[0] == {
        "chunk": {
            "id": chunk.pk, "document_id": mine.pk, "filename": "mine.txt", "position": 0, "start": 0, "end": 37,
            "page": None, "heading": "", "text": "Lamps may be returned within 30 days.",
        },
        "score": 1.0,
        "keyword_rank": 1,
        "vector_rank": hits[0]["vector_rank"],
    }  # fmt: skip
    assert len(search(api, "lamps", limit=1)) == 1
    assert {hit["chunk"]["document_id"] for hit in search(api, "lamps", document_ids=[shared.pk])} == {shared.pk}


def test_a_search_that_names_a_document_it_may_not_use_is_refused(api: APIClient, alice: User, bob: User) -> None:
    theirs, waiting = document_of(bob, "Lamps."), document_of(alice, "Lamps.")
    Document.objects.filter(pk=waiting.pk).update(status="processing")
    for pk, says in (
        (theirs.pk, f"No document with ID {theirs.pk} exists."),
        (999, "No document with ID 999 exists."),
        (waiting.pk, f"Document {waiting.pk} is processing, not ready."),
    ):
        body = refused(api.post(f"{BASE}/search", {"query": "lamps", "document_ids": [pk]}, format="json"))
        assert body["fields"] == {"document_ids": [says]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": " "}, "query"),
        ({"query": "x" * 32_001}, "query"),
        ({"query": "x", "limit": 0}, "limit"),
        ({"query": "x", "limit": 51}, "limit"),
        ({"query": "x", "document_ids": []}, "document_ids"),
        ({"query": "x", "document_ids": [0]}, "document_ids.0"),
        ({"query": "x", "document_ids": [2**63]}, "document_ids.0"),
        ({"query": "x", "document_ids": ["a"]}, "document_ids.0"),
        ({"query": "x", "document_ids": 1}, "document_ids"),
        ({"query": "x", "document_ids": [1] * 1_001}, "document_ids"),
    ],
)
def test_a_bad_search_is_refused_by_its_field(api: APIClient, body: dict[str, Any], field: str) -> None:
    assert set(refused(api.post(f"{BASE}/search", body, format="json"))["fields"]) == {field}


@pytest.mark.parametrize("query", ["?", "😀", "的", '" OR 1=1 --', "* NEAR(a b)", "x" * 32_000])
def test_a_strange_query_finds_nothing_and_breaks_nothing(api: APIClient, alice: User, query: str) -> None:
    document_of(alice, TEXT)
    assert isinstance(search(api, query), list)


def test_a_search_without_any_document_finds_nothing(api: APIClient) -> None:
    assert search(api, "lamps") == []


def test_a_search_costs_the_same_however_many_documents(
    api: APIClient, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        document_of(alice, f"Lamps of kind {number}.")
    with django_assert_max_num_queries(4):
        search(api, "lamps")
