"""Listing, reading, changing and deleting documents, as a client meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from documents.models import Document
from tests.builders import document_of
from tests.documents import files
from tests.documents.calls import BASE, FIELDS, TEXT, downloaded, get, refused, search, upload

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from botgpt.accounts.models import User

LONG = "".join(f"Sentence number {number} says something of its own. " for number in range(200))


# --- List -------------------------------------------------------------------------------------


def test_the_list_shows_own_and_shared_documents_newest_first(
    api: APIClient, stranger: APIClient, alice: User, bob: User
) -> None:
    mine, shared, theirs = (document_of(owner, f"text of {owner}") for owner in (alice, None, bob))
    body = api.get(BASE).json()
    assert [(d["id"], d["shared"]) for d in body.pop("documents")] == [(shared.pk, True), (mine.pk, False)]
    assert body == {"total": 2, "page": 1, "page_size": 20}
    assert {d["id"] for d in stranger.get(BASE).json()["documents"]} == {shared.pk, theirs.pk}


def test_the_list_has_pages_and_filters(api: APIClient, alice: User) -> None:
    names = ["Alpha.txt", "beta 100%.txt", "gamma_1.txt"]
    ids = [document_of(alice, f"text {name}", filename=name).pk for name in names]
    Document.objects.filter(pk=ids[0]).update(status="failed", error="No.")

    def found(**query: Any) -> list[int]:
        return [names.index(document["filename"]) for document in get(api, BASE, **query).json()["documents"]]

    assert found(page=2, page_size=2) == [0]
    assert found(page=9) == []
    assert found(search="ALPHA") == [0]
    assert found(search="100%") == [1]
    assert found(search="a_1") == [2]
    assert found(search="") == [2, 1, 0]
    assert found(status="failed") == [0]
    assert found(status="ready", search="gamma") == [2]
    assert get(api, BASE, status="ready", page_size=1).json()["total"] == 2
    assert set(api.get(BASE).json()["documents"][0]) == FIELDS


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0}, {"page": "x"}, {"page": 10**30}, {"page_size": 0}, {"page_size": 101}, {"status": "lost"},
        {"search": "nul \0"}, {"search": "x" * 256},
    ],
)  # fmt: skip
def test_a_bad_query_is_refused_by_its_parameter(api: APIClient, query: dict[str, Any]) -> None:
    assert set(refused(get(api, BASE, **query))["fields"]) == set(query)


def test_a_list_costs_two_queries_and_never_reads_a_text(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        document_of(alice, f"text {number}")
    with django_assert_num_queries(2) as queries:
        assert len(api.get(BASE).json()["documents"]) == 20
    assert not any("content" in query["sql"] or "keyword_index" in query["sql"] for query in queries)


# --- One document -----------------------------------------------------------------------------


def test_a_document_is_read_with_its_text_in_one_query(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    document = document_of(alice, TEXT)
    with django_assert_num_queries(1) as queries:
        body = api.get(f"{BASE}/{document.pk}?status=failed&search=other").json()
    assert set(body) == FIELDS | {"content"}
    assert body["content"] == TEXT
    assert "keyword_index" not in queries[0]["sql"]


def test_chunks_are_pages_of_spans_of_the_text(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    document = document_of(alice, LONG)
    with django_assert_num_queries(3):
        body = api.get(f"{BASE}/{document.pk}/chunks", {"page": 1, "page_size": 100}).json()
    chunks = body.pop("chunks")
    assert body == {"total": len(chunks), "page": 1, "page_size": 100}
    assert len(chunks) > 5
    assert [chunk["position"] for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk["text"] == LONG[chunk["start"] : chunk["end"]] for chunk in chunks)
    assert set(chunks[0]) == {
        "id", "document_id", "position", "start", "end", "page", "heading", "text", "token_count",
    }  # fmt: skip
    second = api.get(f"{BASE}/{document.pk}/chunks", {"page": 2, "page_size": 2}).json()["chunks"]
    assert second == chunks[2:4]
    refused(api.get(f"{BASE}/{document.pk}/chunks", {"page_size": 101}))


def test_a_document_is_renamed_and_gets_other_metadata(api: APIClient, alice: User) -> None:
    document = document_of(alice, TEXT)
    address = f"{BASE}/{document.pk}"
    renamed = api.patch(address, {"filename": "folder/new name.txt"}, format="json")
    assert (renamed.status_code, renamed.json()["filename"], renamed.json()["metadata"]) == (200, "new name.txt", {})
    changed = api.patch(address, {"metadata": {"a": 1}}, format="json").json()
    assert (changed["filename"], changed["metadata"]) == ("new name.txt", {"a": 1})
    assert api.patch(address, {}, format="json").json() == changed
    assert {k: v for k, v in api.get(address).json().items() if k != "content"} == changed


def test_a_document_is_found_by_its_new_name(api: APIClient, alice: User) -> None:
    document_of(alice, "Something else entirely.", filename="other.txt")
    document = document_of(alice, "Nothing of the kind is in the text.", filename="zebra.txt")
    assert [hit["chunk"]["document_id"] for hit in search(api, "zebra", limit=1)] == [document.pk]
    assert api.patch(f"{BASE}/{document.pk}", {"filename": "giraffe.txt"}, format="json").status_code == 200
    assert search(api, "giraffe", limit=1)[0]["keyword_rank"] == 1
    assert all(hit["keyword_rank"] is None for hit in search(api, "zebra"))


@pytest.mark.parametrize(
    "body", [{"filename": ""}, {"filename": "/"}, {"filename": None}, {"filename": "x" * 256}, {"metadata": []}]
)
def test_a_bad_change_is_refused_by_its_field(api: APIClient, alice: User, body: dict[str, Any]) -> None:
    document = document_of(alice, TEXT)
    assert set(refused(api.patch(f"{BASE}/{document.pk}", body, format="json"))["fields"]) == set(body)
    assert Document.objects.get().filename == "notes.txt"


def test_a_deleted_document_is_gone(api: APIClient, alice: User) -> None:
    address = f"{BASE}/{document_of(alice, TEXT).pk}"
    response = api.delete(address)
    assert (response.status_code, response.content) == (204, b"")
    refused(api.get(address), 404, "not_found")
    refused(api.delete(address), 404, "not_found")


# --- The file ---------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["*/*", "application/pdf", "text/html"])
def test_the_file_is_downloaded_as_it_was_uploaded_and_never_shown_by_a_browser(api: APIClient, accept: str) -> None:
    data = b"<html><script>alert(1)</script><p>Gr\xc3\xb6\xc3\x9fe</html>"
    body = upload(api, data, 'Größe "1".html').json()
    response = api.get(f"{BASE}/{body['id']}/file", headers={"Accept": accept})
    assert downloaded(response) == data
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe%20%221%22.html"
    assert response["Content-Length"] == str(len(data))


def test_a_new_version_is_swapped_in_whole(api: APIClient, alice: User) -> None:
    document = document_of(alice, "The old text about lamps.")
    address = f"{BASE}/{document.pk}"
    response = api.put(f"{address}/file", {"file": SimpleUploadedFile("b.txt", b"The new text.")}, format="multipart")
    assert response.status_code == 200
    body = api.get(address).json()
    assert body.pop("content") == "The new text."
    assert response.json() == body
    assert (body["id"], body["filename"], body["chunk_count"]) == (document.pk, "b.txt", 1)
    assert search(api, "lamps") == []
    again = api.put(f"{address}/file", {"filename": "c.md", "content": "# Third", "metadata": {"v": 3}}, format="json")
    assert (again.status_code, again.json()["metadata"], again.json()["filename"]) == (200, {"v": 3}, "c.md")


def test_a_new_version_that_is_not_taken_leaves_the_old_one(api: APIClient, alice: User) -> None:
    document = document_of(alice, "The old text about lamps.")
    other = document_of(alice, "Another text.")
    address = f"{BASE}/{document.pk}/file"
    before = api.get(f"{BASE}/{document.pk}").json()

    def put(data: bytes, name: str) -> Any:
        return api.put(address, {"file": SimpleUploadedFile(name, data)}, format="multipart")

    locked = refused(put(files.pdf("x", password="secret"), "a.pdf"))
    assert "password" in locked["fields"]["file"][0]
    assert f"Document {other.pk} " in refused(put(b"Another text.", "a.txt"))["fields"]["file"][0]
    refused(put(b"", "a.txt"))
    refused(put(b"\x7fELF\0", "a.txt"), 415, "unsupported_media_type")
    refused(api.put(address, {}, format="json"))
    assert api.get(f"{BASE}/{document.pk}").json() == before
    assert [hit["chunk"]["document_id"] for hit in search(api, "lamps")] == [document.pk]


# --- A stretch of its text --------------------------------------------------------------------


def test_a_stretch_is_counted_in_characters(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    text = "Grüße 👋🏽 aus Århus. " * 3
    address = f"{BASE}/{document_of(alice, text).pk}/text"
    content = api.get(address).json()["text"]
    with django_assert_num_queries(2):
        body = get(api, address, start=6, end=9).json()
    assert body == {"start": 6, "end": 9, "char_count": len(content), "text": content[6:9]}
    assert body["text"] == "👋🏽 "
    assert get(api, address, start=50).json() == {
        "start": 50, "end": len(content), "char_count": len(content), "text": content[50:]
    }  # fmt: skip
    assert get(api, address, start=7, end=7).json()["text"] == ""
    beyond = get(api, address, start=10**6, end=10**6 + 9).json()
    assert (beyond["start"], beyond["end"], beyond["text"]) == (len(content), len(content), "")


def test_only_what_was_asked_for_is_read_of_a_long_text(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = f"{BASE}/{document_of(alice, LONG).pk}/text"
    with django_assert_num_queries(2) as queries:
        assert get(api, address, start=100, end=110).json()["text"] == LONG[100:110]
    assert "substr" in queries[1]["sql"].lower()
    assert '"content",' not in queries[0]["sql"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": -1}, "start"), ({"start": "x"}, "start"), ({"start": 2**63}, "start"), ({"end": -1}, "end"),
        ({"start": 5, "end": 4}, "end"), ({"end": 100_001}, "end"), ({"start": ""}, "start"),
    ],
)  # fmt: skip
def test_a_stretch_that_cannot_be_is_refused(api: APIClient, alice: User, query: dict[str, Any], field: str) -> None:
    body = refused(get(api, f"{BASE}/{document_of(alice, TEXT).pk}/text", **query), 400, "invalid_request")
    assert list(body["fields"]) == [field]
    refused(api.post(f"{BASE}/1/text"), 405, "method_not_allowed")
