"""GET /models: what can be asked, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.test import APIClient

from tests.provider_server import reply, status

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

    from botgpt.accounts.models import User
    from tests.provider_server import ProviderServer

MODELS = "/api/v1/models"


def test_it_lists_the_chain_in_its_order_with_prices_where_they_are_known(
    api: APIClient, groq: ProviderServer, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    settings.LLM_CHAIN = ["groq/openai/gpt-oss-20b", "groq/unheard-of"]
    with django_assert_max_num_queries(1):
        first, second = api.get(MODELS).json()["models"]
    assert (first["id"], first["provider"], first["model"]) == ("groq/openai/gpt-oss-20b", "groq", "openai/gpt-oss-20b")
    assert (first["is_default"], second["is_default"]) == (True, False)
    assert float(first["price"]["input_mtok"]) > 0
    assert second["price"] is None


def test_without_a_model_it_names_the_offline_provider(api: APIClient) -> None:
    assert [model["id"] for model in api.get(MODELS).json()["models"]] == ["offline"]


def test_it_needs_credentials_and_only_reads(alice: User, api: APIClient) -> None:
    assert APIClient().get(MODELS).status_code == 401
    assert api.post(MODELS, {}, format="json").status_code == 405


def test_a_request_may_name_the_model_that_is_asked_first(api: APIClient, groq: ProviderServer) -> None:
    groq.will(reply("From the large one"))
    for model in ("groq/large", "large"):
        body = api.post("/api/v1/conversations", {"first_message": "x", "model": model}, format="json").json()
        assert body["messages"][1]["model_used"] == "large"


def test_the_others_stand_by_when_the_named_model_is_down(api: APIClient, groq: ProviderServer) -> None:
    groq.always(status(503), model="large")
    body = api.post("/api/v1/conversations", {"first_message": "x", "model": "groq/large"}, format="json").json()
    assert body["messages"][1]["model_used"] == "small"


def test_a_model_that_is_not_configured_is_refused_with_those_that_are(api: APIClient, groq: ProviderServer) -> None:
    response = api.post("/api/v1/conversations", {"first_message": "x", "model": "gpt-9"}, format="json")
    assert response.status_code == 400
    assert "groq/small, groq/large" in response.json()["fields"]["model"][0]
