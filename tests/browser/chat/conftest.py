"""The chat page before a service whose provider is scripted, see tests/provider_server.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.provider_server import PROVIDER_KEY, ProviderServer
from tests.service.running import running

from .asking import DESKTOP, ChatPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.service.running import Service

MODEL = {
    "GROQ_API_KEY": PROVIDER_KEY,
    "LLM_CHAIN": "groq/small,groq/large",
    "LLM_BACKOFF_SECONDS": "0.01",
    "LLM_SKIP_AFTER": "1000",
    "WEB_CONCURRENCY": "2",
}


@pytest.fixture(scope="package")
def server() -> Iterator[ProviderServer]:
    with ProviderServer() as server:
        yield server


@pytest.fixture
def provider(server: ProviderServer) -> ProviderServer:
    """The provider, with nothing planned and nothing asked."""
    server.forget()
    return server


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, server: ProviderServer) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("chat"), GROQ_BASE_URL=server.url, **MODEL) as service:
        yield service


@pytest.fixture
def context(browser: Browser, service: Service) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=service.url, viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def chat(page: Page, provider: ProviderServer, complaints: list[str]) -> Iterator[ChatPage]:
    """The page as the demo's user has it; in the end the browser must have had nothing to say against it."""
    chat = ChatPage(page)
    yield chat
    assert [said for said in complaints if not any(excuse in said for excuse in chat.excuses)] == []
