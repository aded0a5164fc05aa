"""Finds headings that stand in a text itself, for kinds of files whose readers know none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .types import Heading

if TYPE_CHECKING:
    from collections.abc import Iterator

# `== Title ==` as wikis write it, or with the marks apart, as tokenised wiki text has them. Every part is bounded, so
# that no line takes longer than its length.
WIKI = re.compile(
    r"^[ \t]{0,3}(={1,6}|=(?: =){1,5})[ \t]{1,3}([^\s=][^\n]{0,198}?)[ \t]{1,3}\1[ \t]{0,3}$", re.MULTILINE
)


def wiki_headings(text: str) -> Iterator[Heading]:
    """Lines between equals signs; one of each is the outermost level."""
    for match in WIKI.finditer(text):
        yield Heading(start=match.start(1), level=match[1].count("="), text=match[2].strip())
