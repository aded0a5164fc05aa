"""An operator reads a transcript, opens what an answer cites, another branch, and tries a question on a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from botgpt.operations.demo import QUESTION

from .conftest import log_in
from .looking import LOOKS, look

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.service.running import Service

CONVERSATION = "/admin/conversations/conversation/{}/change/"
IN_VIEW = "e => { const box = e.getBoundingClientRect(); return box.top >= 0 && box.bottom <= window.innerHeight }"


@pytest.fixture(scope="module")
def answered_twice(service: Service) -> int:
    """A conversation whose first question was answered twice."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=30) as api:
        documents = [document["id"] for document in api.get("/documents").json()["documents"]]
        body = {"first_message": QUESTION, "mode": "rag", "document_ids": documents}
        conversation = api.post("/conversations", json=body).json()
        reply = conversation["messages"][-1]["id"]
        api.post(f"/conversations/{conversation['id']}/messages/{reply}/regenerate", json={}).raise_for_status()
    return int(conversation["id"])


def look_at(page: Page, name: str) -> None:
    """Unfold chooses its theme when a page is loaded, so it is loaded for each look, with everything unfolded."""
    for each in LOOKS:
        page.emulate_media(color_scheme=each.scheme, reduced_motion="reduce")
        page.reload()
        page.wait_for_selector(f"html.{each.scheme}" if each.scheme == "dark" else "html:not(.dark)")
        page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
        look(page, name, looks=(each,))


def test_a_mark_in_an_answer_leads_to_the_marked_passage(
    page: Page, complaints: list[str], answered_twice: int
) -> None:
    page.goto(CONVERSATION.format(answered_twice))
    log_in(page)
    mark = page.locator("article.assistant .cite").first
    quote = page.locator("article.assistant .citations q").first.inner_text().strip("“”")
    mark.click()
    page.wait_for_url("**/admin/documents/document/*/change/?passage=*#passage")
    passage = page.locator("#passage")
    assert passage.inner_text().split() == quote.split()
    page.wait_for_function(f"({IN_VIEW})(document.querySelector('#passage'))")
    look_at(page, "passage")
    assert complaints == []


def test_another_branch_is_one_click_away(page: Page, complaints: list[str], answered_twice: int) -> None:
    page.goto(CONVERSATION.format(answered_twice))
    log_in(page)
    assert page.locator(".versions").inner_text().split() == ["‹", "2", "of", "2"]
    look_at(page, "transcript")
    page.click("[aria-label='The version before']")
    page.wait_for_selector("text=This is not the branch that the user sees.")
    assert page.locator(".versions").inner_text().split() == ["1", "of", "2", "›"]
    assert page.locator(".branches [aria-current]").inner_text().startswith("After #")
    look_at(page, "transcript-branch")
    assert complaints == []


def test_a_question_is_tried_on_a_document(page: Page, complaints: list[str]) -> None:
    page.goto("/admin/documents/document/1/change/")
    log_in(page)
    try_a_question(page)
    assert page.locator("#question").evaluate("e => Math.round(e.getBoundingClientRect().top)") < 200
    look_at(page, "tried-question")
    assert complaints == []


def test_a_question_is_tried_without_scripts(browser: Browser, service: Service) -> None:
    context = browser.new_context(base_url=service.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/admin/documents/document/1/change/")
    log_in(page)
    try_a_question(page)
    context.close()


def try_a_question(page: Page) -> None:
    page.fill("[name=question]", "Hello, how long is the warrenty?")
    page.press("[name=question]", "Enter")
    page.wait_for_selector("text=a reply would be grounded in it")
    assert page.locator(".hits mark").first.inner_text().lower() == "warranty"
