"""Where sentences end, in any script, in time linear in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Every branch either fails at once or consumes what it has looked at, so a megabyte of spaces or full stops is no trap.
CONTINUES = "a-zß-öø-ÿα-ωа-яё"  # a sentence does not begin with a small letter
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff"  # nor can these be told apart
SENTENCE_END = re.compile(
    rf"""
      [。！？｡]+[」』”’）】》]*\s*                   # Chinese and Japanese, with no space behind
    | (?<=[.!?…؟۔।॥።])\s++(?![{CONTINUES}])                 # Latin, Cyrillic, Arabic, Urdu, Devanagari, Ethiopic
    | (?<=[.!?…؟۔।॥።]["'”’»)\]*_])\s++(?![{CONTINUES}])     # the same inside quotes, brackets or emphasis
    | \n\s*\n                                       # a blank line
    | \n\s*+(?![{CONTINUES}{UNSPACED}])              # a line that does not go on with the sentence
    """,
    re.VERBOSE,
)


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the sentences, one behind the other without a gap: white space belongs to the one before it."""
    start = 0
    for match in SENTENCE_END.finditer(text):
        if match.end() > start:
            yield start, match.end()
            start = match.end()
    if start < len(text):
        yield start, len(text)
