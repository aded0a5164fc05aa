"""Grounded conversations: from a file to a citation that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.conftest import log_in
from tests.documents.files import pdf
from tests.provider_server import reply

from .asking import ChatPage

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload

    from tests.provider_server import ProviderServer

MANUAL = pdf("Chapter 1. The Borealis lamp is 40 centimetres high.", "Chapter 2. Its bulb is changed every nine years.")


def file(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def drop(chat: ChatPage, name: str, text: str) -> None:
    """Let go of a file over the page."""
    script = """([name, text]) => {
        const data = new DataTransfer();
        data.items.add(new File([text], name));
        return data;
    }"""
    data = chat.page.evaluate_handle(script, [name, text])
    chat.page.dispatch_event("body", "dragover", {"dataTransfer": data})
    expect(chat.page.get_by_text("Drop files to ask about them")).to_be_visible()
    chat.page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(chat.page.get_by_text("Drop files to ask about them")).to_be_hidden()


def last_question(provider: ProviderServer) -> str:
    text: str = provider.requests[-1].body["messages"][-1]["content"]
    return text


def test_a_person_logs_in_uploads_a_pdf_asks_and_opens_what_is_cited(chat: ChatPage, provider: ProviderServer) -> None:
    page = chat.page
    page.goto("/login")
    log_in(page)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.locator("#user")).to_have_text("admin")
    expect(page.get_by_text("No document yet")).to_be_attached()
    page.get_by_label("From documents").check()
    page.get_by_label("Upload files").first.set_input_files([file("borealis.pdf", MANUAL)])
    expect(page.get_by_role("checkbox", name="borealis.pdf")).to_be_checked()
    expect(page.get_by_text("2 pages")).to_be_visible()
    provider.will(reply("Every nine years [1]. It is 40 centimetres high [1]."))
    chat.ask("How often is the bulb of the Borealis changed, and how high is it?")
    chat.answered("Every nine years1. It is 40 centimetres high2.")
    sources = chat.replies.get_by_role("list", name="Sources").get_by_role("listitem")
    expect(sources).to_have_count(2)
    expect(sources.first).to_contain_text("borealis.pdf, page 2")

    mark = chat.replies.get_by_role("button", name="Source 1: borealis.pdf, page 2")
    mark.click()
    source = page.get_by_role("dialog")
    expect(source.get_by_role("heading")).to_have_text("borealis.pdf, page 2")
    expect(source.get_by_role("heading")).to_be_focused()
    expect(source.locator("mark")).to_have_text("Its bulb is changed every nine years.")
    expect(source.locator("mark")).to_be_in_viewport()
    sources.nth(1).get_by_role("button").click()  # beside it, the page works as before
    expect(source.locator("mark")).to_have_text("The Borealis lamp is 40 centimetres high.")
    with page.expect_download() as download:
        source.get_by_role("link", name="Download the file").click()
    assert download.value.suggested_filename == "borealis.pdf"
    source.get_by_role("heading").focus()
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()
    expect(sources.nth(1).get_by_role("button")).to_be_focused()

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")


def test_a_citation_is_counted_in_characters_whatever_stands_before(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin("From documents")
    text = "👋🏽 Grüße. 🧭 The compass points north. 🎈 The balloon is red. " + "👩‍🚀 fills the page. " * 120
    chat.page.get_by_label("Upload files").first.set_input_files([file("signs.txt", text.encode())])
    expect(chat.page.get_by_role("checkbox", name="signs.txt")).to_be_checked()
    provider.will(reply("🎈 The balloon is red [1]."))
    chat.ask("Which colour has the balloon?")
    chat.answered("🎈 The balloon is red1.")
    chat.replies.locator(".mark button").click()
    expect(chat.page.locator("#source mark")).to_contain_text("The balloon is red.")
    assert chat.page.locator("#source .passage").inner_text().startswith("👋🏽 Grüße. 🧭 The compass")


def test_a_deleted_document_leaves_its_quote(chat: ChatPage, provider: ProviderServer) -> None:
    chat.excuses.append("404")
    chat.begin("From documents")
    chat.page.get_by_label("Upload files").first.set_input_files(
        [file("gone.txt", b"The attic key hangs in the shed.")]
    )
    expect(chat.page.get_by_role("checkbox", name="gone.txt")).to_be_checked()
    provider.will(reply("In the shed [1]."))
    chat.ask("Where does the attic key hang?")
    chat.answered("In the shed1.")
    delete = "id => fetch(`/api/v1/documents/${id}`, { method: 'DELETE' }).then(answer => answer.status)"
    path = f"/api/v1/conversations/{chat.conversation_id}"
    detail: dict[str, Any] = chat.page.evaluate("path => fetch(path).then(answer => answer.json())", path)
    assert chat.page.evaluate(delete, detail["messages"][1]["citations"][0]["document_id"]) == 204
    with chat.page.expect_response("**/text?*"):
        chat.replies.locator(".mark button").click()
    source = chat.page.get_by_role("dialog")
    expect(source).to_contain_text("The document was deleted")
    expect(source.locator("blockquote")).to_have_text("The attic key hangs in the shed.")


def test_a_dropped_file_begins_a_conversation_or_joins_the_open_one(chat: ChatPage, provider: ProviderServer) -> None:
    chat.talk("Hello", "Hello.")
    drop(chat, "hours.txt", "The shop opens at nine.")
    expect(chat.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(chat.page.get_by_role("checkbox", name="hours.txt")).to_be_checked()
    expect(chat.page.get_by_text("1 document chosen")).to_be_visible()  # not also those that were only suggested
    chat.page.get_by_role("checkbox", name="hours.txt").uncheck()
    chat.ask("When does it open?")
    expect(chat.page.get_by_role("alert")).to_have_text("Choose a document first, or an open conversation.")
    chat.page.get_by_role("checkbox", name="hours.txt").check()
    chat.box.press("Enter")
    chat.answered("Hello.")
    assert "The shop opens at nine." in last_question(provider)

    drop(chat, "prices.txt", "A ticket costs seven euros.")
    expect(chat.page.get_by_role("dialog").get_by_role("checkbox", name="prices.txt")).to_be_checked()
    chat.button("Use these").click()
    expect(chat.button("2 documents")).to_be_visible()
    chat.ask("What does a ticket cost?")
    expect(chat.replies).to_have_count(2)
    chat.answered("Hello.")
    assert "A ticket costs seven euros." in last_question(provider)


def test_a_file_that_cannot_be_read_says_why(chat: ChatPage) -> None:
    chat.begin("From documents")
    chat.page.get_by_label("Upload files").first.set_input_files([file("secret.pdf", pdf("x", password="x"))])
    expect(chat.page.get_by_role("alert")).to_contain_text("The file is protected with a password")
    chat.button("Dismiss").click()
    expect(chat.page.get_by_role("list", name="Uploads")).to_be_empty()


def test_when_nothing_relevant_is_found_the_page_says_so(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin("From documents")
    provider.will(reply("The documents do not say."))
    chat.ask("Zxqv wklm?")
    chat.answered("The documents do not say.")
    expect(chat.replies).to_contain_text("Nothing found. The documents say nothing relevant to this question.")


def test_a_suggestion_of_a_document_is_asked(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin("From documents")
    provider.will(reply("Three years [1]."))
    chat.button("How long is the warranty on the Alta?").click()
    chat.answered("Three years1.")
    expect(chat.questions.locator(".body")).to_have_text("How long is the warranty on the Alta?")
    assert "three years from the day of purchase" in last_question(provider)
