"""From text to the terms that are indexed and searched; one analysis for documents and questions."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from .languages import ENGLISH, LATIN, OTHER_STOP_WORDS, detect, is_latin, stem

__all__ = ["is_stop_word", "is_unspaced", "language_of", "term", "terms", "tokens"]

# Scripts that are written without spaces, and Hangul, whose words carry particles: they are cut into bigrams.
UNSPACED = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u109f\u1780-\u17d3\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
)
# Marks that are no letters to `\w` but belong to words: combining accents, points, and the vowels of Indic scripts.
MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff\u0f71-\u0f84"
LETTER = rf"(?![{UNSPACED}])[^\W_]"
TOKEN = re.compile(rf"([{UNSPACED}]+)|({LETTER}(?:{LETTER}|[{MARKS}])*)")
ASCII_TOKEN = re.compile("[a-z0-9]+")
UNSPACED_LETTER = re.compile(rf"[{UNSPACED}]")
CONTRACTION = re.compile(r"n['’]t\b|['’](?:s|d|m|ll|re|ve)\b")
# What is dropped from a stem: accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic, the Arabic stretcher.
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u0640\u064b-\u065f\u0670]")
IDEOGRAPHS = "\u3400"  # from here on one character can be a word: Han and Hangul


def tokens(text: str, *, singles: bool = False) -> list[str]:
    """The words of a text in order, case folded; scripts without spaces as bigrams.

    Args:
        singles: also every ideograph alone. Documents are indexed with them, so that a question of one is found.
    """
    folded = CONTRACTION.sub("", unicodedata.normalize("NFKC", text).casefold())
    if folded.isascii():  # most passages of most documents, and twice as fast
        return ASCII_TOKEN.findall(folded)
    found: list[str] = []
    for run, word in TOKEN.findall(folded):
        if word:
            found.append(word)
            continue
        found.extend(run[i : i + 2] for i in range(len(run) - 1))
        if len(run) == 1:
            found.append(run)
        elif singles:
            found.extend(letter for letter in run if letter >= IDEOGRAPHS)
    return found


def language_of(text: str) -> int:
    """The language whose stemmer serves the text's Latin words, as a place in `languages.LATIN`."""
    return detect(tokens(text))


def is_unspaced(token: str) -> bool:
    """Whether a token is a bigram, or a character alone, of a script without spaces."""
    return UNSPACED_LETTER.match(token) is not None


def is_stop_word(token: str, language: int) -> bool:
    return token in LATIN[language].stop_words or token in OTHER_STOP_WORDS


@lru_cache(maxsize=100_000)
def term(token: str, language: int) -> str:
    """What is indexed for a token: its stem without accents."""
    if is_unspaced(token):
        return token
    if is_latin(token[0]) and not LATIN[language].letters:
        token = without_accents(token)  # its stemmer knows none, and would take the word for another
    return without_accents(stem(token, language) or token)


def without_accents(word: str) -> str:
    return word if word.isascii() else ACCENTS.sub("", unicodedata.normalize("NFD", word)) or word


def terms(text: str, *, language: int = ENGLISH, singles: bool = False) -> list[str]:
    """The terms of a text in order, with repetitions, without stop words."""
    return [term(token, language) for token in tokens(text, singles=singles) if not is_stop_word(token, language)]
