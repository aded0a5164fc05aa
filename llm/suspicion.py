"""Tells passages that talk to a model from passages that talk to a reader.

A signal for people, not a wall: whoever knows the patterns can write around them, and what protects is the frame of the
prompt and the check of the answer. How often ordinary documents are flagged was measured, see docs/retrieval.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .neutral import visible
from .suspicion_patterns import NOUN_FIRST, ROWS, VERB_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterator

# Text that only a model sees: tag characters beyond those of a flag, selectors in a row, a run of zero widths, and the
# two controls that turn letters around.
HIDDEN = re.compile(
    "[\U000e0000-\U000e007f]{8}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}|[\u200b-\u200f\u2060-\u2064]{8}|[\u202d\u202e]"
)
# The control tokens that begin a turn; what a tokenizer's vocabulary has besides, like <unk>, occurs in ordinary files.
TURN_TOKEN = re.compile(r"<[|｜][^<>|｜\n]{1,60}[|｜]>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>")
ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f]")
PUNCTUATION: Final = ".,;:!?\"'`*_~#>|()[]{}<-–—…“”„«»。，、：！？"
BRACKETS = re.compile(r"[<>\[\](){}|]+")  # tags stand close to what they enclose
NEAR: Final = r"[^.!?。]{0,40}?"
# "Do not forget to follow all instructions" is what every manual says.
NOT: Final = (
    "".join(rf"(?<!\b{no} )" for no in "not never pas no non nao nie niet nicht не".split()) + r"(?<!n't )(?<!\bn')"
)
NOT_BEHIND: Final = r"(?! (?:sie |du |bitte )?(?:nicht|niet)\b)"


def kinds_of_instructions(text: str) -> tuple[str, ...]:
    """In which ways a text reads like instructions to a model: `override`, `persona`, `leak` and so on; mostly none."""
    shown = visible(text)
    words = _plain(shown).casefold().split()
    folded = " ".join(words)
    vocabulary = {part.strip(PUNCTUATION) for word in words for part in BRACKETS.split(word)}
    found = {pattern.kind for pattern in PATTERNS if pattern.occurs_in(folded, vocabulary)}
    if shown is not text and HIDDEN.search(text):
        found.add("hidden")
    if TURN_TOKEN.search(shown):
        found.add("frame")
    return tuple(sorted(found))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """An expression, and the words of which one of each group has to be there."""

    kind: str
    triggers: tuple[tuple[str, ...], ...]
    expression: re.Pattern[str]

    def occurs_in(self, folded: str, vocabulary: set[str]) -> bool:
        for group in self.triggers:
            if vocabulary.isdisjoint(group) and (
                folded.isascii() or group[0].isascii() or not any(part in folded for part in group)
            ):
                return False
        return bool(self.expression.search(folded))


def _plain(text: str) -> str:
    """Without accents, ligatures and full width."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", ACCENTS.sub("", unicodedata.normalize("NFKD", text.replace("’", "'"))))


def _patterns() -> Iterator[_Pattern]:
    for verbs, which, nouns, triggers in VERB_FIRST:
        yield _pattern("override", triggers, rf"{NOT}(?:{verbs}){NOT_BEHIND}{NEAR}(?:{which}){NEAR}(?:{nouns})")
    for which, nouns, verbs, triggers in NOUN_FIRST:
        yield _pattern("override", triggers, rf"(?:{which}){NEAR}(?:{nouns}){NEAR}{NOT}(?:{verbs})")
    for kind, triggers, expression in ROWS:
        yield _pattern(kind, triggers, expression)


def _pattern(kind: str, triggers: str, expression: str) -> _Pattern:
    groups = tuple(tuple(group.split()) for group in _plain(triggers).split("&"))
    return _Pattern(kind, groups, re.compile(_plain(expression)))


PATTERNS = tuple(_patterns())
