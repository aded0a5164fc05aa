"""The page of a document: its chunks, a cited passage marked, and a question tried on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from documents.admin_passages import PER_PAGE
from documents.marking import excerpt, marked
from documents.models import Document
from documents.search import search_chunks
from llm.models import LLMCall
from tests.builders import conversation_of, document_of

from .conftest import staff_client

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from botgpt.accounts.models import User
    from tests.embedding_server import EmbeddingServer


EVIL = "<script>alert(1)</script>"
WARRANTY = "The warranty of the Alta is three years. "
FERRY = "The ferry leaves at seven, and takes bicycles for nothing. "
LONG = (FERRY * 250) + WARRANTY + (FERRY * 50)


def page_of(browser: Client, document: Document, **query: str | int) -> str:
    return str(opened(browser, document, **query).content.decode())


def opened(browser: Client, document: Document, **query: str | int) -> Any:
    return browser.get(f"/admin/documents/document/{document.pk}/change/", query)


@pytest.fixture
def long(alice: User) -> Document:
    return document_of(alice, LONG)


# --- Chunks -------------------------------------------------------------------------------------


def test_a_chunk_says_where_it_stands_and_what_it_repeats(admin_client: Client, long: Document) -> None:
    first, second = long.chunks.all()[:2]
    page = page_of(admin_client, long)
    assert f"characters {second.start} to {second.end}" in page
    assert f"about {second.token_count} tokens" in page
    repeated, new = second.text[: first.end - second.start], second.text[first.end - second.start :]
    assert repeated
    assert f">{repeated}</span>{new}</div>" in page


def test_the_first_chunk_of_a_page_tells_what_it_repeats_of_the_page_before(
    admin_client: Client, long: Document
) -> None:
    page = page_of(admin_client, long, page=2)
    (first,) = re.findall(rf'<article id="chunk-{PER_PAGE}".*?</article>', page, re.DOTALL)
    assert 'class="repeated"' in first
    assert f'id="chunk-{PER_PAGE - 1}"' not in page


def test_the_page_says_who_may_see_the_document(admin_client: Client, alice: User) -> None:
    own, shared = document_of(alice, "Mine"), document_of(None, "Ours")
    conversation_of(alice, documents=[own])
    assert "alice alone. Conversations grounded in it: 1." in page_of(admin_client, own)
    assert "Everyone. Conversations grounded in it: 0." in page_of(admin_client, shared)


def test_a_passage_is_marked_on_the_page_that_has_it(admin_client: Client, long: Document) -> None:
    start = long.content.index(WARRANTY)
    page = page_of(admin_client, long, passage=f"{start}-{start + 12}")
    assert page.count('<mark id="passage">The warranty</mark>') == 1
    holder = re.search(r'<a href="#passage">chunk (\d+)</a>', page)
    assert holder is not None
    assert int(holder[1]) > PER_PAGE
    marked_in = re.findall(r'<article id="chunk-(\d+)"(?:(?!</article>).)*<mark id="passage">', page, re.DOTALL)
    assert marked_in == [holder[1]]


def test_a_passage_over_the_end_of_what_is_repeated_is_marked_as_a_whole(admin_client: Client, long: Document) -> None:
    first, second = long.chunks.all()[:2]
    edge = first.end
    page = page_of(admin_client, long, passage=f"{edge - 5}-{edge + 5}")
    assert "<mark" in page
    text = "".join(re.findall(r"<mark[^>]*>([^<]*)</mark>", page.split('id="chunk-1"')[1].split("</article>")[0]))
    assert text == second.text[edge - 5 - second.start : edge + 5 - second.start]
    assert page.count('id="passage"') == 1


@pytest.mark.parametrize("passage", ["", "x", "5", "9-5", "-3-4", "0-99999999999999999999", "99999999-999999999"])
def test_a_passage_that_is_none_is_told_and_the_first_page_shown(
    admin_client: Client, long: Document, passage: str
) -> None:
    response = opened(admin_client, long, passage=passage)
    page = response.content.decode()
    assert response.status_code == 200
    assert "There is no such passage in this document, as it is now." in page
    assert 'id="chunk-0"' in page
    assert "<mark" not in page


def test_leafing_keeps_the_question(admin_client: Client, long: Document) -> None:
    assert "?question=ferry&amp;page=2#chunks" in page_of(admin_client, long, question="ferry")


# --- Trying a question --------------------------------------------------------------------------


def test_a_question_is_answered_by_the_real_search(admin_client: Client, long: Document) -> None:
    response = opened(admin_client, long, question="Hello, how long is the warrenty?")
    trial = response.context["trial"]
    question = "Hello, how long is the warrenty?"
    assert trial.explanation.result == search_chunks(question, document_ids=[long.pk], limit=10)
    page = response.content.decode()
    for shown in (
        "a reply would be grounded in it",
        "<mark>warranty</mark>",
        "misspelt",
        "hello, how, is, the",
        f"#chunk-{trial.hits[0].figures.hit.position}",
    ):
        assert shown in page, shown


def test_a_question_that_the_document_does_not_answer_says_so(admin_client: Client, long: Document) -> None:
    page = page_of(admin_client, long, question="Who won the chess championship?")
    assert "the model would be told that nothing was found" in page


def test_without_vectors_the_page_says_that_keywords_decided(
    admin_client: Client, alice: User, settings: Settings
) -> None:
    settings.EMBEDDINGS = "none"
    page = page_of(admin_client, document_of(alice, WARRANTY), question="warranty")
    assert "no vectors: keywords alone" in page
    assert "needed 0.25" in page


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("🚢🚢", "There is no word in the question that could be looked up."),
        ("x" * 10_000, "Ensure this value has at most 1300 characters"),
        ("a\0b", "Null characters are not allowed."),
        ("AND OR NOT ( * ) : ^ \" '", "question"),
    ],
    ids=["empty", "blank", "emoji", "too long", "nul", "operators"],
)
def test_a_question_that_is_none_is_no_error(admin_client: Client, long: Document, question: str, said: str) -> None:
    response = opened(admin_client, long, question=question)
    assert response.status_code == 200
    assert said in response.content.decode()


def test_a_document_that_is_not_ready_is_not_searched(admin_client: Client, alice: User) -> None:
    document = document_of(alice, WARRANTY)
    Document.objects.filter(pk=document.pk).update(status="failed", chunk_count=0)
    page = page_of(admin_client, document, question="warranty")
    assert "Questions can be asked when the document is ready." in page
    assert "would be grounded" not in page


def test_who_may_only_view_documents_may_try_a_question_and_nothing_more(long: Document) -> None:
    viewer = staff_client("documents.view_document")
    page = page_of(viewer, long, question="warranty")
    assert "<mark>warranty</mark>" in page
    assert "Read and index anew" not in page


def test_without_permission_nothing_is_searched(clerk: Client, long: Document) -> None:
    assert opened(clerk, long, question="warranty").status_code == 403
    assert opened(staff_client("conversations.view_conversation"), long, question="x").status_code == 403


def test_embedding_a_tried_question_is_booked_to_who_tries_it(
    admin_client: Client, admin_user: User, alice: User, endpoint: EmbeddingServer
) -> None:
    document = document_of(alice, WARRANTY)
    LLMCall.objects.all().update(user=None)
    page_of(admin_client, document, question="warranty")
    assert LLMCall.objects.filter(user=admin_user, purpose="embedding").count() == 1


def test_the_page_costs_the_same_number_of_queries_however_long_the_document_is(
    admin_client: Client, alice: User, long: Document, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    short = document_of(alice, "Short", filename="short.txt")
    with CaptureQueriesContext(connection) as plain:
        page_of(admin_client, short)
    for query, more in (({}, 0), ({"page": 2}, 0), ({"question": "ferry"}, 3), ({"passage": "16000-16010"}, 1)):
        with django_assert_num_queries(len(plain) + more):
            page_of(admin_client, long, **query)


def test_a_question_and_what_it_finds_are_text(admin_client: Client, alice: User) -> None:
    document = document_of(alice, f"A warranty {EVIL} of three years.", filename=f"{EVIL}.txt")
    document.chunks.update(heading=EVIL)
    for query in (
        {"question": f"warranty {EVIL}"},
        {"passage": "0-30"},
        {"question": '"><img src=x onerror=alert(1)>'},
    ):
        page = page_of(admin_client, document, **query)
        assert EVIL not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


# --- Marking ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "html"),
    [
        ([], "a &lt; b &amp; c"),
        ([(0, 1)], "<mark>a</mark> &lt; b &amp; c"),
        ([(2, 3), (6, 7)], "a <mark>&lt;</mark> b <mark>&amp;</mark> c"),
        ([(-5, 1), (8, 99)], "<mark>a</mark> &lt; b &amp; <mark>c</mark>"),
        ([(0, 3), (1, 5)], "<mark>a &lt;</mark><mark> b</mark> &amp; c"),
        ([(40, 50), (-9, -2)], "a &lt; b &amp; c"),
    ],
)
def test_stretches_of_a_text_are_marked(spans: list[tuple[int, int]], html: str) -> None:
    assert marked("a < b & c", spans) == html


def test_an_excerpt_is_cut_between_words_around_its_first_mark() -> None:
    text = "word " * 100 + "warranty" + " word" * 100
    cut = excerpt(text, [(500, 508)], before=22, length=60)
    assert cut == "… word word word word <mark>warranty</mark> word word word word word word word …"
    assert excerpt("short", []) == "short"
