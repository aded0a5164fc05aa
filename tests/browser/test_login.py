"""The login page, and that a look at a page finds what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .looking import SCREENSHOTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page


def test_the_login_page_has_no_grave_fault(page: Page, look: Callable[..., None]) -> None:
    page.goto("/login")
    look("login")
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    look("login-refused")


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        ("document.querySelectorAll('label').forEach(label => label.remove())", "label at"),
        ("document.querySelector('h1').style.color = 'rgb(128 128 128 / 30%)'", "color-contrast at"),
        ("document.documentElement.lang = ''", "html-has-lang at"),
        ("document.querySelector('h1').style.width = '2000px'", "pixels wide on a screen of 390"),
    ],
)
def test_a_look_finds_what_is_wrong(page: Page, look: Callable[..., None], harm: str, fault: str) -> None:
    page.goto("/login")
    page.evaluate(harm)
    with pytest.raises(AssertionError, match=fault) as found:
        look("faulty")
    assert "phone-dark: " in str(found.value)
    for screenshot in SCREENSHOTS.glob("faulty-*.png"):
        screenshot.unlink()
