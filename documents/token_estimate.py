"""How many tokens a text will cost a language model, without a tokenizer.

The weights are tokens per character by script, fitted to the o200k vocabulary; on held-out texts the ratio of real to
estimated tokens was .76 at the 5th percentile and 1.24 at the 95th.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from functools import lru_cache

LETTER, DIGIT, SPACE, PUNCTUATION = 0.30, 0.80, 0.09, 0.30
BY_SCRIPT = {
    "LATIN": 1.14,
    "CYRILLIC": 0.41,
    "GREEK": 0.44,
    "ARABIC": 0.44,
    "HEBREW": 0.44,
    "CJK": 0.98,
    "HIRAGANA": 0.78,
    "KATAKANA": 0.78,
    "HANGUL": 0.83,
    "DEVANAGARI": 0.47,
    "BENGALI": 0.47,
    "GUJARATI": 0.47,
    "GURMUKHI": 0.47,
    "KANNADA": 0.47,
    "MALAYALAM": 0.47,
    "ORIYA": 0.47,
    "TAMIL": 0.47,
    "TELUGU": 0.47,
    "THAI": 0.46,
}
OTHER = 0.51

ASCII_CLASSES = (
    (b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", LETTER),
    (b"0123456789", DIGIT),
    (b" \t\r\n\x0b\x0c", SPACE),
)


def estimate(text: str) -> int:
    """The tokens of a text, rounded up; 0 for the empty text."""
    ascii_part = text.encode("ascii", "ignore")
    total = 0.0
    rest = ascii_part
    for characters, weight in ASCII_CLASSES:
        without = rest.translate(None, characters)
        total += weight * (len(rest) - len(without))
        rest = without
    total += PUNCTUATION * len(rest)
    if len(ascii_part) < len(text):
        total += sum(n * _weight(c) for c, n in Counter(text).items() if c > "\x7f")
    return math.ceil(total)


@lru_cache(maxsize=4096)
def _weight(character: str) -> float:
    """Tokens of one character beyond ASCII, by the script that its Unicode name begins with."""
    return BY_SCRIPT.get(unicodedata.name(character, "").partition(" ")[0], OTHER)
