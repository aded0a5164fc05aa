"""Retakes the screenshots in docs/images: `make screenshots`.

A scene is a function that leads a page, of a service with the demo's data, to what is to be seen. The provider is
scripted: tests/provider_server.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.provider_server import PROVIDER_KEY, ProviderServer, writes
from tests.service.running import ROOT, running

from .busy import make_busy
from .chromium import CHROMIUM, MISSING, chromium
from .conftest import log_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.provider_server import Behaviour, Connection

    Scene = Callable[[Page, ProviderServer], None]

IMAGES = ROOT / "docs" / "images"
PASSAGE = re.compile(r"BEGIN PASSAGE (\d+).*?END PASSAGE", re.DOTALL)
ANSWER = """\
The Alta has a warranty of **three years** from the day of purchase [the day of purchase]. Register its serial number \
within 90 days, and it becomes five, free of charge [when you register].

It does not cover:

- parts that wear out, such as gaskets and baskets [gaskets, baskets]
- scale, frost and falls [gaskets, baskets]
- repairs by anybody but an authorised partner [gaskets, baskets]

A repair outside it costs one of three flat rates, and you agree to it before anything is done \
[one of three flat rates].
"""


def citing(text: str) -> Behaviour:
    """Write a text whose marks name words: each becomes the number of the passage in which they stand."""

    def behave(connection: Connection) -> None:
        sent = connection.received.body["messages"][-1]["content"]
        passages = {match[1]: " ".join(match[0].replace("\n>", " ").split()) for match in PASSAGE.finditer(sent)}

        def number(mark: re.Match[str]) -> str:
            return f"[{next(number for number, passage in passages.items() if mark[1] in passage)}]"

        writes(re.sub(r"\[([^\]]+)\]", number, text))(connection)

    return behave


def chat(page: Page, provider: ProviderServer) -> None:
    """An answer, and the passage that it cites."""
    provider.will(citing(ANSWER))
    page.goto("/")
    page.get_by_role("button", name="How long is the warranty on the Alta?").click()
    page.locator(".mark button").first.click()
    page.locator("#source mark").wait_for()
    page.get_by_label("Your question", exact=True).focus()


def dashboard(page: Page, _: ProviderServer) -> None:
    """The admin's first page, of a service that is used by many."""
    page.set_viewport_size({"width": 1280, "height": 1180})
    page.goto("/admin/")
    log_in(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # until the bars have grown


SCENES: dict[str, Scene] = {"chat": chat, "dashboard": dashboard}


def main() -> int:
    if CHROMIUM is None:
        sys.stderr.write(f"{MISSING}\n")
        return 1
    IMAGES.mkdir(exist_ok=True)
    with (
        TemporaryDirectory() as folder,
        ProviderServer() as provider,
        running(Path(folder), GROQ_BASE_URL=provider.url, GROQ_API_KEY=PROVIDER_KEY) as service,
        chromium() as browser,
    ):
        make_busy(service)
        for name, scene in SCENES.items():
            context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 800})
            page = context.new_page()
            scene(page, provider)
            page.screenshot(path=IMAGES / f"{name}.png")
            sys.stdout.write(f"docs/images/{name}.png\n")
            context.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
