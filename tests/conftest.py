"""What every test can ask for: users, API clients, and a network that ends at this machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from rest_framework.test import APIClient

from botgpt.accounts.models import User
from llm.limits import forget_limits
from llm.pricing import forget_own_prices
from tests.browser.chromium import MISSING
from tests.embedding_server import EMBEDDING_KEY, EmbeddingServer
from tests.provider_server import PROVIDER_KEY, ProviderServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach another machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if (
            isinstance(address, tuple)
            and address[0] != "localhost"
            and not ipaddress.ip_address(address[0]).is_loopback
        ):
            pytest.fail(f"A test tried to connect to {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def media_in_tmp(settings: Settings, tmp_path: Path) -> None:
    """Uploaded files go to the test's own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def nothing_known_of_other_tests() -> None:
    """What a process remembers of tables for some seconds is of the tables of the test before."""
    forget_limits()
    forget_own_prices()


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com", "correct horse battery")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob", "bob@example.com", "correct horse battery")


@pytest.fixture
def api(alice: User) -> APIClient:
    """A client that calls as alice."""
    client = APIClient()
    client.force_authenticate(alice)
    return client


@pytest.fixture
def stranger(bob: User) -> APIClient:
    """A client that calls as bob, to whom nothing of alice's exists."""
    client = APIClient()
    client.force_authenticate(bob)
    return client


@pytest.fixture
def groq(settings: Settings) -> Iterator[ProviderServer]:
    """Groq on loopback, configured as the provider of `groq/small,groq/large`; see tests/provider_server.py."""
    with ProviderServer() as server:
        settings.GROQ_BASE_URL = server.url
        settings.GROQ_API_KEY = PROVIDER_KEY
        settings.LLM_BACKOFF_SECONDS = 0.01
        yield server


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[EmbeddingServer]:
    """An embedding endpoint on loopback, as `openai/text-embedding-3-small`; see tests/embedding_server.py."""
    with EmbeddingServer() as server:
        settings.EMBEDDINGS = "openai/text-embedding-3-small"
        settings.EMBEDDINGS_BASE_URL = f"{server.url}/v1"
        settings.EMBEDDINGS_API_KEY = EMBEDDING_KEY
        settings.EMBEDDINGS_SECONDS = 3.0
        settings.EMBEDDINGS_QUESTION_SECONDS = 1.0
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the browser tests that did not run, so that nobody takes them for passed."""
    skipped = [report for report in terminalreporter.stats.get("skipped", ()) if MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.section(f"{len(skipped)} browser tests did not run: {MISSING}", yellow=True)
        for report in skipped:
            terminalreporter.line(report.nodeid)
