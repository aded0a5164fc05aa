"""Reads HTML with Lexbor: what a reader of the page sees, block by block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from .builder import SPACE
from .plain import decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selectolax.lexbor import LexborNode

    from .builder import TextBuilder

CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]{1,40})""", re.I)
CHARSET_BYTES = 2048
UNSEEN = ["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "select", "nav"]
HEADINGS = {f"h{level}": level for level in range(1, 7)}
LINES = ("li", "dt", "dd", "tr", "td", "th", "br", "caption", "figcaption", "summary", "legend")
BLOCKS = (
    *("p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "pre", "ul", "ol", "dl"),
    *("table", "figure", "form", "fieldset", "details", "hr", "address"),
)
GAPS = dict.fromkeys(LINES, "\n") | dict.fromkeys(BLOCKS, "\n\n")
# A cell that holds one of these is a part of the page's layout, not a value.
LAYOUT = "table, h1, h2, h3, h4, h5, h6, p + p, div + div, ul, ol"


def read_html(path: Path, out: TextBuilder) -> None:
    """The visible text of the page, its headings, table rows as lines; the title leads where there is no `h1`."""
    data = path.read_bytes()
    charset = CHARSET.search(data[:CHARSET_BYTES])
    tree = LexborHTMLParser(decode(data, declared=charset[1].decode() if charset else ""))
    title = tree.css_first("head > title")
    if title is not None and tree.css_first("h1") is None:
        out.heading(title.text(), level=1)
    tree.strip_tags(UNSEEN)
    if tree.body is not None:
        _write(tree.body, out)


def _write(body: LexborNode, out: TextBuilder) -> None:
    """Write the nodes in order. With a stack of its own: pages nest deeper than Python can recurse."""
    stack = [(body, True)]
    preformatted = 0
    while stack:
        node, begins = stack.pop()
        tag = node.tag or ""
        if node.is_text_node:
            _write_text(node.text_content or "", out, as_it_stands=preformatted > 0)
        elif tag in HEADINGS:
            out.heading(_flat(node), level=HEADINGS[tag])
        elif tag == "tr" and begins and (cells := _values(node)):
            out.row(map(_flat, cells))
        else:
            out.gap(GAPS.get(tag, ""))
            if tag == "pre":
                preformatted += 1 if begins else -1
            if begins:
                stack.append((node, False))
                stack.extend((child, True) for child in reversed(list(_children(node))))


def _write_text(text: str, out: TextBuilder, *, as_it_stands: bool) -> None:
    if as_it_stands:
        out.add(text)
        return
    words = SPACE.sub(" ", text)
    out.gap(" " if words.startswith(" ") else "")
    out.add(words.strip())
    out.gap(" " if words.endswith(" ") else "")


def _values(row: LexborNode) -> list[LexborNode]:
    """The cells of a row of data; none for one that only lays the page out."""
    cells = [child for child in _children(row) if child.tag in {"td", "th"}]
    return [] if any(cell.css_first(LAYOUT) for cell in cells) else cells


def _flat(node: LexborNode) -> str:
    """All text in a node, with spaces where a block or a line begins."""
    return "".join(
        (child.text_content or "") if child.is_text_node else " " * (child.tag in GAPS)
        for child in node.traverse(include_text=True)
    )


def _children(node: LexborNode) -> Iterator[LexborNode]:
    child = node.child
    while child is not None:
        yield child
        child = child.next
