"""The dashboard as people see it: charts are drawn, in light and dark, and the browser complains of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .busy import make_busy
from .conftest import log_in
from .looking import LOOKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.service.running import Service

# How many pixels of each chart are not empty.
INK = """
() => [...document.querySelectorAll("canvas[data-chart]")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, place) => place % 4 === 3 && value > 0).length;
})
"""


@pytest.fixture(scope="module")
def busy(service: Service) -> None:
    make_busy(service)


def opened(page: Page, query: str = "") -> None:
    page.goto("/admin/")
    if page.locator("#id_username").count():
        log_in(page)
    page.goto(f"/admin/{query}")
    page.wait_for_load_state("networkidle")


def test_a_service_that_was_hardly_used_shows_what_there_is(
    page: Page, complaints: list[str], look: Callable[..., None]
) -> None:
    opened(page)
    page.wait_for_selector("text=Turns answered")
    look("dashboard-new")
    assert complaints == []


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("each", LOOKS, ids=lambda each: each.name)
def test_every_chart_is_drawn(page: Page, complaints: list[str], look: Callable[..., None], each: object) -> None:
    page.emulate_media(color_scheme=each.scheme, reduced_motion="reduce")  # type: ignore[attr-defined]
    opened(page)
    look("dashboard", looks=(each,))
    inks = page.evaluate(INK)
    assert len(inks) == 6
    assert min(inks) > 2_000
    assert complaints == []


@pytest.mark.usefixtures("busy")
def test_charts_follow_the_theme_as_it_is_switched(page: Page, complaints: list[str]) -> None:
    opened(page)
    legends = "() => Chart.getChart(document.querySelector('canvas[data-chart]')).options.plugins.legend.labels.color"
    light = page.evaluate(legends)
    page.keyboard.press("Control+e")  # from what the system has to light
    page.keyboard.press("Control+e")
    page.wait_for_selector("html.dark", state="attached")
    page.wait_for_function(f"() => ({legends})() !== '{light}'")
    assert complaints == []


@pytest.mark.usefixtures("busy")
def test_figures_filters_and_files_work_with_the_keyboard(page: Page, complaints: list[str]) -> None:
    opened(page)
    page.locator("summary").first.press("Enter")
    page.wait_for_selector("details[open] td.number")
    page.get_by_role("textbox", name="User").fill("anna.keller")
    page.get_by_role("textbox", name="User").press("Enter")
    page.wait_for_selector("text=user anna.keller")
    assert "days=30" in page.url
    with page.expect_download() as download:
        page.get_by_label("By day as CSV").press("Enter")
    assert download.value.suggested_filename == "botgpt-days.csv"
    page.get_by_role("textbox", name="User").fill("mallory")
    page.get_by_role("button", name="Show").press("Enter")
    page.get_by_role("alert").get_by_text("There is no user “mallory”").wait_for()
    assert complaints == []
