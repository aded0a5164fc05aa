"""Text as HTML with some of it marked: escaped whatever it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


REST_OF_WORD = re.compile(r"\S{0,30}")


def marked(text: str, spans: Iterable[tuple[int, int]], *, anchor: str = "") -> SafeString:
    """The text with these stretches in `<mark>`.

    Args:
        spans: (start, end) in ascending order; what lies outside of the text is passed over.
        anchor: the id of the first mark.
    """
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        begins, ends = max(start, position), min(end, len(text))
        if begins >= ends:
            continue
        name = format_html(' id="{}"', anchor) if anchor and len(pieces) == 0 else ""
        pieces += [escape(text[position:begins]), format_html("<mark{}>{}</mark>", name, text[begins:ends])]
        position = ends
    return mark_safe("".join([*pieces, escape(text[position:])]))  # noqa: S308  every piece is escaped


def excerpt(text: str, spans: Sequence[tuple[int, int]], *, before: int = 80, length: int = 360) -> SafeString:
    """A stretch of a long text that begins a little before its first mark, cut between words where it can be."""
    start = max(0, min((spans[0][0] if spans else 0) - before, len(text) - length))
    start = _after_word(text, start) if start else 0
    end = _after_word(text, start + length)
    shifted = ((begins - start, ends - start) for begins, ends in spans)
    return format_html(
        "{}{}{}", "…" if start else "", marked(text[start:end], shifted), " …" if end < len(text) else ""
    )


def _after_word(text: str, place: int) -> int:
    """Where the word ends that has this place in it."""
    rest = REST_OF_WORD.match(text, place)
    return rest.end() if rest else place
