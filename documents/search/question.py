"""Reads a question: what of it is worth searching, and when it needs the turns before it to be understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import asides, courtesy
from .analysis import is_stop_word, is_unspaced, term, tokens
from .languages import LATIN

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# Weights of the user's turn before the question, the one before that, and so on.
EARLIER = (0.3, 0.09, 0.027)
# Of the sentences beside the question in the same message, as of the turn before.
BESIDE = 0.3
# Of words of everyday speech, which are often only how somebody talks, beside others.
EVERYDAY = 0.9
SHORT = 4  # terms; a question of no more is taken for a follow-up

_ANAPHORS = """
    he him his it its one ones she her such that them their they there these this those former latter above
    damit davon dazu deren dessen diese diesem diesen dieser dieses dort ihm ihn jener jene
    ceci cela celle celles celui ceux eso esa ese esto aquello ello questo quello ciò isso isto esse essa daar deze dit
    это этот эта эти этого этой этих он она они его её там هذا هذه ذلك تلك هو هي هم αυτό αυτός αυτή αυτά यह वह ये वे
"""
ANAPHORS = frozenset(_ANAPHORS.casefold().split())
UNSPACED_ANAPHOR = re.compile("它|他们|她们|他們|她們|这个|那个|这些|那些|這個|那個|それ|これ|あれ|그것|이것|มัน|นั้น|นี้")


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as it is searched.

    Attributes:
        words: token to weight; the question's own weigh 1, those of everyday speech less.
        texts: what is embedded, with weights.
        beside: those of the words that stand only beside the question; not repaired when they are nowhere, since
            they are mostly chatter.
    """

    words: dict[str, float]
    texts: tuple[tuple[str, float], ...]
    beside: frozenset[str] = frozenset()


def read_question(question: str, *, history: Sequence[str], languages: Collection[int]) -> Reading:
    """What to search for.

    A question of few terms, or with a word that points back, is a follow-up: then the user's last three turns before it
    join in, each weighing less. Elsewhere they would do harm when the subject changes.

    Args:
        history: the user's earlier turns, oldest first.
        languages: those of the documents, the most frequent first; words that two forms share are joined in that one.
    """
    message = courtesy.without_phrases(_encodable(question))
    question, beside = asides.parted(message, says_something=lambda text: bool(_telling(tokens(text), languages)))
    telling = _content(question, languages)
    weights = {word: EVERYDAY if asides.is_everyday(word) else 1.0 for word in telling.values()}
    if 1.0 not in weights.values():
        weights = dict.fromkeys(weights, 1.0)
    texts = [(question, 1.0)]
    earlier: list[tuple[str, float]] = []
    if history and _is_follow_up(question, weights):
        turns = [courtesy.without_phrases(_encodable(turn)) for turn in reversed(history[-len(EARLIER) :])]
        earlier = list(zip(turns, EARLIER, strict=False))
    only_beside = []
    if tokens(beside):  # a mark may be all that is left
        texts.append((beside, BESIDE))
        for stem, word in _content(beside, languages).items():
            if stem not in telling:
                telling[stem] = word
                weights[word] = BESIDE
                only_beside.append(word)
    for turn, weight in earlier:
        for stem, word in _content(turn, languages).items():
            known = telling.setdefault(stem, word)
            weights[known] = weights.get(known, 0.0) + weight
        texts.append((turn, weight))
    return Reading(words=weights, texts=tuple(texts), beside=frozenset(only_beside))


def _encodable(text: str) -> str:
    """Without lone surrogates, which JSON can carry and no encoder takes."""
    return text.encode("utf-8", "ignore").decode()


def _content(text: str, languages: Collection[int]) -> dict[str, str]:
    """The tokens that say something, each under its term: no stop words, and no filler unless there is nothing else."""
    every = tokens(text)
    telling = _telling(every, languages)
    telling = [token for token in telling if token not in courtesy.WORDS] or telling
    main = next(iter(languages))
    return {term(token, main): token for token in reversed(telling)}


def _telling(every: list[str], languages: Collection[int]) -> list[str]:
    """Those that are no stop words of the language, among these, that most of them are stop words of."""
    spoken = max(languages, key=lambda language: sum(token in LATIN[language].stop_words for token in every))
    return [token for token in every if not is_stop_word(token, spoken)]


def _is_follow_up(question: str, words: Collection[str]) -> bool:
    length = sum(0.5 if is_unspaced(word) else 1.0 for word in words)  # a word is about two bigrams
    return length <= SHORT or not ANAPHORS.isdisjoint(tokens(question)) or UNSPACED_ANAPHOR.search(question) is not None
