"""The pages of the documentation: the commands in them as a reader would paste them, their links and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from tests.service.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in PAGES]
MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `language` is what stands behind the fence."""

    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Of a console: one a line, without the remarks behind them."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [command for line in lines if (command := re.split(r"\s{2,}#", line)[0].strip())]


def blocks(page: str) -> list[Block]:
    tokens = MARKDOWN.parse((ROOT / page).read_text())
    return [Block(token.info.strip(), token.content) for token in tokens if token.type == "fence"]


def links(page: str) -> Iterator[str]:
    """Where the links and images of a page lead, but not those to other sites."""
    for token in MARKDOWN.parse((ROOT / page).read_text()):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if target and not target.startswith(("http:", "https:", "mailto:")):
                yield target


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    tokens = MARKDOWN.parse(path.read_text())
    titles = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
