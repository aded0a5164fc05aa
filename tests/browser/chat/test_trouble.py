"""The network, the service or a budget gives out: the page says so, and nothing is asked twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import log_in
from tests.provider_server import Gate, reply, writes
from tests.service.running import running

from .asking import DESKTOP, ChatPage
from .conftest import MODEL
from .line import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Request

    from tests.provider_server import ProviderServer
    from tests.service.running import Service

BODIES_COME_LATE: Final = """() => {
    const json = Response.prototype.json;
    Response.prototype.json = async function () {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return json.call(this);
    };
}"""


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    with Line(urlsplit(service.url).port or 0) as line:
        yield line


@pytest.fixture
def context(browser: Browser, line: Line) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=line.url, viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def sends(chat: ChatPage) -> list[str]:
    """The keys of the questions that the page sends, one a request."""
    keys: list[str] = []

    def note(request: Request) -> None:
        if key := request.headers.get("idempotency-key"):
            keys.append(key)

    chat.page.on("request", note)
    chat.excuses.append("net::ERR")
    return keys


def test_a_connection_that_breaks_in_mid_stream_is_taken_up_where_it_was(
    chat: ChatPage, line: Line, provider: ProviderServer, sends: list[str]
) -> None:
    chat.begin()
    more = Gate()
    provider.will(writes("one ", "two ", more, "three ", "four"))
    chat.ask("Count")
    expect(chat.replies.locator(".body")).to_contain_text("one two")
    line.cut()
    expect(chat.replies).to_contain_text("Connection lost. Trying again.")
    expect(chat.replies.locator(".body")).to_contain_text("one two")
    line.mend()
    more.open()
    chat.answered("one two three four")
    expect(chat.replies).not_to_contain_text("Connection lost")
    assert (len(sends), len(provider.requests)) == (1, 1)


def test_a_question_whose_answer_was_lost_is_sent_again_and_asked_once(
    chat: ChatPage, line: Line, provider: ProviderServer, sends: list[str]
) -> None:
    chat.begin()
    provider.will(reply("Just once.", after=0.5))
    line.swallows_answers = True
    chat.ask("Do you hear me?")
    while not provider.requests:
        chat.page.wait_for_timeout(50)
    line.cut()
    line.mend()
    chat.answered("Just once.")
    assert line.asked.count(b"POST /api/v1/conversations HTTP") >= 2  # perhaps by the browser itself
    assert len(set(sends)) == 1
    assert len(provider.requests) == 1
    expect(chat.page.get_by_role("link", name="Do you hear me?")).to_have_count(1)


def test_when_the_service_stays_away_the_page_gives_up_and_tries_again_when_told(
    chat: ChatPage, line: Line, provider: ProviderServer, sends: list[str]
) -> None:
    chat.begin()
    chat.page.clock.install()
    line.cut()
    chat.ask("Anybody?")
    failure = chat.page.get_by_role("alert").filter(has_text="No connection")
    while not failure.is_visible():
        chat.page.clock.run_for(8_000)
        chat.page.wait_for_timeout(100)
    expect(failure).to_contain_text("The service cannot be reached. Nothing of yours is lost.")
    expect(chat.questions).to_contain_text("Anybody?")
    line.mend()
    failure.get_by_role("button", name="Try again").click()
    chat.page.clock.resume()
    chat.answered("Hello.")
    assert len(set(sends)) == 1
    assert len(provider.requests) == 1


def test_a_conversation_that_cannot_be_reached_is_opened_when_it_can(chat: ChatPage, line: Line) -> None:
    chat.excuses.append("net::ERR")
    chat.page.goto("/")
    expect(chat.page.get_by_role("checkbox").first).to_be_visible()
    line.cut()
    chat.page.locator("nav a[href='/c/1']").click()
    alert = chat.page.locator("#notice").get_by_role("alert")
    expect(alert).to_contain_text("No connection")
    line.mend()
    alert.get_by_role("button", name="Try again").click()
    expect(chat.replies.first).to_be_visible()
    expect(alert).to_have_count(0)


def test_what_could_not_be_sent_can_be_changed(
    chat: ChatPage, line: Line, provider: ProviderServer, sends: list[str]
) -> None:
    chat.begin()
    chat.excuses.append("400")
    chat.ask("x" * 32_001)
    expect(chat.page.get_by_role("alert")).to_contain_text("Ensure this field has no more than 32000 characters")
    chat.button("Change the question").click()
    expect(chat.box).to_have_value("x" * 32_001)
    expect(chat.box).to_be_focused()
    expect(chat.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    chat.ask("Shorter")
    chat.answered("Hello.")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, server: ProviderServer) -> Iterator[Service]:
    """As in production: one has to log in, and there are limits."""
    folder = tmp_path_factory.mktemp("strict")
    limits = {"ANONYMOUS_USER": "", "LIMIT_TURNS": "2/minute", "LLM_BUDGET_DAY_TOKENS": "20000"}
    limits["LIMITS_FILE"] = str(folder / "limits.sqlite3")
    with running(folder, GROQ_BASE_URL=server.url, **MODEL, **limits) as service:
        yield service


@pytest.fixture
def guarded(browser: Browser, strict: Service, provider: ProviderServer) -> Iterator[ChatPage]:
    """The page of somebody who has just logged in there."""
    context = browser.new_context(base_url=strict.url, viewport=DESKTOP)
    context.set_default_timeout(15_000)
    chat = ChatPage(context.new_page())
    chat.page.goto("/")
    assert chat.page.url.endswith("/login?next=/")
    log_in(chat.page)
    expect(chat.page.locator("#user")).to_have_text("admin")
    expect(chat.page.get_by_label("Open")).to_be_checked()  # there is no document to answer from
    yield chat
    context.close()


def test_limits_and_budgets_are_told_and_waited_for(guarded: ChatPage, provider: ProviderServer) -> None:
    usage, alert = guarded.page.locator("#usage"), guarded.page.get_by_role("alert")
    expect(usage).to_contain_text("20,000 of 20,000 tokens left today")
    used = {"prompt_tokens": 18_900, "completion_tokens": 100, "total_tokens": 19_000}
    provider.will(reply("One.", usage=used))
    guarded.ask("One")
    guarded.answered("One.")
    expect(usage).to_contain_text("1,000 of 20,000 tokens left today")
    expect(guarded.page.locator("#warnings")).to_contain_text("95 %")
    guarded.ask("Two")
    expect(alert).to_contain_text("Your budget is used up")
    expect(alert).to_contain_text(re.compile(r"It is full again (at|on) .*\d\d:\d\d"))
    guarded.button("Change the question").click()
    expect(guarded.questions).to_have_count(1)
    guarded.ask("Three")
    expect(alert).to_contain_text("That was a lot at once")
    again = alert.get_by_role("button").first
    expect(again).to_be_disabled()
    expect(again).to_contain_text(re.compile(r"Try again in \d+ s"))
    guarded.button("Change the question").click()
    expect(guarded.box).to_have_value("Three")
    assert len(provider.requests) == 1


def test_a_service_that_is_busy_is_asked_again_after_the_time_it_names(
    chat: ChatPage, provider: ProviderServer, sends: list[str]
) -> None:
    chat.begin()
    chat.excuses.append("503")
    busy = {"error": "Unavailable", "detail": "The service is full.", "code": "unavailable", "request_id": "1"}
    answer = {"status": 503, "headers": {"Retry-After": "2"}, "json": busy}
    chat.page.route("**/api/v1/conversations", lambda route: route.fulfill(**answer), times=1)
    chat.ask("Any room?")
    alert = chat.page.get_by_role("alert")
    expect(alert).to_contain_text("The service is busy or away. The service is full.")
    expect(alert.get_by_role("button").first).to_be_disabled()
    chat.button("Try again").click()
    chat.answered("Hello.")
    assert len(sends) == 2
    assert len(set(sends)) == 1


def test_a_login_that_has_ended_leads_to_the_login_and_back(guarded: ChatPage) -> None:
    address = guarded.page.url
    guarded.page.context.clear_cookies(name="sessionid")
    guarded.page.get_by_label("Open").check()
    guarded.page.evaluate(BODIES_COME_LATE)
    guarded.ask("Do you know me?")
    guarded.page.wait_for_url("**/login?next=*")
    log_in(guarded.page)
    guarded.page.wait_for_url(address)
    expect(guarded.box).to_have_value("Do you know me?")
