"""What probes and Prometheus ask is answered by whatever name they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.operations.scraping import scrape

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics"])
def test_a_probe_needs_no_name_and_no_https(client: Client, db: None, settings: Settings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert client.get(path, headers={"host": "172.18.0.7:8000"}).status_code == 200


def test_everything_else_is_answered_by_its_name_alone(client: Client, db: None, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["chat.example.com"]
    assert client.get("/api/v1/schema", headers={"host": "172.18.0.7:8000"}).status_code == 400


def test_probes_are_counted_by_their_route(client: Client, db: None) -> None:
    client.get("/health")
    assert "health" in scrape(client).labels("botgpt_http_request_seconds_count", "route")
