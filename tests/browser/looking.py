"""Looking at a page in its current state, as people have it: light and dark, on a desktop and on a phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from axe_playwright_python.sync_playwright import Axe

from tests.service.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SCREENSHOTS = ROOT / "var" / "screenshots"
GRAVE = {"serious", "critical"}


@dataclass(frozen=True, slots=True)
class Look:
    """A way to see a page."""

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


LOOKS = (
    Look("light", "light", 1280, 800),
    Look("dark", "dark", 1280, 800),
    Look("phone-light", "light", 390, 844),
    Look("phone-dark", "dark", 390, 844),
)


def look(page: Page, name: str, *, looks: tuple[Look, ...] = LOOKS) -> None:
    """Keep a screenshot of each look in var/screenshots; fail for what axe-core calls serious or critical.

    A page that must be scrolled sideways fails too. Nothing is reloaded, and the page is left with the first look.
    """
    found: list[str] = []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for each in looks:
        _see(page, each)
        page.screenshot(path=SCREENSHOTS / f"{name}-{each.name}.png")
        found += [f"{each.name}: {fault}" for fault in (*violations(page), *_overflow(page))]
    _see(page, looks[0])
    assert not found, "\n".join(found)


def violations(page: Page) -> Iterator[str]:
    """What axe-core calls serious or critical on the page, with the elements and the reason."""
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in GRAVE:
            for node in violation["nodes"]:
                yield f"{violation['id']} at {node['target']}: {node['failureSummary']}\n  {node['html']}"


def _overflow(page: Page) -> Iterator[str]:
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if wide > screen:
        yield f"the page is {wide} pixels wide on a screen of {screen}"


def _see(page: Page, each: Look) -> None:
    page.emulate_media(color_scheme=each.scheme, reduced_motion="reduce")  # a colour that is fading has no contrast yet
    page.set_viewport_size({"width": each.width, "height": each.height})
    page.wait_for_timeout(50)
