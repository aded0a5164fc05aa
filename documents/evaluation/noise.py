"""Spoils questions the way people do, the same way each time, to measure what that costs."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

from documents.search.analysis import is_unspaced, language_of, tokens
from documents.search.languages import LATIN

from .chatter import CHINESE, ENGLISH, GERMAN

if TYPE_CHECKING:
    from collections.abc import Callable

FILLER = (
    "Hi, could you please tell me, {}",
    "Hello there! I was wondering if you know: {}",
    "Please help me understand the following. {}",
    "{} Thanks a lot in advance!",
    "Hey, quick question for you: {} I would really appreciate it.",
)
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
    """The question inside words that are only polite."""
    return random.Random(seed).choice(FILLER).format(text)  # noqa: S311  nothing here is secret


def chatter(text: str, seed: str) -> str:
    """The question with sentences beside it that say nothing about it, in its language where that is one of three."""
    if any(is_unspaced(token) for token in tokens(text)):
        phrases = CHINESE
    else:
        phrases = GERMAN if LATIN[language_of(text)].name == "german" else ENGLISH
    return random.Random(seed).choice(phrases).format(text)  # noqa: S311  nothing here is secret


NOISE: dict[str, Callable[[str, str], str]] = {"typo": typo, "filler": filler, "chatter": chatter}
