"""The chat page as people see it: no grave fault of accessibility in any of its states, and screenshots to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser import screenshots
from tests.browser.looking import LOOKS
from tests.provider_server import reply, status, writes

from .asking import PHONE, ChatPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider_server import ProviderServer

ANSWER = """The warranty is **three years** from the day of purchase [1]. It does not cover:

- gaskets and baskets [1]
- scale, frost and falls

| what | how long |
|---|---|
| machine | 3 years |
| registered machine | 5 years |

```sh
curl https://tolvane.example/register
```
"""


def test_the_beginning(chat: ChatPage, look: Callable[..., None]) -> None:
    chat.begin("From documents")
    look("chat-empty")
    chat.page.get_by_label("Open").check()
    look("chat-empty-open")


def test_a_conversation_its_sources_and_its_dialogs(
    chat: ChatPage, provider: ProviderServer, look: Callable[..., None]
) -> None:
    provider.will(reply(ANSWER))
    chat.begin("From documents")
    chat.ask("How long is the warranty on the Alta?")
    expect(chat.replies).to_have_attribute("aria-busy", "false")
    look("chat-answer")
    chat.replies.locator(".mark button").first.click()
    expect(chat.page.locator("#source mark")).to_be_visible()
    look("chat-source")
    chat.button("Close the source").click()
    for name in ("documents", "rename", "delete"):
        if name != "documents":
            chat.page.locator("summary").click()
            look("chat-menu")
        chat.page.locator(f"#{name}").click()
        expect(chat.page.get_by_role("dialog")).to_be_visible()
        look(f"chat-{name}")
        chat.button("Cancel").click()
    chat.button("Edit this question").click()
    look("chat-edit")


def test_the_picture_of_the_readme_can_be_retaken(chat: ChatPage, provider: ProviderServer) -> None:
    screenshots.chat(chat.page, provider)
    expect(chat.replies.locator(".mark button")).to_have_text(["1", "2", "3", "3", "3", "4"])
    assert screenshots.SCENES["chat"] is screenshots.chat
    for name in screenshots.SCENES:
        assert (screenshots.IMAGES / f"{name}.png").stat().st_size < 300_000


def test_waiting_and_failing(chat: ChatPage, provider: ProviderServer, look: Callable[..., None]) -> None:
    chat.begin()
    provider.will(writes("Half of ", gap=0.1, end="hang"))
    chat.ask("Write something long")
    expect(chat.replies.locator(".body")).to_have_text("Half of")
    look("chat-streaming")
    chat.button("Stop").click()
    expect(chat.replies).to_contain_text("Stopped")
    provider.always(status(503))
    chat.ask("And now?")
    expect(chat.page.get_by_role("alert")).to_contain_text("No answer")
    look("chat-failed")
    chat.excuses.append("400")
    chat.ask("x " * 16_001)
    expect(chat.button("Change the question")).to_be_visible()
    look("chat-error")


def test_the_drawer_of_a_phone(chat: ChatPage, look: Callable[..., None]) -> None:
    chat.page.set_viewport_size(PHONE)
    chat.page.goto("/c/1")
    expect(chat.replies).to_have_count(3)
    chat.button("Conversations").click()
    look("chat-drawer", looks=tuple(each for each in LOOKS if each.width == PHONE["width"]))
