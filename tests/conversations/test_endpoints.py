"""The five endpoints of the contract and what extends them, as a client meets them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from conversations.models import Conversation, Message
from tests.builders import add_turn, conversation_of, document_of

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

    from botgpt.accounts.models import User

BASE = "/api/v1/conversations"
MESSAGE_FIELDS = {
    "id", "conversation_id", "parent_id", "role", "content", "status", "tokens_used", "model_used", "citations",
    "grounded", "cached", "error", "feedback", "created_at", "sibling_ids",
}  # fmt: skip


def start(api: APIClient, text: str = "Hello, how are you?", **body: Any) -> dict[str, Any]:
    response = api.post(BASE, {"first_message": text, **body}, format="json")
    assert response.status_code == 201, response.content
    result: dict[str, Any] = response.json()
    return result


# --- Create -----------------------------------------------------------------------------------


def test_a_conversation_starts_with_its_first_message_and_a_reply(api: APIClient, alice: User) -> None:
    body = start(api)
    question, reply = body.pop("messages")
    created_at = body.pop("created_at")
    assert body == {
        "id": question["conversation_id"],
        "user_id": alice.pk,
        "title": "Hello, how are you?",
        "mode": "open",
        "updated_at": None,
        "message_count": 2,
        "document_ids": None,
        "summary": None,
    }
    assert dt.datetime.fromisoformat(created_at) <= timezone.now()
    assert created_at.endswith("Z")
    assert set(question) == set(reply) == MESSAGE_FIELDS
    assert (question["role"], question["content"], question["status"]) == ("user", "Hello, how are you?", "complete")
    assert (question["tokens_used"], question["model_used"], question["parent_id"]) == (0, None, None)
    assert (reply["role"], reply["status"], reply["model_used"]) == ("assistant", "complete", "offline")
    assert reply["parent_id"] == question["id"]
    assert (question["grounded"], reply["grounded"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "first_message"),
        ({"first_message": ""}, "first_message"),
        ({"first_message": " \n\t"}, "first_message"),
        ({"first_message": None}, "first_message"),
        ({"first_message": ["x"]}, "first_message"),
        ({"first_message": "nul \x00"}, "first_message"),
        ({"first_message": "x" * 32_001}, "first_message"),
        ({"first_message": "1 " * 15_000}, "first_message"),
        ({"first_message": "x", "mode": "loud"}, "mode"),
        ({"first_message": "x", "mode": "rag"}, "document_ids"),
        ({"first_message": "x", "mode": "rag", "document_ids": []}, "document_ids"),
        ({"first_message": "x", "mode": "rag", "document_ids": [999]}, "document_ids"),
        ({"first_message": "x", "mode": "open", "document_ids": [999]}, "document_ids"),
        ({"first_message": "x", "mode": "rag", "document_ids": ["a"]}, "document_ids.0"),
        ({"first_message": "x", "mode": "rag", "document_ids": "1"}, "document_ids"),
        ({"first_message": "x", "mode": "rag", "document_ids": [2**70]}, "document_ids.0"),
    ],
)
def test_a_bad_first_message_is_refused_by_its_field_and_stores_nothing(
    api: APIClient, body: dict[str, Any], field: str
) -> None:
    response = api.post(BASE, json.dumps(body), content_type="application/json")
    assert response.status_code == 400
    error = response.json()
    assert error["code"] == "invalid_request"
    assert field in error["fields"]
    assert error["error"] == "Invalid request"
    assert error["request_id"] == response["X-Request-ID"]
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    "content", ["{", "[1", '{"first_message": "x", }', "\xff", '{"first_message": "half a pair \\ud800"}', "[" * 99_999]
)
def test_broken_json_is_told_apart_from_bad_fields(api: APIClient, content: str) -> None:
    response = api.post(BASE, content.encode("latin-1"), content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] == "malformed_json"


@pytest.mark.parametrize("content", ["[]", "3", '"text"', "null"])
def test_json_that_is_not_an_object_is_a_bad_request(api: APIClient, content: str) -> None:
    response = api.post(BASE, content, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_request"


def test_a_body_that_is_not_json_is_415(api: APIClient) -> None:
    response = api.post(BASE, "first_message=x", content_type="application/x-www-form-urlencoded")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_long_first_message_makes_a_short_title_of_one_line(api: APIClient) -> None:
    body = start(api, "\n\n  What   is the capital of the largest country in the whole of South America?\nThanks")
    assert body["title"] == "What is the capital of the largest country in the whole of …"


def test_a_rag_conversation_answers_from_its_documents_and_cites_them(api: APIClient, alice: User) -> None:
    text = "Lamps may be returned within thirty days of delivery. Sofas may not be returned at all."
    document = document_of(alice, text, filename="returns.txt")
    body = start(api, "How long can lamps be returned?", mode="rag", document_ids=[document.pk])
    reply = body["messages"][1]
    assert body["document_ids"] == [document.pk]
    assert "thirty days" in reply["content"]
    assert (reply["grounded"], body["messages"][0]["grounded"]) == (True, None)
    citation = reply["citations"][0]
    assert set(citation) == {
        "start", "end", "document_id", "filename", "chunk_id", "page", "quote", "quote_start", "quote_end", "score",
    }  # fmt: skip
    assert (citation["document_id"], citation["filename"]) == (document.pk, "returns.txt")
    assert citation["quote"] == "Lamps may be returned within thirty days of delivery."
    assert text[citation["quote_start"] : citation["quote_end"]] == citation["quote"]
    assert document.chunks.get(pk=citation["chunk_id"]).text == text
    assert "thirty days" in reply["content"][citation["start"] : citation["end"]]


def test_what_the_documents_do_not_say_is_not_answered(api: APIClient, alice: User) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days of delivery.")
    body = start(api, "Who won the chess championship?", mode="rag", document_ids=[document.pk])
    reply = body["messages"][1]
    assert reply["citations"] == []
    assert "thirty" not in reply["content"]
    assert reply["grounded"] is False


def test_an_open_conversation_checks_document_ids_and_leaves_them_aside(api: APIClient, alice: User) -> None:
    document = document_of(alice, "Lamps are bright.")
    assert start(api, "Lamps?", document_ids=[document.pk])["document_ids"] is None


def test_a_strangers_document_does_not_exist(api: APIClient, bob: User) -> None:
    document = document_of(bob, "Bob's secret.")
    response = api.post(BASE, {"first_message": "x", "mode": "rag", "document_ids": [document.pk]}, format="json")
    assert response.status_code == 400
    assert response.json()["fields"] == {"document_ids": [f"No document with ID {document.pk} exists."]}


def test_a_shared_document_grounds_anyones_conversation(api: APIClient) -> None:
    document = document_of(None, "The office opens at nine in the morning.")
    body = start(api, "When does the office open?", mode="rag", document_ids=[document.pk])
    assert body["messages"][1]["citations"][0]["document_id"] == document.pk


def test_a_document_that_is_not_ready_is_refused_with_its_status(api: APIClient, alice: User) -> None:
    document = document_of(alice, "Text.")
    type(document).objects.filter(pk=document.pk).update(status="processing")
    response = api.post(BASE, {"first_message": "x", "mode": "rag", "document_ids": [document.pk]}, format="json")
    assert "processing" in response.json()["detail"]


# --- List -------------------------------------------------------------------------------------


def test_the_list_shows_the_most_recent_activity_first_in_pages(api: APIClient, alice: User, bob: User) -> None:
    ids = [conversation_of(alice).pk for _ in range(5)]
    conversation_of(bob)
    add_turn(Conversation.objects.get(pk=ids[0]))
    body = api.get(BASE, {"page": 1, "page_size": 3}).json()
    assert [c["id"] for c in body["conversations"]] == [ids[0], ids[4], ids[3]]
    assert {key: body[key] for key in ("total", "page", "page_size")} == {"total": 5, "page": 1, "page_size": 3}
    assert "messages" not in body["conversations"][0]
    assert [c["id"] for c in api.get(BASE, {"page": 2, "page_size": 3}).json()["conversations"]] == [ids[2], ids[1]]
    assert api.get(BASE, {"page": 9}).json()["conversations"] == []


def test_pages_have_twenty_entries_unless_told(api: APIClient) -> None:
    body = api.get(BASE).json()
    assert (body["page"], body["page_size"], body["total"], body["conversations"]) == (1, 20, 0, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": "x"}, "page"),
        ({"page": 10**30}, "page"),
        ({"page_size": 101}, "page_size"),
        ({"page_size": 0}, "page_size"),
        ({"mode": "loud"}, "mode"),
        ({"mode": ""}, "mode"),
    ],
)
def test_a_bad_query_is_refused_by_its_field(api: APIClient, query: dict[str, Any], field: str) -> None:
    response = api.get(BASE, query)
    assert response.status_code == 400
    assert field in response.json()["fields"]


def test_the_list_is_filtered_by_title_and_mode(api: APIClient, alice: User) -> None:
    lamp = conversation_of(alice, title="About a LAMP")
    conversation_of(alice, title="About sofas")
    grounded = conversation_of(alice, title="Another lamp", documents=[document_of(alice, "Lamps.")])
    body = api.get(BASE, {"search": "lamp"}).json()
    assert ([c["id"] for c in body["conversations"]], body["total"]) == ([grounded.pk, lamp.pk], 2)
    body = api.get(BASE, {"search": "lamp", "mode": "rag"}).json()
    assert [c["id"] for c in body["conversations"]] == [grounded.pk]
    assert body["conversations"][0]["document_ids"] == grounded.document_ids


def test_a_list_of_twenty_costs_at_most_three_queries(
    api: APIClient, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    document = document_of(alice, "Lamps.")
    for _ in range(20):
        conversation_of(alice, documents=[document])
    with django_assert_max_num_queries(3) as captured:
        assert len(api.get(BASE).json()["conversations"]) == 20
    assert not any("COUNT" in query["sql"] for query in captured.captured_queries)


def test_the_total_follows_creation_and_every_way_of_deletion(api: APIClient, alice: User) -> None:
    ids = [start(api)["id"] for _ in range(4)]
    alice.refresh_from_db()
    assert api.get(BASE).json()["total"] == 4
    api.delete(f"{BASE}/{ids[0]}")
    Conversation.objects.filter(pk__in=ids[1:3]).delete()
    alice.refresh_from_db()
    assert api.get(BASE).json()["total"] == 1


# --- Read -------------------------------------------------------------------------------------


def test_a_conversation_is_read_with_its_whole_history_in_order(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=60)
    body = api.get(f"{BASE}/{conversation.pk}").json()
    assert body["message_count"] == 120
    assert [m["content"] for m in body["messages"]] == [
        text for i in range(60) for text in (f"Question {i}", f"Answer {i}")
    ]


def test_reading_costs_the_same_for_a_long_conversation(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=100)
    with django_assert_num_queries(2):  # the conversation, the messages
        api.get(f"{BASE}/{conversation.pk}")


def test_where_there_are_branches_their_ids_cost_a_query(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=2)
    question, reply = conversation.messages.filter(content__in=["Question 1", "Answer 1"])
    other = conversation.messages.create(parent=question, role="assistant", content="Another answer")
    conversation.record_turn(leaf=reply, added=1)
    with django_assert_num_queries(3):
        body = api.get(f"{BASE}/{conversation.pk}").json()
    assert [message["sibling_ids"] for message in body["messages"][-2:]] == [[question.pk], [reply.pk, other.pk]]


def test_only_the_active_branch_is_history(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=2)
    first_reply = conversation.messages.get(content="Answer 0")
    conversation.active_leaf = first_reply
    conversation.save()
    add_turn(conversation, question="Another way", answer="Another answer")
    body = api.get(f"{BASE}/{conversation.pk}").json()
    assert [m["content"] for m in body["messages"]] == ["Question 0", "Answer 0", "Another way", "Another answer"]
    assert body["message_count"] == 6


def test_a_missing_conversation_is_named_in_the_error(api: APIClient) -> None:
    response = api.get(f"{BASE}/999")
    assert response.status_code == 404
    body = response.json()
    assert (body["error"], body["detail"]) == ("Conversation not found", "No conversation with ID 999 exists")
    assert body["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "", None),
        ("put", "", {"message": "x"}),
        ("patch", "", {"title": "x"}),
        ("delete", "", None),
        ("get", "/messages", None),
        ("post", "/messages", {"message": "x"}),
        ("get", "/export", None),
    ],
)
def test_a_strangers_conversation_does_not_exist(
    alice: User, stranger: APIClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    conversation = conversation_of(alice, turns=1)
    response = getattr(stranger, method)(f"{BASE}/{conversation.pk}{path}", body, format="json")
    assert response.status_code == 404
    assert response.json()["detail"] == f"No conversation with ID {conversation.pk} exists"
    conversation.refresh_from_db()
    assert conversation.message_count == conversation.messages.count() == 2


@pytest.mark.parametrize("address", ["/x", "/1.5", "/-1", "/1/nowhere", "/1/messages/"])
def test_an_address_that_does_not_exist_is_404_with_the_error_body(api: APIClient, address: str) -> None:
    response = api.get(BASE + address)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_an_id_beyond_the_database_is_404(api: APIClient) -> None:
    assert api.get(f"{BASE}/{10**40}").status_code == 404


# --- Add a message ----------------------------------------------------------------------------


def test_put_stores_the_question_and_its_reply_and_answers_with_the_question(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    response = api.put(f"{BASE}/{conversation.pk}", {"message": "What is the weather?"}, format="json")
    assert response.status_code == 200
    body = response.json()
    assert set(body) == MESSAGE_FIELDS
    assert (body["role"], body["content"]) == ("user", "What is the weather?")
    assert (body["tokens_used"], body["model_used"]) == (0, None)
    messages = api.get(f"{BASE}/{conversation.pk}").json()["messages"]
    assert [m["role"] for m in messages] == ["user", "assistant"] * 2
    assert messages[2] == body
    assert messages[3]["parent_id"] == body["id"]


def test_post_answers_with_both_messages(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    body = api.post(f"{BASE}/{conversation.pk}/messages", {"message": "And now?"}, format="json").json()
    assert body["user_message"]["content"] == "And now?"
    assert body["assistant_message"]["parent_id"] == body["user_message"]["id"]
    assert body["assistant_message"]["model_used"] == "offline"


def test_a_new_message_brings_the_conversation_up_to_date(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    before = api.get(f"{BASE}/{conversation.pk}").json()
    api.put(f"{BASE}/{conversation.pk}", {"message": "x"}, format="json")
    after = api.get(f"{BASE}/{conversation.pk}").json()
    assert (before["message_count"], after["message_count"]) == (2, 4)
    assert after["updated_at"] > before["created_at"]


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": "  "}, {"message": None}, {"message": "x" * 32_001}])
@pytest.mark.parametrize(("method", "path"), [("put", ""), ("post", "/messages")])
def test_a_bad_message_is_refused_and_stores_nothing(
    api: APIClient, alice: User, method: str, path: str, body: dict[str, Any]
) -> None:
    conversation = conversation_of(alice)
    response = getattr(api, method)(f"{BASE}/{conversation.pk}{path}", body, format="json")
    assert response.status_code == 400
    assert "message" in response.json()["fields"]
    assert not conversation.messages.exists()


def test_a_turn_costs_at_most_twelve_queries(
    api: APIClient, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=3)
    api.put(f"{BASE}/{conversation.pk}", {"message": "x"}, format="json")  # reads the limits
    with django_assert_max_num_queries(12):
        assert api.put(f"{BASE}/{conversation.pk}", {"message": "x"}, format="json").status_code == 200
    with django_assert_max_num_queries(12):
        assert api.post(BASE, {"first_message": "x"}, format="json").status_code == 201


def test_the_answer_says_where_its_time_went(api: APIClient, alice: User) -> None:
    response = api.post(BASE, {"first_message": "x"}, format="json")
    assert response["Server-Timing"].startswith("llm;dur=")


# --- History in stretches ---------------------------------------------------------------------


def test_history_comes_in_stretches_from_the_newest_back(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=5)
    address = f"{BASE}/{conversation.pk}/messages"
    newest = api.get(address, {"limit": 4}).json()
    assert [m["content"] for m in newest["messages"]] == ["Question 3", "Answer 3", "Question 4", "Answer 4"]
    assert newest["has_more"] is True
    older = api.get(address, {"limit": 6, "before": newest["messages"][0]["id"]}).json()
    assert older["messages"][0]["content"] == "Question 0"
    assert len(older["messages"]) == 6
    assert older["has_more"] is False
    assert api.get(address, {"before": older["messages"][0]["id"]}).json() == {"messages": [], "has_more": False}


def test_a_stretch_costs_the_same_at_any_depth(
    api: APIClient, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=200)
    middle = conversation.messages.get(content="Question 100")
    with django_assert_max_num_queries(5):
        body = api.get(f"{BASE}/{conversation.pk}/messages", {"limit": 10, "before": middle.pk}).json()
    assert body["messages"][-1]["content"] == "Answer 99"


@pytest.mark.parametrize(
    ("query", "field"), [({"limit": 0}, "limit"), ({"limit": 201}, "limit"), ({"before": "x"}, "before")]
)
def test_a_bad_stretch_is_refused(api: APIClient, alice: User, query: dict[str, Any], field: str) -> None:
    response = api.get(f"{BASE}/{conversation_of(alice).pk}/messages", query)
    assert response.status_code == 400
    assert field in response.json()["fields"]


def test_a_stretch_before_a_message_of_another_conversation_is_refused(api: APIClient, alice: User) -> None:
    foreign = conversation_of(alice, turns=1).messages.first()
    assert foreign
    response = api.get(f"{BASE}/{conversation_of(alice).pk}/messages", {"before": foreign.pk})
    assert response.json()["fields"] == {"before": [f"No message with ID {foreign.pk} is in this conversation."]}


# --- Change, delete, export -------------------------------------------------------------------


def test_a_conversation_is_renamed(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=1)
    body = api.patch(f"{BASE}/{conversation.pk}", {"title": "Lamps"}, format="json").json()
    assert body["title"] == "Lamps"
    assert body["updated_at"] is not None
    assert api.get(f"{BASE}/{conversation.pk}").json()["title"] == "Lamps"


def test_an_empty_patch_changes_nothing(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice)
    assert api.patch(f"{BASE}/{conversation.pk}", {}, format="json").json()["updated_at"] is None


def test_a_conversation_is_grounded_in_other_documents(api: APIClient, alice: User) -> None:
    old, new = document_of(alice, "Old."), document_of(alice, "New.")
    conversation = conversation_of(alice, documents=[old])
    body = api.patch(f"{BASE}/{conversation.pk}", {"document_ids": [new.pk]}, format="json").json()
    assert body["document_ids"] == [new.pk]


@pytest.mark.parametrize(
    "body", [{"title": ""}, {"title": "x" * 256}, {"title": "a\x00"}, {"document_ids": [999]}, {"document_ids": []}]
)
def test_a_bad_change_is_refused(api: APIClient, alice: User, body: dict[str, Any]) -> None:
    conversation = conversation_of(alice, documents=[document_of(alice, "Lamps.")])
    response = api.patch(f"{BASE}/{conversation.pk}", body, format="json")
    assert response.status_code == 400
    assert set(response.json()["fields"]) == set(body)


def test_an_open_conversation_takes_no_documents(api: APIClient, alice: User) -> None:
    document = document_of(alice, "Lamps.")
    response = api.patch(f"{BASE}/{conversation_of(alice).pk}", {"document_ids": [document.pk]}, format="json")
    assert response.status_code == 400


def test_deleting_takes_the_messages_along_and_leaves_the_ledger(api: APIClient) -> None:
    conversation_id = start(api)["id"]
    conversation = Conversation.objects.get(pk=conversation_id)
    calls = list(conversation.llm_calls.all())
    assert calls
    response = api.delete(f"{BASE}/{conversation_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert not Message.objects.exists()
    assert api.get(f"{BASE}/{conversation_id}").status_code == 404
    calls[0].refresh_from_db()
    assert calls[0].conversation_id is None
    assert calls[0].user_id == conversation.user_id


def test_the_transcript_is_downloaded_as_markdown(api: APIClient, alice: User) -> None:
    document = document_of(alice, "Lamps may be returned within thirty days.", filename="returns.txt")
    body = start(api, "How long can lamps be returned?", mode="rag", document_ids=[document.pk])
    response = api.get(f"{BASE}/{body['id']}/export")
    text = response.content.decode()
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    name = f"conversation-{body['id']}-how-long-can-lamps-be-returned.md"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert text.startswith("# How long can lamps be returned?\n")
    assert "## User\n\nHow long can lamps be returned?" in text
    assert "- returns.txt: “Lamps may be returned within thirty days.”" in text


def test_the_transcript_as_json_is_the_conversation(api: APIClient, alice: User) -> None:
    conversation = conversation_of(alice, turns=2)
    response = api.get(f"{BASE}/{conversation.pk}/export", {"as": "json"})
    assert json.loads(response.content) == api.get(f"{BASE}/{conversation.pk}").json()
    assert response["Content-Disposition"].startswith("attachment")


def test_an_unknown_transcript_format_is_refused(api: APIClient, alice: User) -> None:
    response = api.get(f"{BASE}/{conversation_of(alice).pk}/export", {"as": "pdf"})
    assert response.json()["fields"]["as"]


# --- The rest of HTTP -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("put", "", "GET, POST"),
        ("patch", "", "GET, POST"),
        ("delete", "", "GET, POST"),
        ("post", "/1", "GET, PUT, PATCH, DELETE"),
        ("put", "/1/messages", "GET, POST"),
        ("delete", "/1/messages", "GET, POST"),
        ("post", "/1/export", "GET"),
    ],
)
def test_the_wrong_method_is_405_and_names_the_right_ones(api: APIClient, method: str, path: str, allowed: str) -> None:
    response = getattr(api, method)(BASE + path, {}, format="json")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"].removesuffix(", HEAD, OPTIONS") == allowed


def test_an_answer_in_another_format_than_json_is_406(api: APIClient) -> None:
    response = api.get(BASE, HTTP_ACCEPT="application/xml")
    assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")


def test_a_question_longer_than_the_window_is_refused(api: APIClient, settings: Settings) -> None:
    settings.MAX_CONTEXT_TOKENS = 200
    response = api.post(BASE, {"first_message": "word " * 300}, format="json")
    assert response.status_code == 400
    assert "tokens" in response.json()["fields"]["first_message"][0]


# --- The end of a conversation ----------------------------------------------------------------


def test_a_conversation_is_read_with_its_newest_messages_alone(
    api: APIClient, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice, turns=6)
    whole = api.get(f"{BASE}/{conversation.pk}").json()
    with django_assert_num_queries(3):  # the conversation, the messages, their siblings
        body = api.get(f"{BASE}/{conversation.pk}", {"messages": 3}).json()
    assert body.pop("messages") == whole["messages"][-3:]
    assert body == {name: value for name, value in whole.items() if name != "messages"}
    assert len(api.get(f"{BASE}/{conversation.pk}", {"messages": 200}).json()["messages"]) == 12


@pytest.mark.parametrize("number", ["0", "201", "-1", "x", "", "1.5"])
def test_a_number_of_messages_that_cannot_be_is_refused(api: APIClient, alice: User, number: str) -> None:
    response = api.get(f"{BASE}/{conversation_of(alice).pk}", {"messages": number})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["messages"])
