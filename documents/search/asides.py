"""Tells the sentences of a message that ask from those beside them: who writes, for whom, in which mood, how to answer.

Told by form and by how common the words are, not by phrases, which no list completes. In a message with a question mark
the sentences that have one ask. Elsewhere all do but those of nothing but the commonest words of spoken English, and,
beside a sentence that begins as questions do, those that speak of writer or reader.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .analysis import is_stop_word, tokens
from .languages import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Up to a mark with white space behind it, unlike that in 1.5 or 10:30; those of Chinese and Arabic need none.
SENTENCE = re.compile(
    r"(?:[^.!?;:…\n。！？；：؟]|[.!?;:…]+(?=[^\s.!?;:…]))*(?:[.!?;:…]+(?=\s|$)|[。！？；：؟\n]+|$)\s*"
)
ASKING = re.compile(r"[?？؟]\W*$")
_PERSONS = """
    i me my mine myself we us our ours you your yours yourself
    ich mich mir mein meine meinem meinen meiner wir uns unser unsere du dich dir dein deine ihnen
    je me moi mon ma mes nous vous votre vos yo mí mis nosotros usted ustedes
    я меня мне мой моя мы нас нам вы вас вам أنا نحن أنت
"""
PERSONS = frozenset(_PERSONS.casefold().split())
_BEGINNINGS = """
    what which who whom whose when where why how is are was were does do did can could should would will has have had
    was welche welcher welches welchen welchem wer wem wen wessen wann wo wohin woher warum wieso weshalb wie ist sind
    quel quelle quels quelles qui quand où pourquoi comment combien est qué cuál cuáles quién cuándo dónde cómo cuánto
    что какой какая какие кто когда где почему как сколько ما متى أين كيف كم هل لماذا من
"""
BEGINNINGS = frozenset(_BEGINNINGS.casefold().split())
UNSPACED_PERSON = re.compile("[我你您咱]|私|あなた|저는|제가|ผม|ฉัน|คุณ")


def parted(message: str, *, says_something: Callable[[str], bool]) -> tuple[str, str]:
    """What asks, and what stands beside it; all of it asks when nothing else would.

    A question of common words has its subject beside it ("My Fritzbox shows E42. What should I try?"): then only other
    sentences of common words are kept apart.

    Args:
        says_something: whether a text has words to search for; a sentence without any asks nothing.
    """
    sentences = SENTENCE.findall(message)
    asking = [bool(ASKING.search(sentence)) and says_something(sentence) for sentence in sentences]
    if not any(asking):
        questions = [_begins_as_question(sentence) for sentence in sentences]
        asking = [
            begins or not (_is_common(sentence) or (any(questions) and _is_personal(sentence)))
            for sentence, begins in zip(sentences, questions, strict=True)
        ]
    question = _joined(sentences, asking)
    if not says_something(question):
        return message, ""
    if _is_common(question):
        asking = [asks or not _is_common(sentence) for sentence, asks in zip(sentences, asking, strict=True)]
    return _joined(sentences, asking), _joined(sentences, [not asks for asks in asking])


def _joined(sentences: Sequence[str], wanted: Sequence[bool]) -> str:
    return "".join(sentence for sentence, wants in zip(sentences, wanted, strict=True) if wants).strip()


def _begins_as_question(sentence: str) -> bool:
    return not BEGINNINGS.isdisjoint(tokens(sentence)[:1])


def _is_personal(sentence: str) -> bool:
    return not PERSONS.isdisjoint(tokens(sentence)) or UNSPACED_PERSON.search(sentence) is not None


def _is_common(sentence: str) -> bool:
    """Whether it has only words that are said every day."""
    return all(is_stop_word(token, ENGLISH) or is_everyday(token) for token in tokens(sentence))


def is_everyday(token: str) -> bool:
    """Whether it is one of the commonest words of spoken English."""
    return token in _spoken()


@cache
def _spoken() -> frozenset[str]:
    lines = Path(__file__).with_name("spoken_english.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
