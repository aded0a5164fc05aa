"""HTML in an answer: clients that do not drop it would run it, so what it could do goes and its text stays."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from .urls import URL, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable

TAG = re.compile(r"<(?:!--.*?--|[a-z/!?][^<>]*)>", re.IGNORECASE | re.DOTALL)
# Tags without attributes that only change how a word looks. Right behind a word they cannot begin a block of HTML.
PLAIN_TAG = re.compile(r"</?(?:br|su[bp]|b|i|em|strong|u|s|kbd|mark|small|del|ins)\s*/?>", re.IGNORECASE)
ACTIVE_TAG = re.compile(r"<(?:[a-z][\w-]*[\s/]+[^\s>/]|script|style|iframe|object|embed|form|svg)", re.IGNORECASE)
TAG_IN_CODE = re.compile(r"<[a-z][^>]*>", re.IGNORECASE)
TAG_NAME = re.compile(r"<[\w-]+")
LEADS_SOMEWHERE = re.compile(r"//|(?:javascript|vbscript|data|blob|file):", re.IGNORECASE)


def without_tag(text: str, start: int, *, before: str) -> tuple[str, int, bool]:
    """What to write for the angle bracket at `start`, where the text goes on, and whether something active went.

    A bracket that begins no tag, or one of no known kind, is set apart by a space: then it is a bracket to everyone.

    Args:
        before: the character that it will stand behind.
    """
    tag = TAG.match(text, start)
    if tag is None:
        return "< ", start + 1, False
    if PLAIN_TAG.fullmatch(tag[0]):
        if not before.isspace() and before != ">":
            return tag[0], tag.end(), False
        return " " if tag[0][1:3].lower() == "br" else "", tag.end(), False
    if ACTIVE_TAG.match(tag[0]):
        return "", tag.end(), True
    if tag[0][1] in "/!?":
        return "", tag.end(), False
    return "< ", start + 1, False


def without_targets(code: str, *, allows: Callable[[str], bool]) -> tuple[str, int]:
    """Code whose tags that lead somewhere have lost their attributes, and how many those were.

    Browsers read attributes without white space and with character references decoded, and so does this.
    """
    removed = 0

    def emptied(match: re.Match[str]) -> str:
        nonlocal removed
        tag = match[0]
        name = TAG_NAME.match(tag)

        def unless_allowed(url: re.Match[str]) -> str:
            address = trimmed(url[0])
            ends_there = tag[url.start() + len(address)] in "\"'> \n"
            return "" if ends_there and allows(address) else url[0]

        squeezed = "".join(html.unescape(URL.sub(unless_allowed, tag)).split()).replace("\\", "/")
        if name is None or not LEADS_SOMEWHERE.search(squeezed):
            return tag
        removed += 1
        return f"{name[0]}>"

    return TAG_IN_CODE.sub(emptied, code), removed
