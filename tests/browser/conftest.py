"""A headless Chromium and a running service. Without Chromium on the machine these tests are skipped.

A test looks at a page with the fixture `look`: `look("dashboard")` keeps screenshots of it in light and dark, on a
desktop and on a phone, and fails for grave faults of accessibility.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from botgpt.operations.demo import ADMIN_LOGIN
from tests.service.running import running

from .chromium import CHROMIUM, MISSING, chromium
from .looking import look as look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.service.running import Service

expect.set_options(timeout=20_000)  # a busy machine takes more than Playwright's 5 s


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, service: Service) -> Iterator[Page]:
    context = browser.new_context(base_url=service.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def look(page: Page) -> Callable[..., None]:
    """See `tests.browser.looking.look`; the page is this test's."""
    return partial(look_at, page)


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser says is wrong with the pages, refusals by our content policy among it."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def log_in(page: Page) -> None:
    page.fill("#id_username", ADMIN_LOGIN.username)
    page.fill("#id_password", ADMIN_LOGIN.password)
    page.click("button[type=submit]")
