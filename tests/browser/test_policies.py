"""The pages work in a browser under our content policies: it refuses nothing, and nothing of theirs is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .conftest import log_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

ADMIN_PAGES = [
    "",
    "conversations/conversation/",
    "conversations/conversation/1/change/",
    "documents/document/1/change/",
    "documents/document/1/change/?question=warranty",
    "documents/document/add/",
    "accounts/user/1/change/",
    "accounts/apikey/add/",
    "accounts/auditevent/",
    "llm/llmcall/",
]


def test_swagger_ui_lists_the_operations_and_tries_one(page: Page, complaints: list[str]) -> None:
    page.goto("/api/v1/docs")
    page.click("#operations-auth-auth_me_retrieve .opblock-summary-control")
    page.click("#operations-auth-auth_me_retrieve .try-out__btn")
    page.click("#operations-auth-auth_me_retrieve .execute")
    page.wait_for_selector("#operations-auth-auth_me_retrieve .live-responses-table >> text=demo")
    assert complaints == []


def test_redoc_shows_the_reference_and_its_makers_logo_is_not_fetched(page: Page, complaints: list[str]) -> None:
    page.goto("/api/v1/redoc")
    page.wait_for_selector("h2 >> text=Start a conversation with its first message")
    page.fill("input[type=text]", "revoke")
    page.wait_for_selector("[role=search] >> text=Revoke an API key")
    assert [said for said in complaints if "cdn.redoc.ly" not in said] == []


def test_the_admin_works_from_its_login_on(page: Page, complaints: list[str]) -> None:
    page.goto("/admin/")
    log_in(page)
    page.wait_for_selector("text=Turns answered")
    for path in ADMIN_PAGES:
        page.goto(f"/admin/{path}")
        page.wait_for_load_state("networkidle")
    assert complaints == []


def test_an_inline_script_does_not_run(page: Page, complaints: list[str]) -> None:
    page.goto("/admin/")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = true'}))")
    assert page.evaluate("window.ran") is None
    assert "Content Security Policy" in complaints[0]


@pytest.mark.parametrize("target", ["https://example.com/x.png", "http://127.0.0.1:1/x.png"])
def test_an_image_from_elsewhere_is_not_fetched(page: Page, complaints: list[str], target: str) -> None:
    page.goto("/admin/")
    page.evaluate("src => document.body.append(Object.assign(new Image(), {src}))", target)
    page.wait_for_function("() => document.images.length && [...document.images].at(-1).complete")
    assert any("img-src" in said for said in complaints)
