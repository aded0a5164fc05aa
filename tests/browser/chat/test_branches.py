"""Answering again, editing, switching versions, and what else is done with messages and conversations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.provider_server import reply

from .asking import ChatPage

if TYPE_CHECKING:
    from tests.provider_server import ProviderServer


def test_answering_again_keeps_the_answer_before(chat: ChatPage, provider: ProviderServer) -> None:
    provider.will(reply("A first answer."), reply("A second answer."))
    chat.talk("Well?", "A first answer.")
    chat.button("Answer again").click()
    chat.answered("A second answer.")
    expect(chat.replies).to_contain_text("2 / 2")
    chat.button("Earlier version").click()
    chat.answered("A first answer.")
    expect(chat.button("Earlier version")).to_be_disabled()
    chat.page.reload()
    chat.answered("A first answer.")
    expect(chat.replies).to_contain_text("1 / 2")
    chat.button("Later version").click()
    chat.answered("A second answer.")


def test_an_edited_question_begins_a_branch_and_the_old_one_stays(chat: ChatPage, provider: ProviderServer) -> None:
    provider.will(reply("Bread."), reply("With butter."), reply("Cheese."))
    chat.talk("What is for breakfast?", "Bread.")
    chat.ask("Dry?")
    chat.answered("With butter.")
    chat.questions.first.get_by_role("button", name="Edit this question").click()
    field = chat.page.get_by_label("Your question, edited")
    expect(field).to_be_focused()
    field.fill("What is for supper?")
    chat.button("Ask again").click()
    chat.answered("Cheese.")
    expect(chat.questions).to_have_count(1)
    expect(chat.questions).to_contain_text("2 / 2")
    chat.button("Earlier version").click()
    expect(chat.replies).to_have_count(2)
    chat.answered("With butter.")
    assert [each["content"] for each in provider.requests[-1].body["messages"][1:]] == ["What is for supper?"]


def test_an_edit_can_be_left(chat: ChatPage, provider: ProviderServer) -> None:
    chat.talk("As it was", "Hello.")
    chat.button("Edit this question").click()
    chat.page.get_by_label("Your question, edited").fill("Something else")
    chat.page.keyboard.press("Escape")
    expect(chat.questions.locator(".body")).to_have_text("As it was")
    expect(chat.button("Edit this question")).to_be_focused()
    assert len(provider.requests) == 1


def test_feedback_is_kept_and_can_be_taken_back(chat: ChatPage) -> None:
    chat.talk("Hello", "Hello.")
    chat.button("Bad answer").click()
    expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    expect(chat.button("Bad answer")).to_be_focused()
    chat.page.reload()
    expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "true")
    chat.button("Bad answer").click()
    expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "false")


def test_a_conversation_is_found_renamed_exported_and_deleted(chat: ChatPage) -> None:
    chat.talk("Plan a walk", "Hello.")
    address = chat.page.url
    chat.page.locator("summary").click()
    chat.button("Rename …").click()
    chat.page.get_by_label("Title", exact=True).fill("Rambling 100% of it")
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Rambling 100% of it")

    chat.page.get_by_label("Search conversations by title").fill("rambling 100%")
    found = chat.page.get_by_role("navigation").locator("li")
    expect(found).to_have_count(1)
    chat.page.get_by_label("Search conversations by title").fill("nothing like it")
    expect(chat.page.get_by_text("No title has these words.")).to_be_visible()
    chat.page.get_by_label("Search conversations by title").fill("")
    expect(found.first).to_have_text("Rambling 100% of it")

    chat.page.locator("summary").click()
    with chat.page.expect_download() as markdown:
        chat.page.get_by_role("link", name="Export as Markdown").click()
    assert "Plan a walk" in Path(markdown.value.path()).read_text()
    chat.page.locator("summary").click()
    with chat.page.expect_download() as exported:
        chat.page.get_by_role("link", name="Export as JSON").click()
    assert json.loads(Path(exported.value.path()).read_text())["title"] == "Rambling 100% of it"

    chat.page.locator("summary").click()
    chat.button("Delete …").click()
    expect(chat.button("Cancel")).to_be_focused()
    chat.button("Delete").click()
    expect(chat.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(found.filter(has_text="Rambling")).to_have_count(0)
    chat.excuses.append("404")
    chat.page.goto(address)
    expect(chat.page.get_by_role("alert")).to_contain_text("Not here. No conversation with ID")


def test_long_histories_come_in_pieces(chat: ChatPage) -> None:
    chat.begin()
    chat.ask("Turn 1")
    chat.answered("Hello.")
    chat.page.evaluate(
        """async (path) => {
            for (let turn = 2; turn <= 30; turn += 1) {
                const body = JSON.stringify({ message: `Turn ${turn}` });
                await fetch(path, { method: "POST", body, headers: { "Content-Type": "application/json" } });
            }
        }""",
        f"/api/v1/conversations/{chat.conversation_id}/messages",
    )
    chat.page.reload()
    expect(chat.questions).to_have_count(25)
    expect(chat.questions.last).to_contain_text("Turn 30")
    top = chat.questions.first
    chat.button("Show earlier messages").click()
    expect(chat.questions).to_have_count(30)
    expect(chat.questions.nth(5)).to_be_in_viewport()
    expect(chat.questions.nth(5)).to_be_focused()
    expect(chat.button("Show earlier messages")).to_have_count(0)
    expect(top).to_contain_text("Turn 1")
