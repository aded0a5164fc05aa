"""Asking, and seeing the answer come, whatever happens on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
from playwright.sync_api import expect

from tests.provider_server import Gate, reply, status, writes

from .asking import ChatPage

if TYPE_CHECKING:
    from playwright.sync_api import APIResponse, BrowserContext, Route

    from tests.provider_server import ProviderServer
    from tests.service.running import Service


def test_an_answer_is_seen_while_it_is_written(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    more = Gate()
    provider.will(writes("Once ", more, "upon ", "a time."))
    chat.ask("Tell me a story")
    expect(chat.questions).to_have_text("YouTell me a story")
    expect(chat.box).to_have_value("")
    expect(chat.replies.locator(".body")).to_have_text("Once")
    expect(chat.page.get_by_role("heading", level=1)).to_have_text("Tell me a story")
    expect(chat.replies).to_have_attribute("aria-busy", "true")
    more.open()
    chat.answered("Once upon a time.")
    expect(chat.page.get_by_role("link", name="Tell me a story")).to_have_attribute("aria-current", "page")
    assert len(provider.requests) == 1


def test_a_list_that_comes_late_does_not_take_the_title_away(chat: ChatPage) -> None:
    chat.begin()
    held: list[Route] = []
    lists = re.compile(r"/conversations\?page=")
    chat.page.route(lists, lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it gets
    chat.ask("What is late?")
    chat.answered("Hello.")
    title = chat.page.get_by_role("heading", level=1)
    expect(title).to_have_text("What is late?")
    for _ in range(500):
        if len(held) == 2:  # one at the beginning of the turn, and one at its end
            break
        chat.page.wait_for_timeout(20)
    with chat.page.expect_response(lists):
        held[0].continue_()
    chat.page.wait_for_timeout(300)  # it would take it away only now
    expect(title).to_have_text("What is late?")
    held[1].continue_()


def test_only_a_grounded_answer_has_footnotes(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    more = Gate()
    provider.will(writes("Take row[1] ", more, "and row[2]."))
    chat.ask("Which rows?")
    expect(chat.replies.locator(".body")).to_have_text("Take row[1]")
    more.open()
    chat.answered("Take row[1] and row[2].")
    chat.begin("From documents")
    more = Gate()
    provider.will(writes("It is so [1]. ", more, "Really."))
    chat.ask("How long is the warranty on the Alta?")
    expect(chat.replies.locator(".body")).to_have_text("It is so1.")
    expect(chat.replies.locator(".mark")).to_have_text("1")
    more.open()
    chat.answered("It is so1. Really.")
    expect(chat.replies.locator(".mark button")).to_have_text("1")


def test_stopping_keeps_the_text_and_one_can_go_on(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    provider.will(writes("one ", "two ", gap=0.1, end="hang"))
    chat.ask("Count")
    expect(chat.replies.locator(".body")).to_have_text("one two")
    chat.button("Stop").click()
    chat.answered("one two")
    expect(chat.replies).to_contain_text("Stopped")
    expect(chat.box).to_be_focused()
    provider.will(reply("Three."))
    chat.ask("Go on")
    chat.answered("Three.")
    assert {"role": "assistant", "content": "one two"} in provider.requests[-1].body["messages"]


def test_a_reload_in_mid_stream_loses_nothing(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    more = Gate()
    provider.will(writes("one ", "two ", more, "three ", "four ", "five"))
    chat.ask("Count slowly")
    expect(chat.replies.locator(".body")).to_contain_text("one two")
    chat.page.reload()
    expect(chat.replies.locator(".body")).to_contain_text("one two")
    expect(chat.replies).to_have_attribute("aria-busy", "true")
    more.open()
    chat.answered("one two three four five")
    assert len(provider.requests) == 1


def test_leaving_and_coming_back_finds_the_answer_that_went_on(chat: ChatPage, provider: ProviderServer) -> None:
    chat.talk("Elsewhere", "Hello.")
    chat.begin()
    more = Gate()
    provider.will(writes("slow ", more, "but ", "sure"))
    chat.ask("Walk")
    expect(chat.replies.locator(".body")).to_have_text("slow")
    chat.page.get_by_role("link", name="Elsewhere").click()
    expect(chat.questions).to_have_text("YouElsewhere")
    chat.page.go_back()
    expect(chat.replies.locator(".body")).to_have_text("slow")
    more.open()
    chat.answered("slow but sure")
    expect(chat.questions).to_have_count(1)


def test_when_a_model_breaks_off_the_answer_begins_anew(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    provider.will(writes("A half ", "answer ", gap=0.2, end="cut"), model="small")
    more = Gate()
    provider.will(writes("The whole ", more, "answer."), model="large")
    chat.ask("Say it")
    expect(chat.replies).to_contain_text("Beginning anew")
    more.open()
    chat.answered("The whole answer.")
    expect(chat.replies).to_contain_text("large")


def test_when_no_model_answers_the_page_says_why_and_asks_again(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    provider.always(status(503))
    chat.ask("Anybody there?")
    failure = chat.page.get_by_role("alert").filter(has_text="No answer")
    expect(failure).to_contain_text("no language model could be reached")
    provider.always(reply("Here."))
    chat.button("Answer again").click()
    chat.answered("Here.")
    expect(failure).to_have_count(0)
    expect(chat.questions).to_have_count(1)


def test_a_turn_of_another_window_is_shown_and_the_question_comes_back(
    chat: ChatPage, context: BrowserContext, provider: ProviderServer
) -> None:
    chat.talk("Hello", "Hello.")
    other = ChatPage(context.new_page())
    other.page.goto(chat.page.url)
    expect(other.replies).to_have_count(1)
    more = Gate()
    provider.will(writes("first ", more, "come ", "first served"))
    chat.ask("Me first")
    expect(chat.replies.last.locator(".body")).to_contain_text("first")
    other.ask("No, me")
    expect(other.page.get_by_role("alert")).to_contain_text("A reply is being written here already")
    expect(other.box).to_have_value("No, me")
    more.open()
    other.answered("first come first served")
    expect(other.questions).to_have_text(["YouHello", "YouMe first"])
    chat.page.bring_to_front()
    chat.answered("first come first served")


def test_a_question_that_is_asked_before_the_last_turn_was_read_again_stays(
    chat: ChatPage, provider: ProviderServer
) -> None:
    chat.talk("One", "Hello.")
    held: list[tuple[Route, APIResponse]] = []
    chat.page.route("**/conversations/*?messages=*", lambda route: held.append((route, route.fetch())))
    chat.ask("Two")
    chat.answered("Hello.")
    while not held:
        chat.page.wait_for_timeout(20)
    more = Gate()
    provider.will(writes("Wait ", more, "for it."))
    chat.ask("Three")
    expect(chat.replies.last.locator(".body")).to_have_text("Wait")
    route, late = held[0]
    route.fulfill(response=late)
    chat.page.unroute("**/conversations/*?messages=*")
    chat.page.wait_for_timeout(400)
    assert chat.questions.count() == 3  # now, not only when the turn is over
    more.open()
    chat.answered("Wait for it.")


def test_a_rating_outlives_an_answer_to_an_earlier_look(chat: ChatPage, provider: ProviderServer) -> None:
    chat.talk("One", "Hello.")
    held: list[tuple[Route, APIResponse]] = []
    chat.page.route("**/conversations/*?messages=*", lambda route: held.append((route, route.fetch())), times=1)
    chat.ask("Two")
    chat.answered("Hello.")
    while not held:
        chat.page.wait_for_timeout(20)
    good = chat.replies.last.get_by_role("button", name="Good answer")
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    route, late = held[0]
    route.fulfill(response=late)
    chat.page.wait_for_timeout(400)
    assert good.get_attribute("aria-pressed") == "true"


def test_the_model_that_is_chosen_is_asked(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    chat.page.get_by_label("Model", exact=True).select_option(label="large")
    chat.ask("Who are you?")
    chat.answered("Hello.")
    assert [request.model for request in provider.requests] == ["large"]
    chat.page.reload()
    expect(chat.page.get_by_label("Model", exact=True)).to_have_value("groq/large")


def test_a_reader_who_scrolls_up_is_left_alone(chat: ChatPage, provider: ProviderServer) -> None:
    chat.begin()
    lines = [f"Line {number}\n\n" for number in range(60)]
    provider.will(writes("".join(lines)), writes(*lines[:40], gap=0.05))
    chat.ask("Fill the page")
    expect(chat.replies.last).to_have_attribute("aria-busy", "false")
    chat.ask("And again")
    expect(chat.replies.last).to_contain_text("Line 5")
    chat.page.mouse.move(700, 300)
    chat.page.mouse.wheel(0, -900)
    chat.page.wait_for_timeout(200)
    before = chat.page.evaluate("scrollY")
    expect(chat.replies.last).to_have_attribute("aria-busy", "false")
    assert chat.page.evaluate("scrollY") == before
    chat.button("To the end").click()
    assert chat.page.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY") < 2
    expect(chat.button("To the end")).to_be_hidden()


def test_the_page_calls_the_public_api_and_nothing_else(
    chat: ChatPage, service: Service, provider: ProviderServer
) -> None:
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url.removeprefix(service.url)))
    chat.talk("Hello", "Hello.")
    chat.page.reload()
    chat.answered("Hello.")
    chat.button("Good answer").click()
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    accept = {"Accept": "application/vnd.oai.openapi+json"}
    schema = httpx.get(f"{service.url}/api/v1/schema", headers=accept).json()
    known = {re.sub(r"{\w+}", "1", path) for path in schema["paths"]}
    used = {re.sub(r"\d+", "1", path.partition("?")[0].replace("/v1/", "/V/")).replace("/V/", "/v1/") for path in asked}
    pages = {path for path in used if not path.startswith("/static/")} - known
    assert pages == {"/", "/c/1"}
    assert "/api/v1/conversations/1/messages/1" in used
