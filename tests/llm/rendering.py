"""What clients would make of an answer: two Markdown renderers with everything on, and where their HTML leads."""

from __future__ import annotations

import html
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

import mistune
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a browser loads, follows or runs.
ATTRIBUTES = {
    "href", "src", "srcset", "action", "formaction", "data", "poster", "background", "style", "xlink:href", "ping",
    "cite", "longdesc", "manifest", "content",
}  # fmt: skip
RUNS = {"script", "style", "iframe", "object", "embed", "form", "svg", "base", "meta", "link"}


@lru_cache(maxsize=1)
def _renderers() -> tuple[Callable[[str], str], ...]:
    strict = MarkdownIt("gfm-like", {"html": True, "linkify": True, "typographer": True})
    loose = mistune.create_markdown(
        escape=False, plugins=["url", "table", "footnotes", "def_list", "task_lists", "strikethrough", "abbr"]
    )
    return strict.render, lambda text: str(loose(text))


def targets(text: str) -> Iterator[str]:
    """Every address that a rendered answer leads to, decoded; and the contents of what would run."""
    for render in _renderers():
        page = LexborHTMLParser(render(text))
        for node in page.css("*"):
            for name, value in node.attributes.items():
                if name in ATTRIBUTES or name.startswith("on"):
                    yield unquote(html.unescape(value or ""))
            if node.tag in RUNS:
                yield node.html or ""


def loaded(text: str) -> Iterator[str]:
    """What a rendered answer loads without a click."""
    for render in _renderers():
        page = LexborHTMLParser(render(text))
        for node in page.css("[src], [srcset], [poster], [background], object[data]"):
            yield node.html or ""
