"""Spoils questions the way people do, the same way each time, to measure what that costs."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from documents.search.analysis import is_unspaced, language_of, tokens
from documents.search.languages import LATIN

from . import chatter as beside
from . import filler as polite

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

WORD = re.compile(r"[^\W\d_]{5,}")


def typo(text: str, seed: str) -> str:
    """One letter of one word of five letters or more dropped, doubled, replaced or swapped with the next."""
    chance = random.Random(seed)  # noqa: S311  nothing here is secret
    words = list(WORD.finditer(text))
    if not words:
        return text
    word = chance.choice(words)
    at = chance.randrange(word.start() + 1, word.end() - 1)
    letter, following = text[at], text[at + 1]
    spoiled = chance.choice(
        [following, letter * 2 + following, chance.choice("abcdefghijklmnopqrstuvwxyz") + following, following + letter]
    )
    return text[:at] + spoiled + text[at + 2 :]


def filler(text: str, seed: str) -> str:
    """The question inside words that are only polite, in its language where that is one of three."""
    return _phrase(polite, text, seed).format(text)


def chatter(text: str, seed: str) -> str:
    """The question with sentences beside it that say nothing about it, likewise."""
    return _phrase(beside, text, seed).format(text)


def _phrase(phrases: ModuleType, text: str, seed: str) -> str:
    if any(is_unspaced(token) for token in tokens(text)):
        spoken = phrases.CHINESE
    else:
        spoken = phrases.GERMAN if LATIN[language_of(text)].name == "german" else phrases.ENGLISH
    chosen: str = random.Random(seed).choice(spoken)  # noqa: S311  nothing here is secret
    return chosen


NOISE: dict[str, Callable[[str, str], str]] = {"typo": typo, "filler": filler, "chatter": chatter}
