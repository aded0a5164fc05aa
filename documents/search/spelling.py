"""Finds what a word that occurs nowhere may have been meant to be: every word one slip of a key away."""

from __future__ import annotations

from functools import lru_cache
from string import ascii_lowercase

from .analysis import is_stop_word, is_unspaced, term
from .languages import LATIN, letters_like

SHORTEST, LONGEST = 5, 30  # letters of the word that was meant; shorter ones have too many neighbours
WEIGHT = 0.8  # of a repaired word
MOST = 4  # words of a question that are repaired; each costs about a millisecond


def is_repairable(token: str) -> bool:
    return SHORTEST - 1 <= len(token) <= LONGEST and token.isalpha() and not is_unspaced(token)


@lru_cache(maxsize=1_000)
def repairs(token: str, language: int) -> frozenset[str]:
    """The terms of all words that come of one letter left out, put in, replaced, or swapped with the next."""
    letters = letters_like(token[0]) or ascii_lowercase + LATIN[language].letters
    halves = [(token[:place], token[place:]) for place in range(len(token) + 1)]
    words = {left + right[1:] for left, right in halves if right}
    words |= {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    words |= {left + letter + right[1:] for left, right in halves if right for letter in letters}
    words |= {left + letter + right for left, right in halves for letter in letters}
    meant = (word for word in words if len(word) >= SHORTEST and not is_stop_word(word, language))
    return frozenset(term.__wrapped__(word, language) for word in meant)  # not cached one by one: there are hundreds
