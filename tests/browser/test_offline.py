"""The chat page of a service that was just started, without a key for any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .chat.asking import ChatPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page


def test_it_says_so_and_answers_from_documents_all_the_same(
    page: Page, complaints: list[str], look: Callable[..., None]
) -> None:
    chat = ChatPage(page)
    page.goto("/")
    expect(page.get_by_text("No language model is configured.")).to_be_visible()
    look("chat-offline")
    chat.button("How long is the warranty on the Alta?").click()
    expect(chat.replies).to_contain_text("The warranty of the Alta is three years from the day of purchase.")
    chat.replies.locator(".mark button").first.click()
    expect(page.locator("#source mark")).to_have_text(
        "The warranty of the Alta is three years from the day of purchase."
    )
    page.get_by_role("link", name="New conversation").click()
    page.get_by_label("Open").check()
    chat.ask("Tell me a joke")
    expect(chat.replies).to_contain_text("No language model is configured, so this question cannot be answered.")
    assert complaints == []
