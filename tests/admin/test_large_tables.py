"""What keeps the admin fast when there are millions of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from botgpt.accounts.models import ApiKey, User
from botgpt.operations.admin_site import CappedPaginator, UncountedChangeList
from conversations.models import Conversation
from llm.budgets import settle
from llm.models import Budget, ModelPrice
from tests.builders import add_turn, conversation_of, document_of

from .conftest import call_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from .conftest import World

# A session and its user cost 2 queries, the count up to the cap 1, the rows 1; what is more has its reason beside it.
QUERIES = {
    "accounts_user": 4,
    "accounts_apikey": 4,
    "auth_group": 4,
    "conversations_conversation": 4,
    "documents_document": 4,
    "llm_modelprice": 4,
    "llm_budget": 4,
    "llm_allowance": 4,
    "llm_llmcall": 6,  # the totals, and the models to choose from
}
HEAVY = ('"content"', '"keyword_index"', '"matrix"')


def add_everything(user: User, number: int) -> None:
    document_of(user, f"Text number {number}", filename=f"{number}.txt")
    conversation = conversation_of(user, turns=1)
    call_of(user, conversation=conversation)
    ApiKey.objects.issue(user=user, name=f"key {number}")
    ModelPrice.objects.create(provider="own", model=f"model {number}", input=1, output=2)
    Budget.objects.update_or_create(user=user, defaults={"day_tokens": 1_000})
    settle(user_id=user.pk, tokens=100, cost=None, at=timezone.now())
    User.objects.create_user(f"user {number}")


@pytest.mark.parametrize("name", QUERIES)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(
    admin_client: Client, alice: User, bob: User, name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page = reverse(f"admin:{name}_changelist")
    for number, user in enumerate([alice, bob, alice]):
        add_everything(user, number)
        with django_assert_num_queries(QUERIES[name]):
            assert admin_client.get(page).status_code == 200


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("query", ["", "?_facets=True", "?all="], ids=["plain", "facets", "all"])
def test_no_list_counts_a_whole_table(admin_client: Client, world: World, name: str, query: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse(f"admin:{name}_changelist") + query)
    counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {CappedPaginator.CAP + 1}" in counts[0]


def test_a_search_is_counted_up_to_the_cap_too(admin_client: Client, world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(reverse("admin:conversations_conversation_changelist"), {"q": "warranty"})
    assert "About the warranty" in page.content.decode()
    assert all("LIMIT" in query["sql"] for query in queries if "COUNT(*)" in query["sql"])


def test_a_list_beyond_the_cap_says_so_and_ends_there(
    admin_client: Client, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CappedPaginator, "CAP", 2)
    for _ in range(3):
        conversation_of(alice)
    page = admin_client.get(reverse("admin:conversations_conversation_changelist")).content.decode()
    assert re.search(r"2\s+conversations\s+</div>\s+<span[^>]*>or more; search or filter to see the others", page)


def test_every_model_is_registered_with_these_rules() -> None:
    for model_admin in admin.site._registry.values():
        assert model_admin.paginator is CappedPaginator
        assert model_admin.show_full_result_count is False
        assert model_admin.show_facets is admin.ShowFacets.NEVER
        assert model_admin.get_changelist(None) is UncountedChangeList  # type: ignore[arg-type]


def test_no_form_or_filter_offers_every_user_to_choose_from(admin_client: Client, world: World, bob: User) -> None:
    for name in ("accounts_apikey_add", "documents_document_add", "documents_document_changelist", "llm_budget_add"):
        assert "bob" not in admin_client.get(reverse(f"admin:{name}")).content.decode(), name


def test_the_text_and_index_of_documents_stay_in_the_database(admin_client: Client, world: World) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse("admin:documents_document_changelist"))
        admin_client.get(reverse("admin:documents_document_change", args=[world.document.pk]))
        admin_client.get(reverse("admin:documents_document_delete", args=[world.document.pk]))
    selected = [query["sql"] for query in queries if 'FROM "documents"' in query["sql"]]
    assert selected
    assert not [sql for sql in selected for column in HEAVY if f'"documents".{column}' in sql]


def test_a_long_conversation_is_read_a_page_at_a_time(
    admin_client: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = conversation_of(alice)
    for number in range(30):
        add_turn(conversation, question=f"Question {number:02}", answer=f"Answer {number:02}")
    address = reverse("admin:conversations_conversation_change", args=[conversation.pk])
    ContentType.objects.get_for_model(Conversation)  # the process keeps it
    with django_assert_max_num_queries(11):
        first = admin_client.get(address).content.decode()
    assert ("Question 09" in first, "Question 10" in first) == (True, False)
    last = admin_client.get(address, {"page": 3}).content.decode()
    assert ("Question 19" in last, "Question 20" in last, "Answer 29" in last) == (False, True, True)


def test_a_page_that_does_not_exist_shows_the_nearest(admin_client: Client, world: World) -> None:
    address = reverse("admin:conversations_conversation_change", args=[world.conversation.pk])
    for page in ("99", "-1", "x"):
        assert "Question 0" in admin_client.get(address, {"page": page}).content.decode()


def test_the_question_before_a_deletion_lists_figures_not_rows(admin_client: Client, alice: User) -> None:
    for number in range(3):
        conversation_of(alice, title=f"Conversation {number}", turns=2)
    page = admin_client.get(reverse("admin:accounts_user_delete", args=[alice.pk])).content.decode()
    assert "Conversations: 3" in page
    assert "Conversation 1" not in page
