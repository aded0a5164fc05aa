"""The page with a keyboard alone, with a screen reader, and on a phone; and answers that are up to no good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.provider_server import Gate, reply, writes

from .asking import PHONE, ChatPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.provider_server import ProviderServer
    from tests.service.running import Service


def focus_by_tab(chat: ChatPage, name: str, *, backwards: str = "") -> None:
    """Press Tab until the control of this name has the focus."""
    named = """() => {
        const { activeElement: focused } = document;
        return focused === document.body ? "" : focused.getAttribute("aria-label") ?? focused.textContent.trim();
    }"""
    seen = []
    for _ in range(60):
        chat.page.keyboard.press("Shift+Tab" if backwards else "Tab")
        seen.append(chat.page.evaluate(named))
        if seen[-1].startswith(name):
            return
    raise AssertionError(f"{name!r} is not reached; what is: {seen}")


def test_everything_works_with_the_keyboard_alone(chat: ChatPage, provider: ProviderServer) -> None:
    press, page = chat.page.keyboard.press, chat.page
    page.goto("/")
    expect(page.get_by_role("checkbox").first).to_be_visible()
    expect(chat.box).to_be_focused()
    page.evaluate("document.activeElement.blur()")
    focus_by_tab(chat, "Skip to the message box")
    expect(page.get_by_role("link", name="Skip to the message box")).to_be_in_viewport()
    press("Enter")
    expect(chat.box).to_be_focused()
    provider.will(reply("Three years [1]."), writes("On ", "and ", gap=0.1, end="hang"))
    page.keyboard.type("How long is the warranty")
    press("Shift+Enter")
    page.keyboard.type("on the Alta?")
    press("Enter")
    chat.answered("Three years1.")
    expect(chat.questions.locator(".body")).to_have_text("How long is the warranty\non the Alta?", use_inner_text=True)
    focus_by_tab(chat, "Source 1", backwards="yes")
    press("Enter")
    source = page.get_by_role("dialog")
    expect(source.locator("mark")).to_be_in_viewport()
    press("Escape")
    expect(source).to_be_hidden()
    expect(chat.replies.locator(".mark button")).to_be_focused()
    focus_by_tab(chat, "Good answer")
    press("Space")
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    focus_by_tab(chat, "Answer again")
    press("Enter")
    expect(chat.replies.locator(".body")).to_have_text("On and")
    expect(chat.replies).to_be_focused()
    focus_by_tab(chat, "Stop")
    press("Enter")
    chat.answered("On and")
    expect(chat.box).to_be_focused()
    focus_by_tab(chat, "More", backwards="yes")
    press("Enter")
    focus_by_tab(chat, "Rename")
    press("Escape")
    expect(page.locator("summary")).to_be_focused()
    expect(chat.button("Rename …")).to_be_hidden()


def test_a_screen_reader_is_told_what_happens(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    said = chat.page.get_by_role("status").last
    more = Gate()
    provider.will(writes("It ", more, "is **so**."))
    chat.ask("Is it?")
    expect(said).to_have_text("BOT GPT is answering.")
    more.open()
    expect(said).to_have_text("BOT GPT: It is so.")
    landmarks = chat.page.locator("body").aria_snapshot()
    for landmark in ('navigation "Conversations"', "main:", 'heading "Is it?" [level=1]', 'heading "You" [level=2]'):
        assert landmark in landmarks
    assert 'textbox "Your question"' in landmarks


@pytest.fixture
def phone(browser: Browser, service: Service, provider: ProviderServer) -> ChatPage:
    context = browser.new_context(base_url=service.url, viewport=PHONE, has_touch=True, is_mobile=True)
    context.set_default_timeout(15_000)
    return ChatPage(context.new_page())


def test_on_a_phone_the_list_is_a_drawer(phone: ChatPage) -> None:
    page = phone.page
    phone.begin()
    drawer = page.get_by_role("navigation")
    expect(drawer).to_be_hidden()
    phone.button("Conversations").tap()
    expect(drawer).to_be_in_viewport()
    expect(phone.button("Close the list")).to_be_focused()
    assert page.evaluate("document.querySelector('main').inert")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(phone.button("Conversations")).to_be_focused()
    phone.button("Conversations").tap()
    drawer.locator("a[href='/c/1']").tap()
    expect(drawer).to_be_hidden()
    expect(phone.replies).to_have_count(3)
    assert not page.evaluate("document.querySelector('main').inert")
    phone.replies.last.locator(".mark button").first.tap()
    expect(page.get_by_role("dialog").locator("mark")).to_be_in_viewport()
    assert page.evaluate("document.querySelector('#source').matches(':modal')")
    phone.button("Close the source").tap()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_on_a_phone_enter_is_a_new_line(phone: ChatPage) -> None:
    phone.begin()
    phone.box.fill("One")
    phone.box.press("Enter")
    phone.page.keyboard.type("Two")
    expect(phone.box).to_have_value("One\nTwo")
    phone.button("Send").tap()
    phone.answered("Hello.")


def test_what_a_model_writes_runs_nothing_and_fetches_nothing(chat: ChatPage, provider: ProviderServer) -> None:
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url))
    chat.begin()
    # The service takes out what it knows; this is what the page would show of whatever came through.
    evil = (
        "<img src=x onerror=alert(1)> <script>alert(2)</script> <b style='color:red'>bold</b> "
        "![picture](https://evil.example/x.png) [link](javascript:alert(3)) <https://evil.example/>\n\n"
        "# Title\n\n```html\n<style>body{display:none}</style>\n```\n"
    )
    chat.page.on("dialog", lambda dialog: pytest.fail(f"A script ran: {dialog.message}"))
    module = "/static/chat/markdown.js"
    html, harmful = chat.page.evaluate(
        """async ([module, evil]) => {
            const { rendered } = await import(module);
            const place = document.querySelector("#thread");
            place.append(rendered(evil, { marks: false }), rendered(evil, { marks: true }));
            const harm = "img, script, style, b, [style], [onerror], [href^=javascript]";
            return [place.innerHTML, place.querySelectorAll(harm).length];
        }""",
        [module, evil],
    )
    assert harmful == 0
    chat.page.wait_for_timeout(300)
    assert "&lt;script&gt;" in html  # it is shown as what it is
    assert html.count('href="https://evil.example/" target="_blank" rel="noopener noreferrer nofollow"') == 2
    assert "<h3>Title</h3>" in html
    assert not [url for url in asked if "evil" in url]


def test_code_can_be_copied(chat: ChatPage, provider: ProviderServer) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.begin()
    provider.will(writes("Run:\n\n```sh\nmake run\n```\n"))
    chat.ask("How?")
    chat.button("Copy code").click()
    expect(chat.button("Copied")).to_be_visible()
    assert chat.page.evaluate("navigator.clipboard.readText()") == "make run\n"
